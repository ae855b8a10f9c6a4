"""What can a person do about an alert? Acknowledge it, be left alone for some time, end that, close it. All audited."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.errors import StoreError
from shadow.store import audit
from shadow.store.alert_history import What, note
from shadow.store.schema_alerts import alerts

LONGEST_SNOOZE = timedelta(days=90)


async def acknowledge(connection: AsyncConnection, alert_id: int, *, by: str, now: datetime, text: str = "") -> bool:
    """Say that somebody looks after it; False if it is not open. The last to say so counts."""
    return await _act(
        connection, alert_id, "acknowledged", {"acknowledged_at": now, "acknowledged_by": by}, by=by, now=now, text=text
    )


async def snooze(
    connection: AsyncConnection, alert_id: int, *, until: datetime, by: str, now: datetime, text: str = ""
) -> bool:
    """Send nothing about it until then, unless it becomes more severe; False if it is not open.

    Raises: StoreError for an end that is not within the next 90 days.
    """
    if not now < until <= now + LONGEST_SNOOZE:
        raise StoreError(f"an alert can be snoozed for up to {LONGEST_SNOOZE.days} days from now")
    said = f"until {until:%Y-%m-%d %H:%M} UTC" + (f": {text}" if text else "")
    values = {"snoozed_until": until, "snoozed_by": by, "told": "snoozed", "told_severity": alerts.c.severity}
    return await _act(connection, alert_id, "snoozed", values, by=by, now=now, text=said)


async def unsnooze(connection: AsyncConnection, alert_id: int, *, by: str, now: datetime, text: str = "") -> bool:
    """Send messages about it again; False if it is not open or not snoozed."""
    values = {"snoozed_until": None, "snoozed_by": None, "told": "open"}
    return await _act(
        connection, alert_id, "unsnoozed", values, alerts.c.snoozed_until > now, by=by, now=now, text=text
    )


async def close_alert(connection: AsyncConnection, alert_id: int, *, by: str, now: datetime, text: str = "") -> bool:
    """Close it, without a message; False if it is not open. What is still wrong opens a new one at the next look."""
    values = {"closed_at": now, "closed_by": by, "told": "closed"}
    return await _act(connection, alert_id, "closed", values, by=by, now=now, text=text)


async def _act(
    connection: AsyncConnection,
    alert_id: int,
    what: What,
    values: dict[str, Any],
    *only: sa.ColumnElement[bool],
    by: str,
    now: datetime,
    text: str,
) -> bool:
    if not 0 < alert_id < 2**63:
        return False
    acting = sa.update(alerts).where(alerts.c.id == alert_id, alerts.c.closed_at.is_(None), *only).values(**values)
    row = (await connection.execute(acting.returning(alerts.c.kind, alerts.c.key))).first()
    if row is None:
        return False
    await note(connection, alert_id, what, now=now, by=by, text=text)
    details = {"kind": row.kind, "key": row.key, "note": text}
    await audit.record(
        connection, actor=by, action=f"alert.{what}", subject=f"alert {alert_id}", details=details, now=now
    )
    return True
