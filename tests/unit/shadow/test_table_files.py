"""Can no name that a client made up run in a spreadsheet, and does nothing get lost on the way into a file?"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.money.table_files import ExportError, csv_text, table_json, write_tables
from shadow.money.tables import Table

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def table(*names: str) -> Table:
    rows = tuple({"user": name, "cost_usd": Decimal("0.000000000375"), "score": None} for name in names)
    return Table(name="spend-by-user", since=SINCE, until=SINCE, columns=("user", "cost_usd", "score"), rows=rows)


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20))
def test_a_name_comes_back_as_it_was_but_for_an_apostrophe_where_it_would_be_a_formula(name: str) -> None:
    [header, [cell, cost, score]] = csv.reader(io.StringIO(csv_text(("u", "c", "s"), [{"u": name, "c": 1, "s": None}])))
    assert (header, cost, score) == (["u", "c", "s"], "1", "")
    assert cell in {name, f"'{name}"}
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"))


def test_numbers_are_no_formulas_and_money_keeps_its_digits() -> None:
    text = csv_text(("a", "b"), [{"a": -0.25, "b": Decimal("-0.000000000375")}])
    assert text == "a,b\n-0.25,-0.000000000375\n"


def test_json_keeps_names_as_they_are() -> None:
    found = json.loads(json.dumps(table_json(table("=1+1", "Zoë"))))
    assert [row["user"] for row in found["rows"]] == ["=1+1", "Zoë"]
    assert (found["since"], found["rows"][0]["score"]) == ("2026-01-01T00:00:00Z", None)


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ExportError, match="is a file; name a directory"):
        write_tables(tmp_path / "file", [table("a")], force=True)
    with pytest.raises(ExportError, match="can't be written"):
        write_tables(tmp_path / "file" / "below", [table("a")], force=True)
    written = write_tables(tmp_path / "out", [table("Zoë")], force=False)
    assert written[0].read_bytes().decode("utf-8") == "user,cost_usd,score\nZoë,0.000000000375,\n"
    with pytest.raises(ExportError, match=r"spend-by-user\.csv: is there already and 1 more"):
        write_tables(tmp_path / "out", [table("b")], force=False)
