"""`shadow evaluate`: how good is a trained scorer on these outcomes?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from shadow.cli.options import json_option, report_console
from shadow.json_lines import BadLine
from shadow.judge_file import Side


@click.command()
@click.argument("outcomes", type=click.Path(path_type=Path))
@click.option(
    "--model", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The directory that train wrote."
)
@click.option("--split", type=click.Choice(["a", "b"]), help="Only one half of the questions.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the halves and of the bootstrap.")
@click.option("--resamples", type=click.IntRange(0), default=1000, show_default=True, help="Of the bootstrap.")
@json_option
def evaluate(outcomes: Path, model: Path, split: Side | None, seed: int, resamples: int, as_json: bool) -> None:
    """Measure a model of `shadow train` on OUTCOMES (JSON Lines, plain or .gz).

    AUC and calibration error of each tier's chance of success; APGR, CPT50 and CPT80 of the routing, beside the length of the
    request alone; cost and accuracy by threshold. Exit code 1 if any line was bad; the others are used all the same.
    """
    import numpy as np

    from router.errors import RouterError
    from router.scorers.learned import LearnedScorer
    from shadow.errors import ShadowError
    from shadow.outcome_file import OutcomeRow, data_hash, on_side, read_outcomes
    from shadow.training.evaluation import evaluate as figures
    from shadow.training.evaluation_text import print_evaluation

    if seed < 0:
        raise click.UsageError("--seed has to be 0 or more")
    try:
        lines = list(read_outcomes(outcomes))
        good = [line for line in lines if isinstance(line, OutcomeRow)]
        bad = [line for line in lines if isinstance(line, BadLine)]
        for line in bad:
            click.echo(f"{outcomes}: line {line.line}: {line.reason}", err=True)
        rows = on_side(good, split, seed=seed)
        if not rows:
            raise click.UsageError(f"{outcomes}: no usable line")
        scorer = LearnedScorer.load(model, rows[0].tiers)
    except (ShadowError, RouterError) as exc:
        raise click.UsageError(str(exc)) from exc
    tiers = rows[0].tiers
    chances = np.array([list(scorer.chances(row.features).values()) for row in rows])
    provenance = scorer.model.provenance
    report = {
        "file": str(outcomes),
        "lines": len(lines),
        "selected": len(rows),
        "bad_lines": [{"line": line.line, "reason": line.reason} for line in bad],
        "model": {"directory": str(model), "version": provenance.get("version"), "data": provenance.get("data")},
        "trained_on_these": _overlaps(provenance.get("data"), data_hash(good), split, seed),
        **figures(
            tiers,
            chances=chances,
            confidences=np.array([list(scorer.scores(row.features).values()) for row in rows]),
            lengths=np.array([len(row.features.text) for row in rows], dtype=float),
            successes=np.array([row.successes for row in rows], dtype=float),
            costs_usd=np.array([row.costs_usd for row in rows]),
            clusters=[row.cluster for row in rows],
            seed=seed,
            resamples=resamples,
        ),
    }
    if as_json:
        click.echo(json.dumps(report))
    else:
        print_evaluation(report, report_console())
        if report["trained_on_these"]:
            click.echo("The model was trained on some of these requests: the figures are too good. See --split.")
    raise SystemExit(1 if bad else 0)


def _overlaps(trained: Any, now: str, split: Side | None, seed: int) -> bool:
    """Whether the model has seen some of the rows, as far as its directory tells: the same file, and not the other half."""
    if not isinstance(trained, Mapping) or trained.get("sha256") != now:
        return False
    apart = split is not None and trained.get("split") not in (None, split) and trained.get("seed") == seed
    return not apart
