"""What did the control arm find? Sums over requests that the reference answered twice, by tier and query type.

Which answer is held against which, and how divergence follows from the panel's probability: `shadow.statistics.noise_floor`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.statistics.noise_floor import NOISE_FIELDS, NoiseSums
from shadow.store.rollup_windows import summed
from shadow.store.rollups import Mode
from shadow.store.schema_money import rollup_noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Sums of a window for one tier and query type. tier: that served; in mode observe the one decided for."""

    tier: str
    query_type: str
    sums: NoiseSums


async def window_noise(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode = "route"
) -> list[Noise]:
    """What the control arm found over a window. Reads roll-ups only."""
    keys = ("tier", "query_type")
    rows = await summed(connection, rollup_noise, keys, NOISE_FIELDS, since=since, until=until, mode=mode)
    return [
        Noise(
            tier=row["tier"],
            query_type=row["query_type"],
            sums=NoiseSums(**{name: row[name] for name in NOISE_FIELDS}),
        )
        for row in rows
    ]
