"""Which share of each stratum is mirrored upwards on a day? Written before the day begins, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.rollup_windows import window_sql
from shadow.store.schema import rollup_shadow, sampling_rates
from shadow.store.schema_rollups import rollup_strata

#: Tier that served, query type, band of confidence.
Stratum = tuple[str, str, str]

_STRATA = f"""
SELECT tier, query_type, band, sum(requests) AS requests, sum(judged) AS judged, sum(w) AS w, sum(wp) AS wp
FROM ({window_sql(rollup_strata, ("tier", "query_type", "band", "mode", "requests", "judged", "w", "wp"))}) AS sums
WHERE mode = 'route' GROUP BY 1, 2, 3
"""  # noqa: S608 - built from the tables of this package
_COSTS = f"""
SELECT served_tier, sum(mirror_usd + judge_usd) / nullif(sum(samples), 0) AS usd
FROM ({window_sql(rollup_shadow, ("served_tier", "arm", "mirror_usd", "judge_usd", "samples"))}) AS sums
WHERE arm = 'up' GROUP BY 1
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumHistory:
    """A stratum over a window. accepted: share of its judged samples that the panel accepts, None without any. sample_usd: mean
    cost of a sample of its tier, 0 where none was made."""

    stratum: Stratum
    requests: float
    judged: float
    accepted: float | None
    sample_usd: float


async def histories(connection: AsyncConnection, *, since: datetime, until: datetime) -> list[StratumHistory]:
    """Every stratum that was served in the window, from the sums."""
    window = {"since": since, "until": until}
    usd = {row.served_tier: float(row.usd or 0) for row in await connection.execute(sa.text(_COSTS), window)}
    return [
        StratumHistory(
            stratum=(row.tier, row.query_type, row.band),
            requests=row.requests,
            judged=row.judged,
            accepted=row.wp / row.w if row.w > 0 else None,
            sample_usd=usd.get(row.tier, 0.0),
        )
        for row in await connection.execute(sa.text(_STRATA), window)
    ]


async def store_rates(connection: AsyncConnection, day: date, rates: Mapping[Stratum, float]) -> bool:
    """Write a day's rates; False where the day has some already, which stay: probabilities are fixed in advance."""
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('sampling rates'))"))
    known = await connection.scalar(sa.select(sa.func.count()).where(sampling_rates.c.day == day))
    if known or not rates:
        return False
    rows = [
        {"day": day, "tier": tier, "query_type": query_type, "band": band, "up": up}
        for (tier, query_type, band), up in rates.items()
    ]
    await connection.execute(insert(sampling_rates), rows)
    return True


async def rates_of(connection: AsyncConnection, day: date) -> dict[Stratum, float]:
    """A day's rates; empty where none were written."""
    own = sampling_rates.c
    query = sa.select(own.tier, own.query_type, own.band, own.up).where(own.day == day)
    return {(tier, query_type, band): up for tier, query_type, band, up in await connection.execute(query)}
