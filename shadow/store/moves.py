"""What did other tiers answer to the requests of a query type? Sums over pairs, for "what would moving it lose and save?"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.statistics.moves import MOVE_FIELDS, MoveSums
from shadow.store.rollup_windows import summed
from shadow.store.schema_money import rollup_moves

# Up, on every tier: the served and the other answer are held against the same reference. Down: the other answer is held against
# the served one. Control: the served answer is held against its own second one, which says what "no loss" looks like.
MOVES = """
WITH pairs AS (
    SELECT s.query_type, s.served_tier, s.arm, b.tier AS other_tier, 1.0::float8 / b.pi AS w,
           CASE s.arm WHEN 'up' THEN a.probability - b.probability ELSE 1 - b.probability END AS d,
           a.cost_usd::float8 AS s, b.cost_usd::float8 AS c
    FROM samples s
    JOIN answers a ON a.request_id = s.request_id AND a.served
    JOIN answers b ON b.request_id = s.request_id AND NOT b.served AND b.repeat = 0 AND b.outcome = 'ok'
    WHERE s.started_at >= :start AND s.started_at < :end AND s.mode = 'route'
      AND b.tier <> s.reference_tier AND b.probability IS NOT NULL
      AND (s.arm = 'down' OR (s.arm = 'up' AND a.probability IS NOT NULL))
    UNION ALL
    SELECT s.query_type, s.served_tier, s.arm, s.served_tier, 1.0::float8 / s.pi, 1 - a.probability,
           a.cost_usd::float8, a.cost_usd::float8
    FROM samples s JOIN answers a ON a.request_id = s.request_id AND a.served
    WHERE s.started_at >= :start AND s.started_at < :end AND s.mode = 'route'
      AND s.arm = 'control' AND a.probability IS NOT NULL
)
INSERT INTO rollup_moves (bucket_start, query_type, served_tier, other_tier, arm,
                          pairs, w, wd, ww, wwd, wwdd, ws, wc, wwss, wwsc, wwcc)
SELECT CAST(:start AS timestamptz), query_type, served_tier, other_tier, arm,
       count(*), sum(w), sum(w * d), sum(w * w), sum(w * w * d), sum(w * w * d * d),
       sum(w * s), sum(w * c), sum(w * w * s * s), sum(w * w * s * c), sum(w * w * c * c)
FROM pairs GROUP BY 2, 3, 4, 5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Sums of a window over pairs of a served answer and another tier's. arm: up, down or control (see `MOVES`)."""

    query_type: str
    served_tier: str
    other_tier: str
    arm: str
    sums: MoveSums


async def window_moves(connection: AsyncConnection, *, since: datetime, until: datetime) -> list[Move]:
    """What other tiers answered, and at what loss, over a window."""
    keys = ("query_type", "served_tier", "other_tier", "arm")
    rows = await summed(connection, rollup_moves, keys, MOVE_FIELDS, since=since, until=until)
    return [
        Move(
            query_type=row["query_type"],
            served_tier=row["served_tier"],
            other_tier=row["other_tier"],
            arm=row["arm"],
            sums=MoveSums(**{name: row[name] for name in MOVE_FIELDS}),
        )
        for row in rows
    ]
