"""`shadow judgements`: what do recorded judge texts say, and how good were the judges that wrote them?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from shadow.json_lines import BadLine

_WIDTH = 190  # of tables that nobody looks at on a terminal


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--group-by", default="judge,dataset", show_default=True, metavar="KEY,...", help="Figures per value.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write one JSON line per line here: what was read, or why nothing."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the bootstrap.")
@click.option("--resamples", type=click.IntRange(0), default=1000, show_default=True, help="Of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout and nothing else.")
def judgements(file: Path, group_by: str, out: Path | None, seed: int, resamples: int, as_json: bool) -> None:
    """Read recorded judge texts from FILE (JSON Lines, plain or .gz): the formats of LLMBar and of double brackets, else what
    is stated in a JSON object, a line with a label ("Final verdict: B", "Score: 7"), a sentence, or alone.

    A line holds id, prompt, a, b (or null), judge, order ("ab", "ba" or null), raw, and where known human and parsed ("A",
    "B", "tie" or a number). Prints per judge how many texts could be read, agreement with people, kappa, order consistency
    and position bias. What cannot be read for sure is left out and counted. Exit code 1 if any line was bad.
    """
    from shadow.errors import ShadowError
    from shadow.judging.recorded_file import Judgement, read_judgements
    from shadow.judging.recorded_report import grouped, human_choices, print_report, summary

    try:
        lines = list(read_judgements(file))
    except ShadowError as exc:
        raise click.UsageError(str(exc)) from exc
    rows = [line for line in lines if isinstance(line, Judgement)]
    bad = [line for line in lines if isinstance(line, BadLine)]
    if out is not None:
        _write(out, lines)
    keys = [key.strip() for key in group_by.split(",") if key.strip()]
    humans = human_choices(rows)
    report: dict[str, Any] = {
        "file": str(file),
        "lines": len(lines),
        "bad_lines": [{"line": line.line, "reason": line.reason} for line in bad],
        "overall": summary(rows, humans=humans, seed=seed, resamples=resamples),
        "groups": [
            {
                "group": dict(zip(keys, values, strict=True)),
                **summary(some, humans=humans, seed=seed, resamples=resamples),
            }
            for values, some in (grouped(rows, keys).items() if keys else ())
        ],
    }
    for line in bad:
        click.echo(f"{file}: line {line.line}: {line.reason}", err=True)
    if as_json:
        click.echo(json.dumps(report))
    else:
        console = Console()
        print_report(report, console if console.is_terminal else Console(width=_WIDTH))
    raise SystemExit(1 if bad else 0)


def _write(out: Path, lines: list[Any]) -> None:
    try:
        with out.open("w", encoding="utf-8") as sink:
            for line in lines:
                if isinstance(line, BadLine):
                    row = {"id": line.id, "value": None, "why": f"line {line.line}: {line.reason}"}
                else:
                    row = {"id": line.id, "value": line.reading.value, "why": line.reading.why or None}
                sink.write(json.dumps(row) + "\n")
    except OSError as exc:
        raise click.UsageError(f"{out}: cannot be written: {exc.strerror or exc}") from exc
