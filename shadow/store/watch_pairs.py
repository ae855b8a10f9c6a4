"""Which mirrored pairs has the watermark passed since the last look? In request order, verdict or not, over an index by time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema import policies, sampling_rates

# The time alone bounds the scan of the index; the id only parts requests of one microsecond.
_PAIRS = sa.text("""
SELECT s.request_id, s.started_at, s.served_tier AS tier, s.served_model AS model, s.query_type, s.pi, s.policy_version, s.mode,
       e.session_id, a.probability
FROM samples s
JOIN answers a ON a.request_id = s.request_id AND a.served
LEFT JOIN exchanges e ON e.started_at = s.started_at AND e.request_id = s.request_id
    AND e.started_at >= :after AND e.started_at <= :until
WHERE s.started_at >= :after AND s.started_at <= :until AND (s.started_at, s.request_id) > (:after, CAST(:after_id AS uuid))
    AND s.counts_for_accuracy
ORDER BY s.started_at, s.request_id LIMIT :most
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """A sample that counts for accuracy. probability: the panel's for the served answer, None without a verdict."""

    request_id: UUID
    started_at: datetime
    tier: str
    model: str
    query_type: str
    pi: float
    policy_version: int
    mode: str
    session_id: str | None
    probability: float | None


async def pairs_between(
    connection: AsyncConnection, *, after: datetime, after_id: UUID, until: datetime, most: int
) -> list[PairRow]:
    """At most that many, oldest first, of requests later than (after, after_id) and up to `until`."""
    window = {"after": after, "after_id": str(after_id), "until": until, "most": most}
    return [PairRow(**row) for row in (await connection.execute(_PAIRS, window)).mappings()]


async def planned_least(connection: AsyncConnection, days: set[date]) -> dict[tuple[date, str, str], float]:
    """(day, tier, query type) -> the smallest upward share that any band of it was planned with; nothing where none was."""
    if not days:
        return {}
    own = sampling_rates.c
    query = sa.select(own.day, own.tier, own.query_type, sa.func.min(own.up)).where(own.day.in_(sorted(days)))
    rows = await connection.execute(query.group_by(own.day, own.tier, own.query_type))
    return {(day, tier, query_type): up for day, tier, query_type, up in rows}


async def thresholds_of(
    connection: AsyncConnection, versions: set[int]
) -> dict[int, tuple[dict[str, float], float, dict[str, dict[str, float]]]]:
    """Policy version -> (thresholds, band, thresholds by query type)."""
    if not versions:
        return {}
    own = policies.c
    query = sa.select(own.version, own.thresholds, own.band, own.by_query_type).where(own.version.in_(sorted(versions)))
    return {row.version: (row.thresholds, row.band, row.by_query_type) for row in await connection.execute(query)}
