"""What did the judges say of each cell of the traffic (tier x query type x feature), week by week?

Sums come from roll-ups only. The sampled requests themselves are read for two things that no sum holds: how much requests of one
session resemble each other, and which pairs were rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.statistics.moments import MOMENTS
from shadow.store.rollup_windows import summed
from shadow.store.rollups import Mode
from shadow.store.schema import answers, rollup_observed, rollups, samples

_COUNTS = ("requests", "sampled")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRow:
    """A cell's sums over a stretch of time for one model. tier: that served; in mode observe the one decided for, model is ""."""

    tier: str
    query_type: str
    feature: str
    model: str
    requests: float
    sampled: float
    judged: float
    w: float
    wp: float
    ww: float
    wwp: float
    wwpp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Squared errors of verdicts around the mean of their cell: of each alone, added up by session within a cell (in_cells), and
    by session over all (together). cells: pairs of session and cell; sessions: how many."""

    alone: float
    in_cells: float
    together: float
    cells: int
    sessions: int


async def cell_sums(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode = "route"
) -> list[CellRow]:
    """The sums of a window (aware instants, half open), a row per cell and model."""
    sums = (*_COUNTS, *MOMENTS)
    if mode == "observe":
        by: tuple[str, ...] = ("tier", "query_type", "feature")
        rows = await summed(connection, rollup_observed, by, sums, since=since, until=until)
        return [CellRow(**row, model="") for row in rows]
    by = ("tier", "query_type", "feature", "model")
    return [CellRow(**row) for row in await summed(connection, rollups, by, sums, since=since, until=until, mode=mode)]


async def session_spread(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode = "route"
) -> Spread:
    """How much sessions cluster, of the judged samples of a window. A request without a session is one of its own.

    Cost: reads the window's judged samples with their exchanges; at most the newest 100,000.
    """
    statement = _SPREAD["observe" if mode == "observe" else "route"]
    row = (await connection.execute(statement, {"since": since, "until": until, "mode": mode})).one()
    return Spread(**row._mapping)


async def count_on_their_way(connection: AsyncConnection, *, since: datetime, until: datetime) -> int:
    """Samples of a window that are still to be mirrored or judged."""
    waiting = samples.c.state.in_(("sampled", "mirrored"))
    query = sa.select(sa.func.count()).where(samples.c.started_at >= since, samples.c.started_at < until, waiting)
    return int(await connection.scalar(query) or 0)


async def rejected_pairs(
    connection: AsyncConnection,
    *,
    cell: dict[str, str],
    since: datetime,
    until: datetime,
    mode: Mode = "route",
    limit: int = 10,
) -> list[str]:
    """Ids of the newest samples of a cell whose answer the panel rejected. cell: any of tier, query_type, feature."""
    tier = samples.c.decided_tier if mode == "observe" else samples.c.served_tier
    columns = {"tier": tier, "query_type": samples.c.query_type, "feature": samples.c.feature}
    query = (
        sa.select(samples.c.request_id)
        .join(
            answers,
            sa.and_(answers.c.request_id == samples.c.request_id, answers.c.tier == tier, answers.c.repeat == 0),
        )
        .where(
            samples.c.started_at >= since,
            samples.c.started_at < until,
            samples.c.mode == mode,
            answers.c.verdict == "reject",
            *(columns[name] == value for name, value in cell.items()),
        )
        .order_by(samples.c.started_at.desc(), samples.c.request_id.desc())
        .limit(limit)
    )
    if mode != "observe":
        query = query.where(samples.c.counts_for_accuracy)
    return [str(request_id) for request_id in await connection.scalars(query)]


def _spread(mode: Literal["route", "observe"]) -> sa.TextClause:
    observed = mode == "observe"
    tier, pi = ("s.decided_tier", "s.decided_pi") if observed else ("s.served_tier", "s.pi")
    counted = "s.decided_tier IS NOT NULL" if observed else "s.counts_for_accuracy"
    return sa.text(f"""
WITH judged AS (
    SELECT {tier} AS tier, s.query_type, s.feature, coalesce(e.session_id, s.request_id::text) AS session,
           1.0::float8 / {pi} AS w, a.probability AS p
    FROM samples s
    JOIN answers a ON a.request_id = s.request_id AND a.tier = {tier} AND a.repeat = 0 AND a.probability IS NOT NULL
    LEFT JOIN exchanges e ON e.started_at = s.started_at AND e.request_id = s.request_id
        AND e.started_at >= :since AND e.started_at < :until
    WHERE s.started_at >= :since AND s.started_at < :until AND s.mode = :mode AND {counted}
    ORDER BY s.started_at DESC LIMIT 100000
), erring AS (
    SELECT tier, query_type, feature, session,
           w * (p - sum(w * p) OVER cell / sum(w) OVER cell) AS error
    FROM judged WINDOW cell AS (PARTITION BY tier, query_type, feature)
), clusters AS (
    SELECT session, sum(error) AS error, sum(error * error) AS squares FROM erring GROUP BY session, tier, query_type, feature
), sessions AS (
    SELECT sum(error) AS error FROM clusters GROUP BY session
)
SELECT coalesce((SELECT sum(squares) FROM clusters), 0) AS alone,
       coalesce((SELECT sum(error * error) FROM clusters), 0) AS in_cells,
       coalesce((SELECT sum(error * error) FROM sessions), 0) AS together,
       (SELECT count(*) FROM clusters) AS cells, (SELECT count(*) FROM sessions) AS sessions
""")  # noqa: S608 - built from constants of this module


_SPREAD = {"route": _spread("route"), "observe": _spread("observe")}
