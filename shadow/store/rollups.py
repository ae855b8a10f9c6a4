"""What are the sums of a window? Read from roll-ups only, compacted days where there are any, never from raw rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.statistics.histogram import Histogram
from shadow.statistics.pair_sums import PAIR_FIELDS, PairSums
from shadow.statistics.sums import SUM_FIELDS, Sums
from shadow.store.rollup_sql import KEY
from shadow.store.rollup_windows import summed, window_of, window_sql
from shadow.store.schema import rollup_observed, rollup_routes, rollup_shadow, rollups
from shadow.store.schema_rollups import rollup_histograms, rollup_pairs, rollup_strata

Mode = Literal["route", "observe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Sums of a window for one combination of keys; keys that were not asked for are None.

    served_tier: only in mode observe, where `tier` is the one decided for.
    """

    tier: str
    query_type: str | None
    band: str | None
    model: str | None
    feature: str | None
    sums: Sums
    served_tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSlice:
    """Sums of a window over pairs of the answer that was served and another tier's to the same request, of one arm."""

    tier: str
    other_tier: str
    arm: str
    query_type: str
    band: str
    sums: PairSums


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramSlice:
    """How something is distributed over a window.

    kind: confidence (of the predicted tier, by the tier that served), probability (the panel's, of a tier's answers against the
    reference tier's), latency and first_token (seconds, by the tier that served; other_tier is "").
    """

    kind: str
    tier: str
    other_tier: str
    histogram: Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Requests of a window that were predicted for one tier and served by another (or by none: "")."""

    predicted_tier: str
    served_tier: str
    reason: str
    status: str
    requests: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelRow:
    """Samples of a window by serving tier, arm and state, with what they cost."""

    served_tier: str
    arm: str
    state: str
    samples: int
    labelled: int
    mirror_usd: Decimal
    judge_usd: Decimal


async def window_sums(
    connection: AsyncConnection,
    *,
    since: datetime,
    until: datetime,
    by: tuple[str, ...] = ("tier", "query_type", "band"),
    mode: Mode = "route",
) -> list[Slice]:
    """Sums of a window per combination of `by`, of requests of one mode. Cost: far less without model and feature in `by`."""
    table = rollup_strata if {"model", "feature"}.isdisjoint(by) else rollups
    rows = await summed(connection, table, by, SUM_FIELDS, since=since, until=until, mode=mode)
    return [
        Slice(**{name: row[name] if name in by else None for name in KEY}, sums=Sums.from_row(dict(row)))  # type: ignore[arg-type]
        for row in rows
    ]


async def window_observed(connection: AsyncConnection, *, since: datetime, until: datetime) -> list[Slice]:
    """Sums of the requests of mode observe, per tier decided for, tier that served, query type and band."""
    by = ("tier", "served_tier", "query_type", "band")
    return [
        Slice(**{name: row[name] for name in by}, model=None, feature=None, sums=Sums.from_row(dict(row)))
        for row in await summed(connection, rollup_observed, by, SUM_FIELDS, since=since, until=until)
    ]


async def window_pairs(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode = "route"
) -> list[PairSlice]:
    """Sums over pairs of tiers of a window, per pair, arm, query type and band."""
    by = ("tier", "other_tier", "arm", "query_type", "band")
    rows = await summed(connection, rollup_pairs, by, PAIR_FIELDS, since=since, until=until, mode=mode)
    return [PairSlice(**{name: row[name] for name in by}, sums=PairSums.from_row(dict(row))) for row in rows]


async def window_histograms(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode = "route"
) -> list[HistogramSlice]:
    """Score and latency histograms of a window, per kind, tier and other tier; models are added up."""
    rows = window_sql(rollup_histograms, ("kind", "tier", "other_tier", "mode", "counts"))
    statement = f"""
        SELECT kind, tier, other_tier, array_agg(n ORDER BY bin) AS counts FROM (
            SELECT kind, tier, other_tier, bin, sum(n)::bigint AS n
            FROM ({rows}) AS r CROSS JOIN LATERAL unnest(counts) WITH ORDINALITY AS u (n, bin)
            WHERE mode = :mode GROUP BY 1, 2, 3, 4
        ) AS binned GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """  # noqa: S608 - built from the tables of this package
    found = await connection.execute(sa.text(statement), {"since": since, "until": until, "mode": mode})
    return [
        HistogramSlice(
            kind=row.kind,
            tier=row.tier,
            other_tier=row.other_tier,
            histogram=Histogram(counts=np.array(row.counts, dtype=np.int64)),
        )
        for row in found
    ]


async def window_modes(connection: AsyncConnection, *, since: datetime, until: datetime) -> frozenset[str]:
    """The modes in which requests of a window were served."""
    rows = window_of(rollup_routes, ("mode",)).subquery("rows")
    return frozenset(await connection.scalars(sa.select(rows.c.mode).distinct(), {"since": since, "until": until}))


async def window_routes(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode = "route"
) -> list[Route]:
    """Who was predicted and who served, over a window."""
    by = ("predicted_tier", "served_tier", "reason", "status")
    rows = await summed(connection, rollup_routes, by, ("requests", "cost_usd"), since=since, until=until, mode=mode)
    return [Route(**{**row, "requests": int(row["requests"])}) for row in rows]


async def window_funnel(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode = "route"
) -> list[FunnelRow]:
    """The funnel and the shadow ledger over a window."""
    by, counts = ("served_tier", "arm", "state"), ("samples", "labelled")
    rows = await summed(
        connection, rollup_shadow, by, (*counts, "mirror_usd", "judge_usd"), since=since, until=until, mode=mode
    )
    return [FunnelRow(**{**row, **{name: int(row[name]) for name in counts}}) for row in rows]
