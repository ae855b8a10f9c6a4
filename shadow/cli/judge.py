"""`shadow judge`: how good are the answers in this file of pairs, and how good is the panel that says so?"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shadow.cli.options import config_option
from shadow.cli.plot_file import open_drawing
from shadow.json_lines import BadLine
from shadow.judging.pair_file import Pair, Side, matches, read_pairs, side_of

if TYPE_CHECKING:
    from judges.engines import Engine
    from judges.panel import Panel
    from judges.verdicts import Target
    from shadow.judging.report import Judged
    from shadow.statistics.judge_reliability import Reliability

_CHUNK = 256
_WIDTH = 190  # of tables that nobody looks at on a terminal
_FREE = ("structured", "lexical", "markers", "semantic")


class _Condition(click.ParamType):  # type: ignore[type-arg]
    """`key=value`, the key dotted."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, sign, wanted = str(value).partition("=")
        if not sign or not key:
            self.fail(f"{value!r} is not key=value", param, ctx)
        return key, wanted


def _panel_names(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    for name in names:
        if name not in _FREE:
            raise click.BadParameter(f"unknown judge {name!r}; known are {', '.join(_FREE)}")
    if not names:
        raise click.BadParameter("name at least one judge")
    return names


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path), required=False)
@click.option("--from-store", is_flag=True, help="The store's labelled answers and its panel instead of a file.")
@click.option(
    "--days", type=click.FloatRange(min=0, min_open=True), default=28, show_default=True, help="Of the store."
)
@config_option
@click.option("--out", type=click.Path(path_type=Path), help="Write one JSON line per pair here, in the same order.")
@click.option(
    "--where", "conditions", type=_Condition(), multiple=True, help="Only pairs with this value; may be repeated."
)
@click.option(
    "--group-by", default="", metavar="KEY,...", help="Figures per value of these keys, such as meta.answer_model."
)
@click.option("--split", type=click.Choice(["a", "b"]), help="Only one half of the questions.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the halves and of the bootstrap.")
@click.option(
    "--fit", type=click.Path(path_type=Path), metavar="DIR", help="Fit a calibration on the labels and write it here."
)
@click.option(
    "--calibration", type=click.Path(path_type=Path), metavar="DIR", help="Use the calibration that --fit wrote."
)
@click.option(
    "--target-agreement",
    type=click.FloatRange(0.5, 1, min_open=True, max_open=True),
    help="Share of decided pairs that is to agree with people; with --fit what is certified (0.9), else what a calibration"
    " has to have certified for its thresholds to count.",
)
@click.option(
    "--target-confidence",
    type=click.FloatRange(0.5, 1, min_open=True, max_open=True),
    help="Confidence of that certificate; with --fit 0.9.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the reliability diagram of the labels, as .svg or .png.",
)
@click.option(
    "--panel",
    "names",
    default="structured,lexical,semantic,markers",
    show_default=True,
    callback=_panel_names,
    help="The judges to ask, by name; the cheapest is asked first.",
)
@click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads of the embedding engine."
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "int8", "torch"]),
    default="auto",
    show_default=True,
    help="Embedding engine; auto is int8 where that is installed.",
)
@click.option("--embedding-model", metavar="MODEL", help="Another sentence-transformers model, by name or path.")
@click.option(
    "--nli-model", metavar="MODEL", help="A cross-encoder for entailment, by name or path; adds the judge `nli`."
)
@click.option("--resamples", type=click.IntRange(0), default=1000, show_default=True, help="Of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout and nothing else.")
def judge(
    pairs: Path | None,
    days: float,
    config: Path,
    out: Path | None,
    conditions: tuple[tuple[str, str], ...],
    group_by: str,
    split: Side | None,
    seed: int,
    fit: Path | None,
    calibration: Path | None,
    target_agreement: float | None,
    target_confidence: float | None,
    plot: Path | None,
    names: tuple[str, ...],
    threads: int,
    engine: Engine,
    embedding_model: str | None,
    nli_model: str | None,
    resamples: int,
    *,
    from_store: bool,
    as_json: bool,
) -> None:
    """Judge a file of PAIRS (JSON Lines, plain or .gz) offline, or what reviewers labelled in the store.

    With labels it prints how well the panel agrees with them, beside "the shorter answer is better". Options only select and
    report: judges never see `meta`. With --fit the probabilities, and the thresholds from which on they are verdicts, are fitted
    to the labels. Exit code 1 if any line was bad; the others are judged all the same.
    """
    from judges.errors import JudgeError
    from judges.registry import build_panel
    from judges.verdicts import Target
    from shadow.cli.judge_store import from_store as _store
    from shadow.errors import ConfigError, ShadowError
    from shadow.judging.reliability_svg import reliability_svg
    from shadow.judging.trust import reliability_of

    if fit is not None and calibration is not None:
        raise click.UsageError("--fit and --calibration exclude each other")
    if from_store == (pairs is not None):
        raise click.UsageError("give either a file of PAIRS or --from-store")
    source = str(pairs) if pairs is not None else "store"
    wanted_target = target_agreement is not None or target_confidence is not None
    target = Target(agreement=target_agreement or 0.9, confidence=target_confidence or 0.9) if wanted_target else None
    started = time.perf_counter()
    try:
        if from_store:
            lines, panel = _store(
                config, days=days, calibration=calibration, target=target, threads=threads, engine=engine
            )
        elif pairs is not None:
            lines = list(read_pairs(pairs))
        with ExitStack() as stack:
            sink, drawing = _writable(out, stack), open_drawing(plot, stack)
            if not from_store:
                panel = build_panel(
                    names,
                    calibration=calibration,
                    target=target,
                    threads=threads,
                    engine=engine,
                    embedding_model=embedding_model,
                    nli_model=nli_model,
                )
            wanted = [line for line in lines if isinstance(line, BadLine) or _selected(line, conditions, split, seed)]
            good = [line for line in wanted if isinstance(line, Pair)]
            progress = stack.enter_context(_progress())
            if fit is not None:
                panel = _fit(panel, good, fit, source, panel.target or Target(), progress)
            judged = asyncio.run(_judge(panel, good, progress))
            progress.stop()
            if sink is not None:
                _write(sink, wanted, judged)
            seen = reliability_of(judged, seed=seed, resamples=resamples)
            if drawing is not None:
                if seen is None:
                    raise ConfigError("--plot needs labels: there is none in these pairs")
                drawing.write(reliability_svg(seen, f"{panel.name} on {Path(source).name}"))
        report = _report(judged, panel, seen, group_by, seed, resamples)
    except (ShadowError, JudgeError) as exc:
        raise click.UsageError(str(exc)) from exc
    bad = [line for line in lines if isinstance(line, BadLine)]
    for line in bad:
        click.echo(f"{source}: line {line.line}: {line.reason}", err=True)
    report = {
        "file": source,
        "lines": len(lines),
        "selected": len(good),
        "bad_lines": [{"line": line.line, "reason": line.reason} for line in bad],
        "fitted": str(fit) if fit else None,
        **report,
        "seconds": round(time.perf_counter() - started, 2),
    }
    if as_json:
        click.echo(json.dumps(report))
    else:
        _show(report, seen)
    raise SystemExit(1 if bad else 0)


def _selected(pair: Pair, conditions: Sequence[tuple[str, str]], split: Side | None, seed: int) -> bool:
    return matches(pair.record, conditions) and (split is None or side_of(pair.comparison.prompt, seed=seed) == split)


def _writable(path: Path | None, stack: ExitStack) -> IO[str] | None:
    """The output file, opened before any work is done for it."""
    if path is None:
        return None
    try:
        return stack.enter_context(path.open("w", encoding="utf-8"))
    except OSError as exc:
        raise click.UsageError(f"{path}: cannot be written: {exc.strerror or exc}") from exc


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


async def _judge(panel: Panel, good: Sequence[Pair], progress: Progress) -> list[Judged]:
    from shadow.judging.report import Judged

    task = progress.add_task("judging", total=len(good))
    judged: list[Judged] = []
    for start in range(0, len(good), _CHUNK):
        chunk = good[start : start + _CHUNK]
        said = await panel.judge([pair.comparison for pair in chunk])
        judged += [Judged(pair=pair, panel=panel_said) for pair, panel_said in zip(chunk, said, strict=True)]
        progress.update(task, completed=len(judged))
    return judged


def _fit(panel: Panel, good: Sequence[Pair], directory: Path, source: str, target: Target, progress: Progress) -> Panel:
    """The panel with a calibration fitted on the labelled pairs, which is written as well."""
    from shadow.judging.fit import fit_pairs

    task = progress.add_task("fitting", total=len(panel.stages))
    calibration = asyncio.run(
        fit_pairs(
            panel,
            good,
            directory,
            source=Path(source).name,
            target=target,
            now=datetime.now(UTC),
            progress=lambda name: progress.update(task, description=f"fitting {name}", advance=1),
        )
    )
    return panel.with_calibration(calibration)


def _write(sink: IO[str], wanted: Sequence[Pair | BadLine], judged: Sequence[Judged]) -> None:
    from shadow.judging.report import bad_output_line, output_line

    results = iter(judged)
    for line in wanted:
        row = bad_output_line(line) if isinstance(line, BadLine) else output_line(next(results))
        sink.write(json.dumps(row) + "\n")


def _report(
    judged: Sequence[Judged], panel: Panel, seen: Reliability | None, group_by: str, seed: int, resamples: int
) -> dict[str, Any]:
    from shadow.judging.reliability_text import reliability_json
    from shadow.judging.report import grouped, summary
    from shadow.judging.trust import certificate_json, query_types_json

    keys = [key.strip() for key in group_by.split(",") if key.strip()]
    groups = grouped(judged, keys) if keys else {}
    return {
        "panel": panel.name,
        "judges": [judge.name for judge in panel.judges],
        "calibration": dict(panel.calibration.provenance),
        "certificate": certificate_json(panel),
        "overall": summary(judged, seed=seed, resamples=resamples),
        "groups": [
            {"group": dict(zip(keys, values, strict=True)), **summary(rows, seed=seed, resamples=resamples)}
            for values, rows in groups.items()
        ],
        "query_types": query_types_json(judged, panel.calibration, seed=seed, resamples=resamples),
        "reliability": None if seen is None else reliability_json(seen),
    }


def _show(report: dict[str, Any], seen: Reliability | None) -> None:
    from shadow.judging.report import print_report
    from shadow.judging.trust import print_reliability, print_trust

    console = Console(highlight=False)
    console = console if console.is_terminal else Console(width=_WIDTH, highlight=False)
    print_report(report, console)
    print_trust(report, console)
    if seen is not None:
        print_reliability(seen, console)
    if report["fitted"]:
        click.echo(f"Calibration written to {report['fitted']}. The figures above are on the labels it was fitted on.")
