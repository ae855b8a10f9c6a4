"""What did clients say about answers, and what did they let show? Ratings, asked-for retries, and signals of their sessions.

None of it is a label. Who rates is self-selected (mostly those who are annoyed), so feedback never enters the label phase of
an estimate: it is shown beside the figures, points reviewers to answers worth a look, and may teach the router.

A row's tier and query type are those of the exchange it is about, filled in once that is known and only if the same key made
both; until then the row counts nowhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from router.contracts import Exchange
from router.feedback import Feedback, Rating
from shadow.store.schema import exchanges, sample_texts
from shadow.store.schema_money import feedback
from shadow.store.storable import storable

#: user: rated. retry: another answer was asked for. session: the next turn was rephrased, or its user frustrated.
Source = Literal["user", "retry", "session"]
#: How long after its id was drawn a request may have started: a slow upload lies between the two.
_UPLOAD = timedelta(hours=1)
_SLACK = timedelta(seconds=5)
#: How long an exchange is waited for that feedback is about: its spool may lie on another machine, without a network.
_PATIENCE = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackRow:
    """One word on one answer, as stored. tier: None while the exchange is not known. comment: None where none is kept."""

    request_id: str
    source: Source
    rating: Rating
    signal: str  # "rated", "retry", "rephrased", "frustrated"
    comment: str | None
    at: datetime
    tier: str | None
    model: str | None
    query_type: str | None
    feature: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingCount:
    """How often answers of a tier were rated, by source."""

    tier: str
    source: Source
    up: int
    down: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackOutcome:
    """What training may learn from: success is 1 for "up", 0 for "down". Texts are None where none are kept.

    Self-selected and unweighted: fit for teaching, not for estimating.
    """

    request_id: str
    tier: str
    query_type: str
    source: Source
    success: int
    at: datetime
    prompt: str | None
    request_body: str | None


async def save_feedback(
    connection: AsyncConnection, batch: Sequence[Feedback], *, clean: Callable[[str], str] | None
) -> set[str]:
    """Store a batch; returns the ids of the requests it is about.

    A second delivery changes nothing, a later rating by the same key replaces the earlier one.

    clean: what is done to comments before they are kept; None: nothing.
    """
    rows = []
    for given in batch:
        comment = given.comment if clean is None else clean(given.comment)
        common = {"feedback_id": given.feedback_id, "key_id": given.key_id or "", "at": given.at}
        common |= {"request_id": given.request_id, "requested_at": _requested_at(given.request_id, given.at)}
        common |= {"comment": storable(comment) or None}
        if given.rating is not None:
            rows.append({**common, "source": "user", "rating": given.rating, "signal": "rated"})
        elif given.retry:
            rows.append({**common, "source": "retry", "rating": "down", "signal": "retry"})
    return await _upsert(connection, rows)


async def save_session_signals(connection: AsyncConnection, batch: Iterable[Exchange]) -> set[str]:
    """Store what exchanges let show about the answer before them, as a "down" of source session; returns whose answers."""
    rows = []
    for exchange in batch:
        about = _uuid(exchange.extra.get("about_request_id", ""))
        signal = exchange.extra.get("session_signal")
        if about is not None and signal in ("rephrased", "frustrated"):
            rows.append(
                {
                    "feedback_id": exchange.request_id,
                    "request_id": about,
                    "requested_at": _requested_at(about, exchange.started_at),
                    "source": "session",
                    "key_id": exchange.key_id or "",
                    "rating": "down",
                    "signal": signal,
                    "comment": None,
                    "at": exchange.started_at,
                }
            )
    return await _upsert(connection, rows)


async def resolve(connection: AsyncConnection, *, request_ids: Collection[str] | None = None) -> int:
    """Fill in tier and query type where the exchange is known by now; returns how many rows that were."""
    condition = [
        feedback.c.tier.is_(None),
        feedback.c.requested_at > sa.func.now() - _PATIENCE,
        exchanges.c.request_id == feedback.c.request_id,
        exchanges.c.started_at.between(feedback.c.requested_at - _SLACK, feedback.c.requested_at + _UPLOAD),
        sa.func.coalesce(exchanges.c.key_id, "") == feedback.c.key_id,
        exchanges.c.served_tier.is_not(None),
    ]
    if request_ids is not None:
        condition.append(feedback.c.request_id.in_(request_ids))
    statement = (
        sa.update(feedback)
        .where(*condition)
        .values(
            tier=exchanges.c.served_tier,
            model=exchanges.c.served_model,
            query_type=exchanges.c.query_type,
            feature=sa.func.coalesce(exchanges.c.feature, ""),
            started_at=exchanges.c.started_at,
        )
    )
    return (await connection.execute(statement)).rowcount


async def rating_counts(connection: AsyncConnection, *, since: datetime, until: datetime) -> list[RatingCount]:
    """Ratings of answers of a window by tier and source."""
    own = feedback.c
    up, down = (sa.func.count().filter(own.rating == rating) for rating in ("up", "down"))
    query = (
        sa.select(own.tier, own.source, up.label("up"), down.label("down"))
        .where(own.started_at >= since, own.started_at < until, own.tier.is_not(None))
        .group_by(own.tier, own.source)
        .order_by(own.tier, own.source)
    )
    return [RatingCount(**row) for row in (await connection.execute(query)).mappings()]


async def feedback_of(connection: AsyncConnection, request_ids: Sequence[str]) -> list[FeedbackRow]:
    """All that is known about these requests, newest first."""
    query = _rows().where(feedback.c.request_id.in_(request_ids)).order_by(feedback.c.at.desc())
    return [_row(row) for row in (await connection.execute(query)).mappings()]


async def last_feedback(
    connection: AsyncConnection, *, rating: str | None, source: str | None, tier: str | None, limit: int
) -> list[FeedbackRow]:
    """Newest first."""
    query = _rows().order_by(feedback.c.at.desc(), feedback.c.request_id).limit(limit)
    for column, value in (("rating", rating), ("source", source), ("tier", tier)):
        if value is not None:
            query = query.where(feedback.c[column] == value)
    return [_row(row) for row in (await connection.execute(query)).mappings()]


async def feedback_outcomes(
    connection: AsyncConnection,
    *,
    since: datetime,
    until: datetime,
    sources: Sequence[Source] = ("user", "retry", "session"),
    with_text_only: bool = True,
) -> list[FeedbackOutcome]:
    """What was said about answers of a window (aware instants, half open), oldest first, for `shadow train`.

    Texts are kept of sampled requests only, so with_text_only leaves out most rows. Not for estimates: see above.
    """
    own = feedback.c
    query = (
        sa.select(
            own.request_id,
            own.tier,
            own.query_type,
            own.source,
            own.rating,
            own.at,
            sample_texts.c.prompt,
            sample_texts.c.request_body,
        )
        .outerjoin_from(feedback, sample_texts, sample_texts.c.request_id == own.request_id)
        .where(own.started_at >= since, own.started_at < until, own.source.in_(sources), own.tier.is_not(None))
        .order_by(own.started_at, own.request_id, own.source)
    )
    if with_text_only:
        query = query.where(sample_texts.c.request_body != "")
    return [
        FeedbackOutcome(
            request_id=str(row.request_id),
            tier=row.tier,
            query_type=row.query_type,
            source=row.source,
            success=int(row.rating == "up"),
            at=row.at,
            prompt=row.prompt,
            request_body=row.request_body,
        )
        for row in await connection.execute(query)
    ]


def _rows() -> sa.Select[Any]:
    return sa.select(*(feedback.c[name] for name in FeedbackRow.__dataclass_fields__))


def _row(row: sa.RowMapping) -> FeedbackRow:
    return FeedbackRow(**{**row, "request_id": str(row["request_id"])})


async def _upsert(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> set[str]:
    if not rows:
        return set()
    statement = insert(feedback)
    replaced = {name: statement.excluded[name] for name in ("feedback_id", "rating", "signal", "comment", "at")}
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["request_id", "source", "key_id"],
            set_=replaced,
            where=feedback.c.at < statement.excluded["at"],
        ),
        # In one order everywhere, so that two intakes never wait for each other's rows in a circle.
        sorted(rows, key=lambda row: (row["request_id"], row["source"], row["key_id"], row["at"])),
    )
    return {row["request_id"] for row in rows}


def _requested_at(request_id: str, otherwise: datetime) -> datetime:
    """When the id was drawn: a UUIDv7 begins with the milliseconds of its birth."""
    found = uuid.UUID(request_id)
    if found.version != 7:
        return otherwise
    drawn = datetime.fromtimestamp((found.int >> 80) / 1000, tz=UTC)
    # Anybody can make an id up; one from the future is of no use.
    return min(drawn, otherwise)


def _uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None
