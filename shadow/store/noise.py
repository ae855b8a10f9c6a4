"""What did the control arm find? Sums over requests that the reference answered twice, by tier and query type.

Which answer is held against which, and how divergence follows from the panel's probability: `shadow.statistics.noise_floor`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.statistics.noise_floor import NOISE_FIELDS, NoiseSums
from shadow.store.rollup_windows import window_of
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
    rows = window_of(rollup_noise, (*keys, "mode", *NOISE_FIELDS)).subquery("rows")
    by = [rows.c[name] for name in keys]
    query = sa.select(*by, *(sa.func.sum(rows.c[name]).label(name) for name in NOISE_FIELDS)).where(rows.c.mode == mode)
    query = query.group_by(*by).order_by(*by)
    return [
        Noise(
            tier=row["tier"],
            query_type=row["query_type"],
            sums=NoiseSums(**{name: row[name] for name in NOISE_FIELDS}),
        )
        for row in (await connection.execute(query, {"since": since, "until": until})).mappings()
    ]
