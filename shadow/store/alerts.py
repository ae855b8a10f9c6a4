"""What should somebody look at, since when, and what is over? One open alert per kind and key, whoever reports it how often."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema_labels import alerts

Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """kind: what sort; key: what it is about, within its kind; details: the figures behind it. closed_at: None while open."""

    id: int
    kind: str
    key: str
    severity: Severity
    message: str
    details: Mapping[str, Any]
    opened_at: datetime
    closed_at: datetime | None


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
    """Open an alert; True if it is new. One that is open already keeps its date and takes over what is said now."""
    statement = insert(alerts).values(
        kind=kind, key=key, severity=severity, message=message, details=dict(details), opened_at=now
    )
    is_new: sa.ColumnElement[bool] = sa.literal_column(
        "xmax = 0", sa.Boolean
    )  # PostgreSQL: the row was inserted, not updated
    return bool(
        await connection.scalar(
            statement.on_conflict_do_update(
                index_elements=["kind", "key"],
                index_where=alerts.c.closed_at.is_(None),
                set_={name: statement.excluded[name] for name in ("severity", "message", "details")},
            ).returning(is_new)
        )
    )


async def close_alerts(connection: AsyncConnection, kind: str, keys: Collection[str], *, now: datetime) -> int:
    """Close the open alerts of these keys; returns how many there were."""
    if not keys:
        return 0
    closing = sa.update(alerts).where(alerts.c.kind == kind, alerts.c.key.in_(keys), alerts.c.closed_at.is_(None))
    return int((await connection.execute(closing.values(closed_at=now))).rowcount)


async def close_alert(connection: AsyncConnection, alert_id: int, *, now: datetime) -> bool:
    """Close one alert; False if there is none of that id that is open."""
    closing = sa.update(alerts).where(alerts.c.id == alert_id, alerts.c.closed_at.is_(None)).values(closed_at=now)
    return (await connection.execute(closing)).rowcount == 1


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
