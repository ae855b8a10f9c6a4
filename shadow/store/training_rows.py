"""Which mirrored requests can a scorer learn from, and what is known of their answers?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema import answers, labels, sample_texts, samples


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnswer:
    """The first answer of a tier to a request.

    pi: its inclusion probability. probability: the panel's, None where it abstained or was not asked. label: the mean of all
    reviewers, None without any.
    """

    tier: str
    served: bool
    pi: float
    probability: float | None
    label: float | None
    cost_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRequest:
    """A mirrored request. request_body: as it was kept, "" where no text is."""

    request_id: str
    reference_tier: str
    request_body: str
    answers: tuple[JudgedAnswer, ...]
    dialect: str = "openai.chat"


async def judged_requests(
    connection: AsyncConnection, *, since: datetime, until: datetime
) -> AsyncIterator[JudgedRequest]:
    """Requests of the window that two tiers have answered, oldest first, whether or not somebody has judged them."""
    said = (
        sa.select(sa.func.avg(labels.c.label))
        .where(
            labels.c.request_id == answers.c.request_id,
            labels.c.tier == answers.c.tier,
            labels.c.repeat == answers.c.repeat,
        )
        .scalar_subquery()
    )
    query = (
        sa.select(
            samples.c.request_id,
            samples.c.reference_tier,
            sa.func.coalesce(sample_texts.c.request_body, "").label("request_body"),
            sa.func.coalesce(sample_texts.c.dialect, "openai.chat").label("dialect"),
            answers.c.tier,
            answers.c.served,
            answers.c.pi,
            answers.c.probability,
            answers.c.cost_usd,
            said.label("label"),
        )
        .join(answers, answers.c.request_id == samples.c.request_id)
        .outerjoin(sample_texts, sample_texts.c.request_id == samples.c.request_id)
        .where(
            samples.c.started_at >= since,
            samples.c.started_at < until,
            samples.c.arm != "upgrade",  # whose answers are of other models than the tiers'
            answers.c.repeat == 0,
            answers.c.outcome == "ok",
        )
        .order_by(samples.c.started_at, samples.c.request_id, answers.c.tier)
    )
    gathered: list[Any] = []
    async for row in await connection.stream(query):
        if gathered and row.request_id != gathered[0].request_id:
            if len(gathered) > 1:
                yield _request(gathered)
            gathered = []
        gathered.append(row)
    if len(gathered) > 1:
        yield _request(gathered)


def _request(rows: list[Any]) -> JudgedRequest:
    first = rows[0]
    return JudgedRequest(
        request_id=str(first.request_id),
        reference_tier=first.reference_tier,
        request_body=first.request_body,
        dialect=first.dialect,
        answers=tuple(
            JudgedAnswer(
                tier=row.tier,
                served=row.served,
                pi=row.pi,
                probability=row.probability,
                label=None if row.label is None else float(row.label),
                cost_usd=float(row.cost_usd),
            )
            for row in rows
        ),
    )
