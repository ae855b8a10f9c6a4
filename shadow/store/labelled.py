"""Which answers did reviewers label whose verdict is fixed already, and what did judges say of them?

Only samples drawn for a label, self-weighting: complaints and doubtful ones are no fair draw. Only answers that the panel has
judged: their probability is frozen, so a calibration fitted on these labels changes no probability that they correct.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema import answers, judgments, labels, samples


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledAnswer:
    """label: mean of the reviewers. probability: the panel's, as it was frozen; None where it abstained. scores: by judge."""

    request_id: str
    tier: str
    query_type: str
    label: float
    probability: float | None
    scores: Mapping[str, float | None]


async def labelled_answers(connection: AsyncConnection, *, since: datetime, until: datetime) -> list[LabelledAnswer]:
    """First answers to samples of a window (half open), oldest first."""
    said = (
        sa.select(sa.func.jsonb_object_agg(judgments.c.judge, judgments.c.score))
        .where(
            judgments.c.request_id == answers.c.request_id,
            judgments.c.tier == answers.c.tier,
            judgments.c.repeat == answers.c.repeat,
        )
        .scalar_subquery()
    )
    query = (
        sa.select(
            answers.c.request_id,
            answers.c.tier,
            samples.c.query_type,
            answers.c.probability,
            sa.func.avg(labels.c.label).label("label"),
            said.label("scores"),
        )
        .join(samples, samples.c.request_id == answers.c.request_id)
        .join(
            labels,
            sa.and_(
                labels.c.request_id == answers.c.request_id,
                labels.c.tier == answers.c.tier,
                labels.c.repeat == answers.c.repeat,
            ),
        )
        .where(
            samples.c.started_at >= since,
            samples.c.started_at < until,
            sa.or_(samples.c.label_drawn, samples.c.decided_label_drawn),
            answers.c.repeat == 0,
            answers.c.verdict.is_not(None),
        )
        .group_by(answers.c.request_id, answers.c.tier, answers.c.repeat, samples.c.request_id)
        .order_by(samples.c.started_at, answers.c.request_id, answers.c.tier)
    )
    return [
        LabelledAnswer(
            request_id=str(row.request_id),
            tier=row.tier,
            query_type=row.query_type,
            label=float(row.label),
            probability=row.probability,
            scores=row.scores or {},
        )
        for row in await connection.execute(query)
    ]
