"""`shadow evaluate`: how good is a scorer on these outcomes, and which thresholds fit it?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from shadow.cli.options import json_option, report_console
from shadow.cli.plot_file import open_drawing
from shadow.cli.train import embedder, embedding_option, read_file
from shadow.judging.pair_file import Side


@click.command()
@click.argument("outcomes", type=click.Path(path_type=Path))
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The directory that train wrote. Without it: the heuristic.",
)
@click.option("--split", type=click.Choice(["a", "b"]), help="Only one half of the questions.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the halves and of the bootstrap.")
@click.option("--resamples", type=click.IntRange(0), default=1000, show_default=True, help="Of the bootstrap.")
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw cost and accuracy, as .svg or .png."
)
@click.option(
    "--repeat",
    type=click.IntRange(2),
    metavar="K",
    help="Instead of a model: train on one half and measure on the other, K times, and give means.",
)
@embedding_option
@json_option
def evaluate(
    outcomes: Path,
    model: Path | None,
    split: Side | None,
    seed: int,
    resamples: int,
    plot: Path | None,
    repeat: int | None,
    embedding: str,
    *,
    as_json: bool,
) -> None:
    """Measure a scorer on OUTCOMES (JSON Lines, plain or .gz), each figure with a 95 % interval.

    AUC and calibration error of each tier's chance of success; APGR, CPT50 and CPT80 of the routing, beside the length of the
    request alone; cost and accuracy by threshold; the thresholds that reach some targets. Thresholds belong to a scorer: set
    them anew after each training. --embedding is for --repeat; a model says itself which one it needs. Exit code 1 if any line
    was bad; the others are used all the same.
    """
    if seed < 0:
        raise click.UsageError("--seed has to be 0 or more")
    if repeat is not None and (model is not None or split is not None or plot is not None):
        raise click.UsageError("--repeat trains models of its own: it goes without --model, --split and --plot")
    lines, good, bad = read_file(outcomes)
    listed = [{"line": line.line, "reason": line.reason} for line in bad]
    about = {"file": str(outcomes), "lines": lines, "selected": len(good), "bad_lines": listed}
    if repeat is not None:
        report = {**about, "embedding": embedding, **_repeated(outcomes, good, seed, repeat, embedding)}
    else:
        with ExitStack() as stack:
            drawing = open_drawing(plot, stack)
            report = {**about, **_measured(outcomes, good, model, split, seed, resamples)}
            if drawing is not None:
                from shadow.training.curve_svg import curve_svg

                drawing.write(curve_svg(report))
    if as_json:
        click.echo(json.dumps(report))
    else:
        _say(report)
    raise SystemExit(1 if bad else 0)


def _measured(
    outcomes: Path, good: list[Any], model: Path | None, split: Side | None, seed: int, resamples: int
) -> dict[str, Any]:
    import numpy as np

    from router.errors import RouterError
    from router.scorers.heuristic import HeuristicScorer
    from router.scorers.learned import LearnedScorer
    from shadow.outcome_file import data_hash, on_side
    from shadow.training.evaluation import evaluate as figures
    from shadow.training.observed import of_rows

    rows = on_side(good, split, seed=seed)
    if not rows:
        raise click.UsageError(f"{outcomes}: no usable line")
    scorer: LearnedScorer | HeuristicScorer = HeuristicScorer.of(rows[0].tiers)
    named: dict[str, Any] = {"kind": "heuristic"}
    overlap = False
    if model is not None:
        try:
            scorer = LearnedScorer.load(model, rows[0].tiers)
        except RouterError as exc:
            raise click.UsageError(str(exc)) from exc
        held = scorer.model.provenance
        named = {"kind": "learned", "directory": str(model), "version": held.get("version"), "data": held.get("data")}
        named["embedding"] = str(scorer.model.embedding) if scorer.model.embedding else None
        overlap = _overlaps(held.get("data"), data_hash(good), split, seed)
    return {
        "selected": len(rows),
        "model": named,
        "trained_on_these": overlap,
        **figures(
            of_rows(rows),
            np.array([list(scorer.chances(row.features).values()) for row in rows]),
            np.array([list(scorer.scores(row.features).values()) for row in rows]),
            seed=seed,
            resamples=resamples,
        ),
    }


def _repeated(outcomes: Path, good: list[Any], seed: int, repeat: int, embedding: str) -> dict[str, Any]:
    from shadow.cli.train import FEWEST_ROWS
    from shadow.training.fit import design
    from shadow.training.halves import repeated_halves

    if len(good) < 2 * FEWEST_ROWS:
        raise click.UsageError(f"{outcomes}: {len(good)} usable lines, at least {2 * FEWEST_ROWS} are needed")
    console = report_console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("halves", total=repeat)
        known = design([row.features for row in good], embedder(embedding))
        return repeated_halves(good, known, seed=seed, repeat=repeat, done=lambda: progress.advance(task))


def _say(report: Mapping[str, Any]) -> None:
    from shadow.training.evaluation_text import print_evaluation, print_halves

    if "repeat" in report:
        print_halves(report, report_console())
        return
    print_evaluation(report, report_console())
    if report["trained_on_these"]:
        click.echo("The model was trained on some of these requests: the figures are too good. See --split.")


def _overlaps(trained: Any, now: str, split: Side | None, seed: int) -> bool:
    """Whether the model has seen some of the rows, as far as its directory tells: the same file, and not the other half."""
    if not isinstance(trained, Mapping) or trained.get("sha256") != now:
        return False
    apart = split is not None and trained.get("split") not in (None, split) and trained.get("seed") == seed
    return not apart
