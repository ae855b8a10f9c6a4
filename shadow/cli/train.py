"""`shadow train`: which model do these outcomes make?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from shadow.cli.options import json_option
from shadow.json_lines import BadLine
from shadow.judge_file import Side

FEWEST_ROWS = 20


@click.command()
@click.argument("outcomes", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Write the model directory here."
)
@click.option("--split", type=click.Choice(["a", "b"]), help="Only one half of the questions.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the halves and of the fit.")
@json_option
def train(outcomes: Path, out: Path, split: Side | None, seed: int, as_json: bool) -> None:
    """Fit the router's scorer on OUTCOMES (JSON Lines, plain or .gz) of every tier on the same requests.

    The router takes the directory as `routing.scorer: {kind: learned, model_dir: DIR}`; its tiers must have the names of the
    file's tiers, cheapest first. Train on one half and `shadow evaluate` on the other before you trust it. Exit code 1 if any
    line was bad; the others are used all the same.
    """
    import dataclasses

    import numpy as np

    from router.scorers.model_directory import save_model
    from shadow.errors import ShadowError
    from shadow.outcome_file import OutcomeRow, data_hash, on_side, read_outcomes
    from shadow.training.evaluation import evaluate
    from shadow.training.fit import fit

    if seed < 0:
        raise click.UsageError("--seed has to be 0 or more")
    try:
        lines = list(read_outcomes(outcomes))
    except ShadowError as exc:
        raise click.UsageError(str(exc)) from exc
    bad = [line for line in lines if isinstance(line, BadLine)]
    good = [line for line in lines if isinstance(line, OutcomeRow)]
    for line in bad:
        click.echo(f"{outcomes}: line {line.line}: {line.reason}", err=True)
    rows = on_side(good, split, seed=seed)
    if len(rows) < FEWEST_ROWS:
        raise click.UsageError(f"{outcomes}: {len(rows)} usable lines, at least {FEWEST_ROWS} are needed")
    tiers = rows[0].tiers
    successes = np.array([row.successes for row in rows], dtype=float)
    fitted = fit([row.features for row in rows], successes, tiers, seed=seed)
    held_out = evaluate(
        tiers,
        chances=fitted.held_out,
        confidences=np.clip(1 - (fitted.held_out[:, -1:] - fitted.held_out), 0, 1),
        lengths=np.array([len(row.features.text) for row in rows], dtype=float),
        successes=successes,
        costs_usd=np.array([row.costs_usd for row in rows]),
        clusters=[row.cluster for row in rows],
        seed=seed,
        resamples=200,
    )
    provenance: dict[str, Any] = {
        "version": f"{data_hash(rows)[:12]}-{seed}",
        "data": {"file": outcomes.name, "sha256": data_hash(good), "rows": len(rows), "split": split, "seed": seed},
        "held_out": {"method": "five folds of the training rows", "tiers": held_out["tiers"], **held_out["routing"]},
    }
    try:
        save_model(dataclasses.replace(fitted.model, provenance=provenance), out)
    except OSError as exc:
        raise click.UsageError(f"{out}: cannot be written: {exc.strerror or exc}") from exc
    if as_json:
        report = {
            "file": str(outcomes),
            "lines": len(lines),
            "selected": len(rows),
            "bad_lines": [{"line": line.line, "reason": line.reason} for line in bad],
            "model": str(out),
            **provenance,
        }
        click.echo(json.dumps(report))
    else:
        apgr = held_out["routing"]["learned"]["apgr"]["value"]
        said = "not defined, the top tier is no better" if apgr is None else f"{apgr:.3f} (random 0.5)"
        click.echo(f"{out}: model {provenance['version']} for {', '.join(tiers)}, from {len(rows)} requests.")
        click.echo(f"APGR in five folds of them: {said}. `shadow evaluate` measures it on other requests.")
    raise SystemExit(1 if bad else 0)
