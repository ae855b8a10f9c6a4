"""How do raw rows become additive sums? Each changed bucket is computed anew, whole, in one transaction.

That makes a roll-up idempotent (the same rows give the same sums) and incremental (buckets nobody touched are not read).
A bucket's sums are those of `shadow.statistics.sums.Sums`; any longer window is their sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.statistics.sums import SUM_FIELDS, Sums
from shadow.store.moves import MOVES
from shadow.store.noise_sums import NOISE
from shadow.store.schema import rollup_observed, rollup_routes, rollups

Mode = Literal["route", "observe"]
#: Keys of a roll-up row, beside the bucket and the mode.
KEY = ("tier", "model", "query_type", "feature", "band")


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


async def recompute_changed(connection: AsyncConnection, *, bucket_seconds: int, limit: int = 200) -> int:
    """Compute up to `limit` marked buckets, oldest first; returns how many. Call inside a transaction, commit after it."""
    width = timedelta(seconds=bucket_seconds)
    claimed = await connection.scalars(_CLAIM, {"limit": limit, "width": width})
    starts = set(claimed)
    for start in sorted(starts):
        window = {"start": start, "end": start + width}
        for statement in _STATEMENTS:
            await connection.execute(statement, window)
    return len(starts)


async def window_sums(
    connection: AsyncConnection,
    *,
    since: datetime,
    until: datetime,
    by: tuple[str, ...] = ("tier", "query_type", "band"),
    mode: Mode = "route",
) -> list[Slice]:
    """Sums of a window per combination of `by`, of requests of one mode. Reads roll-ups only, never raw rows."""
    keys = [rollups.c[name] for name in by]
    sums = [sa.func.sum(rollups.c[name]).label(name) for name in SUM_FIELDS]
    query = (
        sa.select(*keys, *sums)
        .where(rollups.c.bucket_start >= since, rollups.c.bucket_start < until, rollups.c.mode == mode)
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        Slice(**{name: row[name] if name in by else None for name in KEY}, sums=Sums.from_row(dict(row)))  # type: ignore[arg-type]
        for row in (await connection.execute(query)).mappings()
    ]


async def window_observed(connection: AsyncConnection, *, since: datetime, until: datetime) -> list[Slice]:
    """Sums of the requests of mode observe, per tier decided for, tier that served, query type and band."""
    by = ("tier", "served_tier", "query_type", "band")
    table = rollup_observed.c
    keys = [table[name] for name in by]
    query = (
        sa.select(*keys, *(sa.func.sum(table[name]).label(name) for name in SUM_FIELDS))
        .where(table.bucket_start >= since, table.bucket_start < until)
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        Slice(**{name: row[name] for name in by}, model=None, feature=None, sums=Sums.from_row(dict(row)))
        for row in (await connection.execute(query)).mappings()
    ]


async def window_modes(connection: AsyncConnection, *, since: datetime, until: datetime) -> frozenset[str]:
    """The modes in which requests of a window were served."""
    query = sa.select(rollup_routes.c.mode).distinct()
    query = query.where(rollup_routes.c.bucket_start >= since, rollup_routes.c.bucket_start < until)
    return frozenset(await connection.scalars(query))


async def window_routes(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode = "route"
) -> list[Route]:
    """Who was predicted and who served, over a window."""
    rows = await connection.execute(
        sa.text(
            "SELECT predicted_tier, served_tier, reason, status, sum(requests)::bigint AS requests, sum(cost_usd) AS cost_usd "
            "FROM rollup_routes WHERE bucket_start >= :since AND bucket_start < :until AND mode = :mode "
            "GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        ),
        {"since": since, "until": until, "mode": mode},
    )
    return [Route(**row) for row in rows.mappings()]


async def window_funnel(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode = "route"
) -> list[FunnelRow]:
    """The funnel and the shadow ledger over a window."""
    rows = await connection.execute(
        sa.text(
            "SELECT served_tier, arm, state, sum(samples)::bigint AS samples, sum(labelled)::bigint AS labelled, "
            "sum(mirror_usd) AS mirror_usd, sum(judge_usd) AS judge_usd "
            "FROM rollup_shadow WHERE bucket_start >= :since AND bucket_start < :until AND mode = :mode "
            "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ),
        {"since": since, "until": until, "mode": mode},
    )
    return [FunnelRow(**row) for row in rows.mappings()]


# A bucket is claimed with all its marks, so that none is computed twice. Buckets start at midnight UTC.
_CLAIM = sa.text(
    """
    WITH changed AS (
        SELECT DISTINCT date_bin(:width, bucket_start, 'epoch') AS start FROM rollup_queue ORDER BY 1 LIMIT :limit
    )
    DELETE FROM rollup_queue q USING changed
    WHERE q.bucket_start >= changed.start AND q.bucket_start < changed.start + :width
    RETURNING changed.start
    """
)
# What each sample contributes. Letters stand for their factors: wvpp = w * v * p * p; see Sums.
_FACTOR = {"w": "w", "v": "v", "p": "p", "y": "y"}
_COUNTS = {
    "sampled": "count(*)",
    "mirrored": "count(*) FILTER (WHERE state IN ('mirrored', 'judged', 'abstained'))",
    "judged": "count(*) FILTER (WHERE decided)",
    "abstained": "count(*) FILTER (WHERE NOT decided AND state = 'abstained')",
    "failed": "count(*) FILTER (WHERE NOT decided AND state IN ('failed', 'shed'))",
    "labelled": "count(*) FILTER (WHERE y IS NOT NULL)",
    "priced": "count(*) FILTER (WHERE priced)",
}
_PRICED = {
    "d": "w",
    "d_ref": "w * c_ref",
    "d_served": "w * c_served",
    "dd": "w * w",
    "dd_ref": "w * w * c_ref",
    "dd_served": "w * w * c_served",
    "dd_ref_ref": "w * w * c_ref * c_ref",
    "dd_ref_served": "w * w * c_ref * c_served",
    "dd_served_served": "w * w * c_served * c_served",
}
_REQUESTS = ("requests", "cost_usd", "cost_usd_squared")


def _term(name: str) -> str:
    if name in _COUNTS:
        return _COUNTS[name]
    if name in _PRICED:
        return f"sum({_PRICED[name]}) FILTER (WHERE priced)"
    undecided = name.startswith("u_")
    product = " * ".join(_FACTOR[letter] for letter in name.removeprefix("u_"))
    return f"sum({product}) FILTER (WHERE {'NOT ' if undecided else ''}decided)"


_SAMPLE_FIELDS = tuple(name for name in SUM_FIELDS if name not in _REQUESTS)
_OBSERVED_KEY = ("tier", "served_tier", "query_type", "feature", "band")


def _insertion(table: str, key: tuple[str, ...], traffic: str, sampled: str) -> str:
    """Exact counts of all requests beside the sums over samples, per key."""
    keys = ", ".join(key)
    return f"""
WITH traffic AS ({traffic}), sampled AS ({sampled}), summed AS (
    SELECT {keys}, {", ".join(f"coalesce({_term(name)}, 0) AS {name}" for name in _SAMPLE_FIELDS)}
    FROM sampled GROUP BY {keys}
)
INSERT INTO {table} (bucket_start, {keys}, {", ".join(SUM_FIELDS)})
SELECT CAST(:start AS timestamptz), {keys},
    {", ".join(f"coalesce(traffic.{name}, 0)" for name in _REQUESTS)},
    {", ".join(f"coalesce(summed.{name}, 0)" for name in _SAMPLE_FIELDS)}
FROM traffic FULL JOIN summed USING ({keys})
"""  # noqa: S608 - built from constants of this module


_ROLLUP = _insertion(
    "rollups",
    (*KEY, "mode"),
    """
    SELECT served_tier AS tier, coalesce(served_model, '') AS model, query_type, coalesce(feature, '') AS feature, band, mode,
           count(*) AS requests, sum(cost_usd) AS cost_usd, sum(cost_usd * cost_usd) AS cost_usd_squared
    FROM exchanges WHERE started_at >= :start AND started_at < :end AND status = 'answered'
    GROUP BY 1, 2, 3, 4, 5, 6
    """,
    """
    SELECT s.served_tier AS tier, s.served_model AS model, s.query_type, s.feature, s.band, s.mode, s.state,
           1.0::float8 / s.pi AS w,
           CASE WHEN l.label IS NULL THEN 0 ELSE 1.0::float8 / (s.pi * s.eta) END AS v,
           l.label::float8 AS y,
           a.probability AS p,
           a.probability IS NOT NULL AS decided,
           r.outcome IS NOT DISTINCT FROM 'ok' AND s.arm = 'up' AS priced,
           r.cost_usd::float8 AS c_ref, a.cost_usd::float8 AS c_served
    FROM samples s
    JOIN answers a ON a.request_id = s.request_id AND a.served
    LEFT JOIN answers r ON r.request_id = s.request_id AND r.tier = s.reference_tier AND r.repeat = 0 AND NOT r.served
    LEFT JOIN LATERAL (
        SELECT label FROM labels WHERE s.label_drawn AND labels.request_id = s.request_id
        AND labels.tier = s.served_tier AND labels.repeat = 0 ORDER BY labelled_at, reviewer LIMIT 1
    ) l ON true
    WHERE s.started_at >= :start AND s.started_at < :end AND s.counts_for_accuracy
    """,
)
# The same in mode observe for the tier decided for: mirrored where another one served.
_OBSERVED = _insertion(
    "rollup_observed",
    _OBSERVED_KEY,
    """
    SELECT chosen_tier AS tier, served_tier, query_type, coalesce(feature, '') AS feature, band,
           count(*) AS requests, sum(cost_usd) AS cost_usd, sum(cost_usd * cost_usd) AS cost_usd_squared
    FROM exchanges WHERE started_at >= :start AND started_at < :end AND status = 'answered' AND mode = 'observe'
    GROUP BY 1, 2, 3, 4, 5
    """,
    """
    SELECT s.decided_tier AS tier, s.served_tier, s.query_type, s.feature, s.band, s.state,
           1.0::float8 / s.decided_pi AS w,
           CASE WHEN l.label IS NULL THEN 0 ELSE 1.0::float8 / (s.decided_pi * s.decided_eta) END AS v,
           l.label::float8 AS y,
           a.probability AS p,
           a.probability IS NOT NULL AS decided,
           a.outcome IS NOT DISTINCT FROM 'ok' AND NOT a.served AS priced,
           a.cost_usd::float8 AS c_ref, served.cost_usd::float8 AS c_served
    FROM samples s
    JOIN answers served ON served.request_id = s.request_id AND served.served
    LEFT JOIN answers a ON a.request_id = s.request_id AND a.tier = s.decided_tier AND a.repeat = 0
    LEFT JOIN LATERAL (
        SELECT label FROM labels WHERE s.decided_label_drawn AND labels.request_id = s.request_id
        AND labels.tier = s.decided_tier AND labels.repeat = 0 ORDER BY labelled_at, reviewer LIMIT 1
    ) l ON true
    WHERE s.started_at >= :start AND s.started_at < :end AND s.decided_tier IS NOT NULL
    """,
)
_ROUTES = """
INSERT INTO rollup_routes (bucket_start, predicted_tier, served_tier, reason, status, mode, requests, cost_usd)
SELECT CAST(:start AS timestamptz), predicted_tier, coalesce(served_tier, ''), coalesce(reason, ''), status, mode,
       count(*), sum(cost_usd)
FROM exchanges WHERE started_at >= :start AND started_at < :end GROUP BY 2, 3, 4, 5, 6
"""
_SHADOW = """
INSERT INTO rollup_shadow (bucket_start, served_tier, arm, state, mode, samples, labelled, mirror_usd, judge_usd)
SELECT CAST(:start AS timestamptz), s.served_tier, s.arm, s.state, s.mode, count(*),
    count(*) FILTER (WHERE EXISTS (SELECT FROM labels l WHERE l.request_id = s.request_id)),
    coalesce(sum((SELECT sum(cost_usd) FROM answers a WHERE a.request_id = s.request_id AND NOT a.served)), 0),
    coalesce(sum((SELECT sum(cost_usd) FROM judgments j WHERE j.request_id = s.request_id)), 0)
FROM samples s WHERE s.started_at >= :start AND s.started_at < :end GROUP BY 2, 3, 4, 5
"""
_STATEMENTS: tuple[Any, ...] = tuple(
    sa.text(statement)
    for table, insertion in (
        ("rollups", _ROLLUP),
        ("rollup_observed", _OBSERVED),
        ("rollup_routes", _ROUTES),
        ("rollup_shadow", _SHADOW),
        ("rollup_moves", MOVES),
        ("rollup_noise", NOISE),
    )
    for statement in (
        f"DELETE FROM {table} WHERE bucket_start >= :start AND bucket_start < :end",  # noqa: S608
        insertion,
    )
)
