"""What happened to an alert, and what was said of it? Its events, and the messages that follow from where it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.alerting.telling import FLAP_WINDOW, RANK, Standing, told_after, what_to_tell, words_of
from shadow.store.notifications import enqueue
from shadow.store.schema_alerts import alert_events, alerts

What = Literal[
    "opened",
    "reopened",
    "raised",
    "lowered",
    "closed",
    "acknowledged",
    "snoozed",
    "unsnoozed",
    "flapping",
    "settled",
]
_CHANGES = ("opened", "reopened", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """by: who did it, None where it happened by itself."""

    at: datetime
    what: What
    by: str | None
    note: str


async def note(
    connection: AsyncConnection, alert_id: int, what: str, *, now: datetime, by: str | None = None, text: str = ""
) -> None:
    """Write down what happened."""
    await connection.execute(sa.insert(alert_events).values(alert_id=alert_id, at=now, what=what, by=by, note=text))


async def tell(connection: AsyncConnection, alert_id: int, *, now: datetime) -> None:
    """Put into the outbox what somebody should be told of this alert now, if anything."""
    row = (await connection.execute(sa.select(alerts).where(alerts.c.id == alert_id).with_for_update())).one()
    changed = sa.select(sa.func.count(), sa.func.max(alert_events.c.at)).where(
        alert_events.c.alert_id == alert_id,
        alert_events.c.what.in_(_CHANGES),
        alert_events.c.by.is_(None),
        alert_events.c.at > now - FLAP_WINDOW,
    )
    changes, last_change_at = (await connection.execute(changed)).one()
    since = row.reopened_at or row.opened_at
    what = what_to_tell(
        Standing(
            is_open=row.closed_at is None,
            severity=row.severity,
            told=row.told,
            told_severity=row.told_severity,
            changes=changes,
            last_change_at=last_change_at or row.closed_at or since,
            snoozed_until=row.snoozed_until,
            closed_by=row.closed_by,
        ),
        now,
    )
    if what is None:
        return
    words = words_of(
        what,
        kind=row.kind,
        key=row.key,
        severity=row.severity,
        message=row.message,
        since=since,
        closed_at=row.closed_at,
        changes=changes,
    )
    # Whoever was told that it is critical is told how it ends, though it became less severe in between.
    fresh = what in {"opened", "reopened", "raised"} or row.told_severity is None
    severity = row.severity if fresh else max(row.severity, row.told_severity, key=RANK.__getitem__)
    number = row.messages + 1
    told = told_after(what, is_open=row.closed_at is None, before=row.told)
    await enqueue(
        connection,
        key=f"alert/{alert_id}/{number}",
        title=words.title,
        body=words.body,
        severity=severity,
        now=now,
        url=f"/alerts#alert-{alert_id}",
        occasion=words.occasion,
        alert_id=alert_id,
    )
    if what in {"flapping", "settled"}:
        await note(connection, alert_id, what, now=now)
    saying = sa.update(alerts).where(alerts.c.id == alert_id)
    await connection.execute(saying.values(told=told, told_severity=severity, messages=number))


async def tell_due(connection: AsyncConnection, *, now: datetime) -> int:
    """Look at the alerts of which something may have to be said by now; returns how many those are.

    They are: those that flap, those whose snooze has run out, and open ones of which nothing was said yet.
    """
    query = (
        sa.select(alerts.c.id)
        .where(
            (alerts.c.told == "flapping")
            | ((alerts.c.told == "snoozed") & (alerts.c.snoozed_until <= now))
            | (alerts.c.told.is_(None) & alerts.c.closed_at.is_(None))
        )
        .order_by(alerts.c.id)
        .limit(500)
        .with_for_update(skip_locked=True)
    )
    due = (await connection.execute(query)).scalars().all()
    for alert_id in due:
        await tell(connection, alert_id, now=now)
    return len(due)


async def history(connection: AsyncConnection, alert_ids: Sequence[int]) -> Mapping[int, list[Event]]:
    """alert id -> what happened to it, oldest first."""
    query = sa.select(alert_events).where(alert_events.c.alert_id.in_(alert_ids)).order_by(alert_events.c.id)
    found: dict[int, list[Event]] = defaultdict(list)
    for row in await connection.execute(query):
        found[row.alert_id].append(Event(at=row.at, what=row.what, by=row.by, note=row.note))
    return found
