"""What should somebody look at, since when, and what is over? One open alert per kind and key, whoever reports it how often.

One that comes back within a day is the same one, reopened. What people are told of it goes into the outbox, in the same
transaction: `shadow.store.alert_history`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.alerting.telling import RANK, REJOIN, Severity, Told
from shadow.store.alert_history import note, tell
from shadow.store.schema_alerts import alerts

_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('alert ' || :kind || ' ' || :key, 0))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """kind: what sort; key: what it is about, within its kind; details: the figures behind it. closed_at: None while open.

    reopened_at: when it came back last, None if never. closed_by: None where it closed by itself. told, told_severity: what
    was said of it last; messages: how many there were.
    """

    id: int
    kind: str
    key: str
    severity: Severity
    message: str
    details: Mapping[str, Any]
    opened_at: datetime
    reopened_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    snoozed_until: datetime | None
    snoozed_by: str | None
    told: Told | None
    told_severity: Severity | None
    messages: int

    @property
    def since(self) -> datetime:
        """When it opened last."""
        return self.reopened_at or self.opened_at

    def is_snoozed(self, now: datetime) -> bool:
        """Whether somebody asked not to be told of it for now."""
        return self.snoozed_until is not None and self.snoozed_until > now


async def open_alert(
    connection: AsyncConnection,
    *,
    kind: str,
    key: str,
    severity: Severity,
    message: str,
    details: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Open an alert; True if it was not open. One that is open already keeps its date and takes over what is said now.

    One that closed by itself less than a day ago is opened again. kind: one of `shadow.alerting.kinds`. Messages are written into
    the outbox by themselves: when it opens, when it becomes more severe, when it is over.
    """
    said = {"severity": severity, "message": message, "details": dict(details)}
    await connection.execute(_ONE_AT_A_TIME, {"kind": kind, "key": key})
    this = sa.and_(alerts.c.kind == kind, alerts.c.key == key)
    query = sa.select(alerts.c.id, alerts.c.severity).where(this, alerts.c.closed_at.is_(None))
    known = (await connection.execute(query.with_for_update())).first()
    if known is not None:
        await connection.execute(sa.update(alerts).where(alerts.c.id == known.id).values(**said))
        if RANK[severity] != RANK[known.severity]:
            turned = "raised" if RANK[severity] > RANK[known.severity] else "lowered"
            await note(connection, known.id, turned, now=now, text=f"{known.severity} to {severity}")
            await tell(connection, known.id, now=now)
        return False
    last = (
        sa.select(alerts.c.id)
        .where(this, alerts.c.closed_by.is_(None), alerts.c.closed_at > now - REJOIN)
        .order_by(alerts.c.closed_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    again = sa.update(alerts).where(alerts.c.id == last).returning(alerts.c.id)
    fresh = {"closed_at": None, "reopened_at": now, "acknowledged_at": None, "acknowledged_by": None}
    alert_id = await connection.scalar(again.values(**said, **fresh))
    what = "reopened"
    if alert_id is None:
        new = sa.insert(alerts).values(kind=kind, key=key, opened_at=now, **said).returning(alerts.c.id)
        alert_id, what = await connection.scalar(new), "opened"
    await note(connection, alert_id, what, now=now, text=message)
    await tell(connection, alert_id, now=now)
    return True


async def close_alerts(connection: AsyncConnection, kind: str, keys: Collection[str], *, now: datetime) -> int:
    """Close the open alerts of these keys, as what they told of is over; returns how many there were."""
    if not keys:
        return 0
    closing = (
        sa.update(alerts)
        .where(alerts.c.kind == kind, alerts.c.key.in_(keys), alerts.c.closed_at.is_(None))
        .values(closed_at=now)
        .returning(alerts.c.id)
    )
    closed = (await connection.execute(closing)).scalars().all()
    for alert_id in closed:
        await note(connection, alert_id, "closed", now=now)
        await tell(connection, alert_id, now=now)
    return len(closed)


async def last_alerts(
    connection: AsyncConnection, *, is_open: bool | None = None, kind: str | None = None, limit: int = 50
) -> list[Alert]:
    """Newest first. is_open: only the open ones, only the closed ones, or all."""
    query = sa.select(alerts).order_by(alerts.c.opened_at.desc(), alerts.c.id.desc()).limit(limit)
    if is_open is not None:
        query = query.where(alerts.c.closed_at.is_(None) if is_open else alerts.c.closed_at.is_not(None))
    if kind is not None:
        query = query.where(alerts.c.kind == kind)
    return [Alert(**row) for row in (await connection.execute(query)).mappings()]


async def alert_by_id(connection: AsyncConnection, alert_id: int) -> Alert | None:
    """One alert; None where there is none of that id."""
    if not 0 < alert_id < 2**63:
        return None
    row = (await connection.execute(sa.select(alerts).where(alerts.c.id == alert_id))).mappings().first()
    return Alert(**row) if row else None
