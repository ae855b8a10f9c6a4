"""`shadow judge --from-store`: which labelled answers and which panel does the store give?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.database import store_url
from shadow.errors import ConfigError
from shadow.settings import Settings, load

if TYPE_CHECKING:
    from judges.engines import Engine
    from judges.panel import Panel
    from judges.verdicts import Target
    from shadow.json_lines import BadLine
    from shadow.judging.pair_file import Pair
    from shadow.judging.store import StorePairs


def from_store(
    config: Path, *, days: float, calibration: Path | None, target: Target | None, threads: int, engine: Engine
) -> tuple[list[Pair | BadLine], Panel]:
    """The labelled pairs of the last days, and the configured panel. Raises: ConfigError where there is no label."""
    from judges.registry import KNOWN, PAID, build_panel
    from judges.stages import kind_of
    from judges.verdicts import Target

    settings = load(config)
    judging = settings.judges
    with store_url(settings) as url:
        found = asyncio.run(_gather(url, settings, days))
    for reason, count in sorted(found.left_out.items()):
        click.echo(f"{count} labelled answers are left out: {reason}", err=True)
    if not found.pairs:
        raise ConfigError(f"no labelled answer of the last {days:g} days has a verdict and its texts: nothing to judge")
    free = build_panel(
        [name for name in judging.panel if name not in PAID],
        calibration=calibration or judging.calibration,
        target=target or Target(agreement=judging.target_agreement, confidence=judging.target_confidence),
        threads=threads,
        engine=engine,
    )
    recorded = [judge for judge in found.recorded if kind_of(judge.name) in judging.panel]
    together = sorted([*free.judges, *recorded], key=lambda judge: KNOWN.index(kind_of(judge.name)))
    return list(found.pairs), free.of(together)


async def _gather(url: str, settings: Settings, days: float) -> StorePairs:
    from shadow.judging.store import labelled_pairs
    from shadow.store.engine import engine_for, utc_now

    engine, now = engine_for(url, pool_size=1), utc_now()
    try:
        async with engine.connect() as connection:
            return await labelled_pairs(connection, settings, since=now - timedelta(days=days), until=now)
    finally:
        await engine.dispose()
