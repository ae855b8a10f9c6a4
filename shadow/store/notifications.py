"""Which messages are to be sent? Written into an outbox, in the transaction of what they tell of; the leader sends them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.alerting.telling import Severity
from shadow.store.schema_alerts import notifications

Occasion = Literal["opened", "raised", "resolved", "report"]


async def enqueue(
    connection: AsyncConnection,
    *,
    key: str,
    title: str,
    body: str,
    severity: Severity,
    now: datetime,
    url: str | None = None,
    occasion: Occasion = "report",
    alert_id: int | None = None,
) -> bool:
    """Put a message into the outbox; True if it is new. A key that was used before is another way of asking for the same one.

    key: what makes it one message, as `weekly/2026-W47`. title: one line. body: plain text. url: a path of the console, as
    `/alerts`, to which the configured address is put in front, or a whole address.
    """
    statement = insert(notifications).values(
        key=key,
        title=title,
        body=body,
        severity=severity,
        url=url,
        occasion=occasion,
        alert_id=alert_id,
        created_at=now,
    )
    known = statement.on_conflict_do_nothing(index_elements=["key"]).returning(sa.literal(1))
    return await connection.scalar(known) is not None


__all__ = ["Occasion", "Severity", "enqueue"]
