"""`shadow train`: which model do these outcomes make?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from shadow.cli.options import config_option, json_option
from shadow.json_lines import BadLine
from shadow.judging.pair_file import Side
from shadow.settings import load

if TYPE_CHECKING:
    from shadow.training.trained import Trained

FEWEST_ROWS = 20
EmbeddingChoice = Literal["none", "static", "minilm"]
embedding_option = click.option(
    "--embedding",
    type=click.Choice(["none", "static", "minilm"]),
    default="none",
    show_default=True,
    help="Vector of the text beside its signs and pieces; minilm costs the router 3 ms a request.",
)


@click.command()
@click.argument("outcomes", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Write the model directory here."
)
@click.option("--split", type=click.Choice(["a", "b"]), help="Only one half of the questions.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the halves and of the fit.")
@click.option("--from-store", is_flag=True, help="Learn from the store's mirrored requests instead of a file.")
@click.option(
    "--days", type=click.FloatRange(min=0, min_open=True), default=28, show_default=True, help="Of the store."
)
@embedding_option
@config_option
@json_option
def train(
    outcomes: Path | None,
    out: Path,
    split: Side | None,
    seed: int,
    days: float,
    embedding: EmbeddingChoice,
    config: Path,
    *,
    from_store: bool,
    as_json: bool,
) -> None:
    """Fit the router's scorer on OUTCOMES (JSON Lines, plain or .gz) of every tier on the same requests, or on the store.

    The router takes the directory as `routing.scorer: {kind: learned, model_dir: DIR}`; its tiers must have the names of the
    file's tiers, cheapest first. Train on one half and `shadow evaluate` on the other before you trust it. Exit code 1 if any
    line was bad; the others are used all the same.

    With --from-store an outcome is what reviewers said of an answer, else the panel's calibrated probability, weighted by the
    inverse of the chance that it was mirrored. Texts must have been kept (sampling.store_text).
    """
    if from_store == (outcomes is not None):
        raise click.UsageError("name a file of outcomes, or say --from-store, and not both")
    if seed < 0:
        raise click.UsageError("--seed has to be 0 or more")
    if outcomes is None:
        from shadow.cli.train_store import train_from_store

        train_from_store(load(config), out, days=days, split=split, seed=seed, embedding=embedding, as_json=as_json)
    else:
        _train_from_file(outcomes, out, split, seed, embedding, as_json=as_json)


def _train_from_file(
    outcomes: Path, out: Path, split: Side | None, seed: int, embedding: EmbeddingChoice, *, as_json: bool
) -> None:
    from shadow.outcome_file import data_hash, on_side
    from shadow.training.observed import of_rows
    from shadow.training.trained import train_model

    lines, good, bad = read_file(outcomes)
    rows = on_side(good, split, seed=seed)
    if len(rows) < FEWEST_ROWS:
        raise click.UsageError(f"{outcomes}: {len(rows)} usable lines, at least {FEWEST_ROWS} are needed")
    trained = train_model(
        [row.features for row in rows],
        of_rows(rows),
        seed=seed,
        embedder=embedder(embedding),
        data={"file": outcomes.name, "sha256": data_hash(good), "rows": len(rows), "split": split, "seed": seed},
        version=f"{data_hash(rows)[:12]}-{seed}",
    )
    write(trained, out)
    if as_json:
        listed = [{"line": line.line, "reason": line.reason} for line in bad]
        about = {"file": str(outcomes), "lines": lines, "selected": len(rows), "bad_lines": listed, "model": str(out)}
        click.echo(json.dumps({**about, **trained.model.provenance}))
    else:
        say(trained, out, f"{len(rows)} requests")
    raise SystemExit(1 if bad else 0)


def read_file(outcomes: Path) -> tuple[int, list[Any], list[BadLine]]:
    """How many lines, the good rows, the bad lines, which are named on stderr. Raises: UsageError."""
    from shadow.errors import ShadowError
    from shadow.outcome_file import OutcomeRow, read_outcomes

    try:
        lines = list(read_outcomes(outcomes))
    except ShadowError as exc:
        raise click.UsageError(str(exc)) from exc
    bad = [line for line in lines if isinstance(line, BadLine)]
    for line in bad:
        click.echo(f"{outcomes}: line {line.line}: {line.reason}", err=True)
    return len(lines), [line for line in lines if isinstance(line, OutcomeRow)], bad


def embedder(name: str) -> Any:
    """The engine, None for "none". Raises: UsageError that says what to install."""
    from router.embedding.choice import EmbeddingKind, embedder_for
    from router.errors import EmbeddingUnavailable

    if name == "none":
        return None
    try:
        return embedder_for(cast("EmbeddingKind", name))
    except EmbeddingUnavailable as exc:
        raise click.UsageError(f"--embedding {name}: {exc}") from exc


def write(trained: Trained, out: Path) -> None:
    """Write the model directory. Raises: UsageError."""
    from router.scorers.model_directory import save_model

    try:
        save_model(trained.model, out)
    except OSError as exc:
        raise click.UsageError(f"{out}: cannot be written: {exc.strerror or exc}") from exc


def say(trained: Trained, out: Path, source: str) -> None:
    """Two lines: what was written, and how good it looks."""
    model = trained.model
    with_embedding = f", with the embedding {model.embedding}" if model.embedding else ""
    click.echo(
        f"{out}: model {model.provenance['version']} for {', '.join(model.tiers)}, from {source}{with_embedding}."
    )
    apgr = trained.apgr
    if apgr["value"] is None:
        said = "not defined, the top tier is no better"
    elif apgr["low"] is None or apgr["high"] is None:
        said = f"{apgr['value']:.3f} (random 0.5)"
    else:
        said = f"{apgr['value']:.3f} (95 % interval {apgr['low']:.3f} to {apgr['high']:.3f}; random 0.5)"
    click.echo(f"APGR in five folds of them: {said}. `shadow evaluate` measures it on other requests.")
