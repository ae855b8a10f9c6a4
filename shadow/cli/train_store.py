"""`shadow train --from-store`: which model do the store's mirrored requests make?"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shadow.cli.database import store_url
from shadow.errors import ConfigError
from shadow.judging.pair_file import Side, side_of
from shadow.settings import Settings

if TYPE_CHECKING:
    from shadow.store.training_rows import JudgedRequest
    from shadow.training.from_store import Lesson


def train_from_store(
    settings: Settings, out: Path, *, days: float, split: Side | None, seed: int, embedding: str, as_json: bool
) -> None:
    """Gather, say what there is, fit, write. Raises: ConfigError where there is too little to learn from."""
    from shadow.cli.train import embedder, say, write
    from shadow.training.from_store import lesson, missing, without_texts
    from shadow.training.trained import train_model

    engine = embedder(embedding)
    with store_url(settings) as url:
        found = asyncio.run(_gather(url, days))
    learned = lesson(found, settings.tier_names, wanted=lambda f: split is None or side_of(f.text, seed=seed) == split)
    for line in _account(settings, found, learned, days):
        click.echo(line, err=as_json)
    if (
        problem := without_texts(learned, kept=settings.sampling.store_text) or missing(learned, days=days)
    ) is not None:
        raise ConfigError(f"nothing was trained: {problem}")
    data: dict[str, Any] = {
        "source": "store",
        "days": days,
        "sha256": learned.data_hash(),
        "rows": len(learned.requests),
        "labels": learned.labels,
        "verdicts": learned.verdicts,
        "assumed": learned.assumed,
        "clipped_weights": learned.clipped,
        "left_out": dict(learned.left_out),
        "split": split,
        "seed": seed,
    }
    trained = train_model(
        learned.requests,
        learned.observed,
        seed=seed,
        embedder=engine,
        data=data,
        version=f"{data['sha256'][:12]}-{seed}",
    )
    write(trained, out)
    if as_json:
        click.echo(json.dumps({"model": str(out), **trained.model.provenance}))
    else:
        say(trained, out, f"{len(learned.requests)} mirrored requests")


async def _gather(url: str, days: float) -> list[JudgedRequest]:
    from shadow.store.engine import engine_for, utc_now
    from shadow.store.training_rows import judged_requests

    engine, now = engine_for(url, pool_size=1), utc_now()
    try:
        async with engine.connect() as connection:
            return [row async for row in judged_requests(connection, since=now - timedelta(days=days), until=now)]
    finally:
        await engine.dispose()


def _account(settings: Settings, found: list[JudgedRequest], learned: Lesson, days: float) -> list[str]:
    """What was there, and what became of it."""
    from shadow.training.from_store import LARGEST_WEIGHT_RATIO

    top = settings.tier_names[-1]
    lines = [
        f"{len(found)} mirrored requests in {days:g} days, {len(learned.requests)} used: outcomes from {learned.labels} labels,"
        f" {learned.verdicts} verdicts of the panel, {learned.assumed} answers of the reference taken at its usual quality."
    ]
    lines += [f"{count} left out: {reason}." for reason, count in sorted(learned.left_out.items())]
    if learned.clipped:
        lines.append(
            f"{learned.clipped} weights were clipped at {LARGEST_WEIGHT_RATIO:g} times the median of their tier."
        )
    if not learned.labels:
        lines.append(
            f"No labels: the panel decides what is right, and {top} counts as right wherever nobody judged it."
        )
    if settings.sampling.store_text == "redacted":
        lines.append(
            "sampling.store_text is redacted: the model learns from redacted texts, the router sees whole ones."
        )
    return lines
