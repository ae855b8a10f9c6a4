"""Where is it written who decided what about upgrades, proposals and scorers? One call for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

log = structlog.get_logger("shadow.trail")


async def note(
    connection: AsyncConnection,
    *,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any],
    now: datetime,
) -> None:
    """Keep a decision, within the transaction that carries it out."""
    log.info(action, actor=actor, subject=subject, at=now.isoformat(), **details)
