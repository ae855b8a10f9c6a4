"""Which answers did more than one reviewer label, and what did each say?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_PAIRS = sa.text(
    """
    SELECT l.request_id, l.tier, s.query_type, array_agg(l.label ORDER BY l.labelled_at, l.reviewer) AS labels,
           array_agg(l.reviewer ORDER BY l.labelled_at, l.reviewer) AS reviewers, max(l.labelled_at) AS labelled_at
    FROM labels l JOIN samples s ON s.request_id = l.request_id
    WHERE l.repeat = 0 AND s.started_at >= :since AND s.started_at < :until
    GROUP BY 1, 2, 3 HAVING count(*) >= 2 ORDER BY max(l.labelled_at) DESC, 1, 2
    """
)
_REVIEWERS = sa.text(
    """
    SELECT reviewer, coalesce(given, 0) AS labels, coalesce(skipped, 0) AS untold, coalesce(checks, 0) AS gold,
           coalesce(wrong, 0) AS gold_wrong
    FROM (SELECT reviewer, count(*) AS given FROM labels GROUP BY 1) l
    FULL JOIN (SELECT reviewer, count(*) AS skipped FROM label_skips GROUP BY 1) k USING (reviewer)
    FULL JOIN (SELECT reviewer, count(*) AS checks, count(*) FILTER (WHERE truth <> label) AS wrong
               FROM gold_checks GROUP BY 1) g USING (reviewer)
    ORDER BY 2 DESC, 1
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTwice:
    """One answer with the labels of its reviewers, in the order in which they were given."""

    sample_id: str
    tier: str
    query_type: str
    labels: tuple[int, ...]
    reviewers: tuple[str, ...]
    labelled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerRow:
    """What one reviewer has done. gold: answers of known truth labelled; gold_wrong: of these, otherwise than the truth."""

    reviewer: str
    labels: int
    untold: int
    gold: int
    gold_wrong: int


async def labelled_twice(connection: AsyncConnection, *, since: datetime, until: datetime) -> list[LabelledTwice]:
    """Answers to samples of a window (half open) that two or more reviewers labelled, the last labelled first."""
    return [
        LabelledTwice(
            sample_id=str(row.request_id),
            tier=row.tier,
            query_type=row.query_type,
            labels=tuple(row.labels),
            reviewers=tuple(row.reviewers),
            labelled_at=row.labelled_at,
        )
        for row in await connection.execute(_PAIRS, {"since": since, "until": until})
    ]


async def reviewer_rows(connection: AsyncConnection) -> Sequence[ReviewerRow]:
    """Every reviewer, the busiest first."""
    return [ReviewerRow(**row) for row in (await connection.execute(_REVIEWERS)).mappings()]
