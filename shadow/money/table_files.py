"""How is a table written, as CSV or as JSON, and into which files? UTF-8, one header row, nothing that a spreadsheet would run.

Names come from clients: a text that a spreadsheet takes for a formula is preceded by an apostrophe in CSV, and unchanged in JSON.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from shadow.errors import ShadowError
from shadow.money.tables import Scalar, Table

#: With what a formula begins, in some spreadsheet or other; the last ones are the wide forms.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class ExportError(ShadowError):
    """A file can't be written."""


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Scalar]]) -> str:
    """A header row and the rows: money with every digit, what is not known empty, lines ended by LF."""
    return "".join(_line(cells) for cells in (columns, *([_cell(row[name]) for name in columns] for row in rows)))


def table_json(table: Table) -> dict[str, Any]:
    """The table as values that `json.dumps` takes: money as numbers in USD, instants ISO 8601 in UTC."""
    return {
        "table": table.name,
        "since": _instant(table.since),
        "until": _instant(table.until),
        "columns": list(table.columns),
        "rows": [{name: _value(row[name]) for name in table.columns} for row in table.rows],
    }


def write_tables(directory: Path, tables: Sequence[Table], *, force: bool) -> list[Path]:
    """Write each table as NAME.csv and NAME.json; returns the paths. force: replace what is there.

    Raises: ExportError, before anything is written where a file is there already and force is not given.
    """
    texts = {}
    for table in tables:
        texts[directory / f"{table.name}.csv"] = csv_text(table.columns, table.rows)
        texts[directory / f"{table.name}.json"] = json.dumps(table_json(table), indent=1, ensure_ascii=False) + "\n"
    check_free(directory, texts, force=force)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("w" if force else "x", encoding="utf-8", newline="") as file:
                file.write(text)
    except FileExistsError as exc:
        raise ExportError(f"{exc.filename}: is there already; --force replaces it") from exc
    except OSError as exc:
        raise ExportError(f"{exc.filename or directory}: can't be written ({exc.strerror})") from exc
    return list(texts)


def check_free(directory: Path, paths: Iterable[Path], *, force: bool) -> None:
    """Raises: ExportError where the directory is a file, or a file is there already and force is not given."""
    if directory.exists() and not directory.is_dir():
        raise ExportError(f"{directory}: is a file; name a directory")
    there = [path.name for path in paths if path.exists()]
    if there and not force:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise ExportError(
            f"{directory / there[0]}: is there already{more}; --force replaces, or name another directory"
        )


def _line(cells: Sequence[str | int | float]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)  # ended by CRLF, as only then a cell with a CR in it is quoted
    return text.getvalue().removesuffix("\r\n") + "\n"


def _cell(value: Scalar) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case str() if value.startswith(_FORMULA):
            return f"'{value}"
        case _:
            return value


def _value(value: Scalar) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _instant(moment: Any) -> str:
    return str(moment.isoformat()).replace("+00:00", "Z")
