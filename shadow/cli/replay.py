"""`shadow replay`: how would the whole loop have done on these outcomes, where the truth is known?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shadow.cli.options import json_option
from shadow.cli.plot_file import open_drawing
from shadow.cli.train import read_file

if TYPE_CHECKING:
    from shadow.outcome_file import OutcomeRow
    from shadow.replay.population import Floats

#: Of tables that nobody looks at on a terminal.
_WIDTH = 100
_INSIDE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@click.argument("outcomes", type=click.Path(path_type=Path))
@click.option("--requests", type=click.IntRange(1), default=20_000, show_default=True, help="In a run.")
@click.option(
    "--sample-rate",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.05,
    show_default=True,
    help="Share mirrored upwards; a fifth of it downwards, and of the top tier's asked twice.",
)
@click.option(
    "--judge",
    type=click.Choice(["truth", "panel"]),
    default="truth",
    show_default=True,
    help="Where verdicts come from: the file's own successes, or the panel on the logged completions.",
)
@click.option("--labels", type=click.IntRange(0), metavar="N", help="Human labels in a run, with --judge panel.")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Score with this model instead of cross-fitted ones.",
)
@click.option("--epsilon", type=_INSIDE, default=0.03, show_default=True, help="Loss that a tuned policy may have.")
@click.option("--delta", type=_INSIDE, default=0.1, show_default=True, help="How often it may have more.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--repeat", type=click.IntRange(1), default=100, show_default=True, metavar="K", help="Runs.")
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw cost and accuracy, as .svg or .png."
)
@json_option
def replay(
    outcomes: Path,
    requests: int,
    sample_rate: float,
    judge: Literal["truth", "panel"],
    labels: int | None,
    model: Path | None,
    epsilon: float,
    delta: float,
    seed: int,
    repeat: int,
    plot: Path | None,
    *,
    as_json: bool,
) -> None:
    """Run the whole loop on requests drawn from OUTCOMES (JSON Lines, plain or .gz; tiers cheapest first).

    Each run draws requests with replacement, routes, mirrors, judges and labels them, estimates the accuracy of each tier and
    tunes the thresholds; all of it is then held against the truth, which is the file itself. Scores come from a learned scorer
    that has not seen the row. Exit code 1 if any line was bad; the others are used all the same.
    """
    from shadow.replay.draw import rates_at
    from shadow.replay.frontier import frontier_of
    from shadow.replay.loop import run_all
    from shadow.replay.population import population_of
    from shadow.replay.report import labels_report, notes_of, replay_report
    from shadow.replay.serving import serve, starting_policy
    from shadow.replay.stage import Stage

    with ExitStack() as stack:
        drawing = open_drawing(plot, stack)
        lines, good, bad = read_file(outcomes)
        if not good:
            raise click.UsageError(f"{outcomes}: no usable line")
        progress = stack.enter_context(_progress())
        rows, scores, scorer = _scored(outcomes, good, model, seed, progress)
        population = population_of(rows, scores)
        serving = serve(rows, population, starting_policy(scores, population.tiers))
        verdicts, panel, said = population.successes, None, list(scorer.pop("notes"))
        if judge == "panel":
            verdicts, panel, more = _judged(outcomes, rows, progress)
            said += more
        elif labels is not None:
            said.append("--judge truth knows every sample: --labels changes nothing.")
        stage = Stage(
            population=population,
            serving=serving,
            rates=rates_at(sample_rate),
            requests=requests,
            verdict=verdicts,
            labels=(labels or 0) if judge == "panel" else None,
        )
        frontier = frontier_of(population, epsilon=epsilon)
        told = _told(progress, "running", repeat)
        runs = run_all(stage, repeat=repeat, seed=seed, epsilon=epsilon, delta=delta, done=told)
        progress.stop()
        report = {
            "file": str(outcomes),
            "lines": lines,
            "bad_lines": [{"line": line.line, "reason": line.reason} for line in bad],
            "judge": judge,
            "panel": panel,
            "labels": {"asked": labels if judge == "panel" else None, **labels_report(runs)},
            "scorer": scorer,
            **replay_report(stage, runs, frontier, seed=seed, epsilon=epsilon, delta=delta),
            "notes": [*said, *notes_of(stage, runs)],
        }
        if drawing is not None:
            from shadow.replay.frontier_svg import frontier_svg

            drawing.write(frontier_svg(report))
    if as_json:
        click.echo(json.dumps(report, allow_nan=False))
    else:
        _say(report)
    raise SystemExit(1 if bad else 0)


def _scored(
    outcomes: Path, good: Sequence[OutcomeRow], model: Path | None, seed: int, progress: Progress
) -> tuple[Sequence[OutcomeRow], Floats, dict[str, Any]]:
    """The rows to replay, their scores, and where these come from."""
    from shadow.replay.scoring import FEWEST_ROWS, cross_fitted_scores, folds_of

    if model is not None:
        return _scored_by(model, good)
    if len(good) < FEWEST_ROWS:
        raise click.UsageError(
            f"{outcomes}: {len(good)} usable lines; to fit a scorer on the others takes {FEWEST_ROWS}, or name one by --model"
        )
    folds = folds_of(len(good))
    task = progress.add_task("fitting scorers", total=folds)
    scores = cross_fitted_scores(good, seed=seed, done=lambda done, _: progress.update(task, completed=done))
    said = f"learned, each row by one fitted on the other {'half' if folds == 2 else f'{folds - 1} of {folds} parts'}"
    return good, scores, {"kind": "learned", "folds": folds, "model": None, "said": said, "notes": []}


def _scored_by(model: Path, good: Sequence[OutcomeRow]) -> tuple[Sequence[OutcomeRow], Floats, dict[str, Any]]:
    from router.errors import RouterError
    from router.scorers.learned import LearnedScorer
    from shadow.outcome_file import data_hash, on_side
    from shadow.replay.scoring import model_scores

    try:
        scorer = LearnedScorer.load(model, good[0].tiers)
    except RouterError as exc:
        raise click.UsageError(str(exc)) from exc
    held = scorer.model.provenance
    data = held.get("data")
    trained: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    rows, notes = good, []
    if trained.get("sha256") == data_hash(good):
        side, seed = trained.get("split"), trained.get("seed", 0)
        if side in {"a", "b"}:
            rows = on_side(good, "b" if side == "a" else "a", seed=seed)
            notes.append(f"the model was trained on side {side} of this file: only the other side is replayed.")
        else:
            notes.append("the model was trained on these very rows: all figures of tuning are too good.")
    if not rows:
        raise click.UsageError(f"{model}: was trained on every row of the file, none is left to replay")
    said = f"learned, model {held.get('version')}"
    return (
        rows,
        model_scores(scorer, rows),
        {"kind": "learned", "folds": None, "model": str(model), "said": said, "notes": notes},
    )


def _judged(outcomes: Path, rows: Sequence[OutcomeRow], progress: Progress) -> tuple[Floats, str, list[str]]:
    """The panel's verdicts on the logged answers, its name, and what is to be said of it."""
    from judges.registry import DEFAULT, build_panel
    from shadow.replay.verdicts import comparable, panel_verdicts

    pairs = sum(len(comparable(row)) for row in rows)
    if pairs == 0:
        raise click.UsageError(
            f"{outcomes}: no row has the completion of a cheaper tier and of the top tier: --judge panel has nothing to read"
        )
    notes = []
    wanted = len(rows) * (len(rows[0].tiers) - 1)
    if pairs < wanted:
        notes.append(f"{wanted - pairs:,} of {wanted:,} pairs have no text on one side: they get no verdict.")
    panel = build_panel(DEFAULT)
    task = progress.add_task("judging", total=None)
    verdicts = asyncio.run(
        panel_verdicts(panel, rows, lambda done, total: progress.update(task, completed=done, total=total))
    )
    return verdicts, panel.name, notes


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


def _told(progress: Progress, what: str, total: int) -> Callable[[], None]:
    task = progress.add_task(what, total=total)
    return lambda: progress.advance(task)


def _say(report: Mapping[str, Any]) -> None:
    from shadow.replay.report_text import print_replay

    console = Console(highlight=False)
    print_replay(dict(report), console if console.is_terminal else Console(highlight=False, width=_WIDTH))
