"""What became of each message on each channel? Claimed before an attempt, written down after it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.notifications import Occasion, Severity
from shadow.store.schema_alerts import alerts, notifications
from shadow.store.schema_alerts import notification_deliveries as deliveries

State = Literal["pending", "claimed", "delivered", "given_up"]
# Of which the channel named by their key is the subject: it can't be told that it can't be told anything.
CHANNEL_DOWN = "channel_down"
_PLAN_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An attempt that is to be made. attempts: with this one. unconfirmed: earlier ones of which the end is not known."""

    notification_id: int
    channel: str
    attempts: int
    unconfirmed: int
    title: str
    body: str
    severity: Severity
    occasion: Occasion
    url: str | None
    kind: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a message fares on a channel."""

    notification_id: int
    alert_id: int | None
    title: str
    created_at: datetime
    channel: str
    state: State
    attempts: int
    unconfirmed: int
    next_at: datetime
    last_error: str | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """waiting: messages that are to be sent yet; oldest_waiting_at: when the first of them that was tried was written."""

    waiting: int
    oldest_waiting_at: datetime | None
    last_delivered_at: datetime | None
    last_error: str | None


async def plan(
    connection: AsyncConnection, wants: Mapping[str, tuple[Collection[str], Collection[str]]], *, now: datetime
) -> int:
    """Write a delivery for every new message and every channel that wants it; returns how many messages were taken up.

    wants: channel -> (severities, occasions). A channel that is configured later gets later messages only.
    """
    query = (
        sa.select(notifications.c.id, notifications.c.severity, notifications.c.occasion, alerts.c.kind, alerts.c.key)
        .select_from(notifications.outerjoin(alerts, alerts.c.id == notifications.c.alert_id))
        .where(notifications.c.planned_at.is_(None))
        .order_by(notifications.c.id)
        .limit(_PLAN_BATCH)
        .with_for_update(skip_locked=True, of=notifications)
    )
    found = (await connection.execute(query)).all()
    rows = [
        {"notification_id": row.id, "channel": channel, "next_at": now}
        for row in found
        for channel, (severities, occasions) in wants.items()
        # A quiet report is worth its line: whether reports are wanted is for the occasions to say.
        if (row.severity in severities or row.occasion == "report")
        and row.occasion in occasions
        and (row.kind, row.key) != (CHANNEL_DOWN, channel)
    ]
    if rows:
        await connection.execute(insert(deliveries).values(rows).on_conflict_do_nothing())
    if found:
        taken = sa.update(notifications).where(notifications.c.id.in_([row.id for row in found]))
        await connection.execute(taken.values(planned_at=now))
    return len(found)


async def give_up_unknown(connection: AsyncConnection, channels: Collection[str]) -> int:
    """Give up what waits for channels that are not configured any more; returns how many."""
    gone = sa.update(deliveries).where(
        deliveries.c.state.in_(("pending", "claimed")), deliveries.c.channel.not_in(list(channels))
    )
    done = await connection.execute(gone.values(state="given_up", last_error="the channel is not configured any more"))
    return int(done.rowcount)


async def claim(connection: AsyncConnection, channel: str, *, now: datetime, lease: timedelta) -> Claim | None:
    """Take the oldest message that is due on a channel, so that nobody else sends it; None if there is none.

    One whose claim has lapsed is due again: the process that took it is gone, and whether it had sent it is not known.
    """
    due = (
        sa.select(deliveries.c.notification_id)
        .where(
            deliveries.c.channel == channel, deliveries.c.state.in_(("pending", "claimed")), deliveries.c.next_at <= now
        )
        .order_by(deliveries.c.notification_id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = (
        sa.update(deliveries)
        .where(deliveries.c.channel == channel, deliveries.c.notification_id == due)
        .values(
            unconfirmed=deliveries.c.unconfirmed + sa.cast(deliveries.c.state == "claimed", sa.Integer),
            state="claimed",
            attempts=deliveries.c.attempts + 1,
            next_at=now + lease,
        )
        .returning(deliveries)
        .cte("taken")
    )
    query = sa.select(
        taken.c.notification_id,
        taken.c.channel,
        taken.c.attempts,
        taken.c.unconfirmed,
        notifications.c.title,
        notifications.c.body,
        notifications.c.severity,
        notifications.c.occasion,
        notifications.c.url,
        notifications.c.created_at,
        alerts.c.kind,
    ).select_from(
        taken.join(notifications, notifications.c.id == taken.c.notification_id).outerjoin(
            alerts, alerts.c.id == notifications.c.alert_id
        )
    )
    row = (await connection.execute(query)).mappings().first()
    return Claim(**row) if row else None


async def delivered(connection: AsyncConnection, one: Claim, *, now: datetime) -> None:
    """It was accepted. What else waits for the channel is due at once: it works again."""
    await connection.execute(
        sa.update(deliveries)
        .where(_is(one), deliveries.c.state != "delivered")
        .values(state="delivered", delivered_at=now, last_error=None)
    )
    await connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.channel == one.channel, deliveries.c.state == "pending", deliveries.c.next_at > now)
        .values(next_at=now)
    )


async def failed(connection: AsyncConnection, one: Claim, *, error: str, retry_at: datetime | None) -> None:
    """It was not accepted. retry_at: None to give it up. Nothing happens if somebody else has claimed it since."""
    mine = sa.update(deliveries).where(_is(one), deliveries.c.state == "claimed", deliveries.c.attempts == one.attempts)
    told: dict[str, Any] = {"state": "given_up"} if retry_at is None else {"state": "pending", "next_at": retry_at}
    await connection.execute(mine.values(last_error=error, **told))


async def last_deliveries(
    connection: AsyncConnection, *, alert_ids: Sequence[int] | None = None, limit: int = 50
) -> list[Delivery]:
    """Newest message first, of these alerts or of any."""
    query = (
        sa.select(deliveries, notifications.c.title, notifications.c.created_at, notifications.c.alert_id)
        .join(notifications, notifications.c.id == deliveries.c.notification_id)
        .order_by(notifications.c.id.desc(), deliveries.c.channel)
        .limit(limit)
    )
    if alert_ids is not None:
        query = query.where(notifications.c.alert_id.in_(alert_ids))
    return [Delivery(**row) for row in (await connection.execute(query)).mappings()]


async def channel_states(connection: AsyncConnection) -> dict[str, ChannelState]:
    """channel -> how it fares; only channels that a message was meant for."""
    is_waiting = deliveries.c.state.in_(("pending", "claimed"))
    is_failing = sa.and_(is_waiting, deliveries.c.last_error.is_not(None))
    newest_error = sa.func.array_agg(aggregate_order_by(deliveries.c.last_error, deliveries.c.next_at.desc()))
    query = (
        sa.select(
            deliveries.c.channel,
            sa.func.count().filter(is_waiting).label("waiting"),
            sa.func.min(notifications.c.created_at).filter(is_failing).label("oldest_waiting_at"),
            sa.func.max(deliveries.c.delivered_at).label("last_delivered_at"),
            sa.type_coerce(newest_error.filter(is_failing), sa.ARRAY(sa.Text))[1].label("last_error"),
        )
        .join(notifications, notifications.c.id == deliveries.c.notification_id)
        .group_by(deliveries.c.channel)
    )
    rows = (await connection.execute(query)).mappings().all()
    return {row["channel"]: ChannelState(**{n: v for n, v in row.items() if n != "channel"}) for row in rows}


def _is(one: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(deliveries.c.notification_id == one.notification_id, deliveries.c.channel == one.channel)
