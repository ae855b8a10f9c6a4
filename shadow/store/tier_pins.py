"""Which model serves a tier, if not the configured one, and which candidate serves a share of it? Append-only rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema_upgrades import tier_pins


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRow:
    """The pin of a tier. configured: provider and model that the configuration names first; the row holds while it still does.

    pinned: the model in its place, None for the configured one; candidate: serves `share` of the tier's requests. Both are
    model specifications as a tier's model in the configuration.
    """

    version: int
    created_at: datetime
    tier: str
    configured: Mapping[str, Any]
    pinned: Mapping[str, Any] | None
    candidate: Mapping[str, Any] | None
    share: float
    upgrade_id: int
    author: str
    reason: str


async def append(
    connection: AsyncConnection,
    *,
    tier: str,
    configured: Mapping[str, Any],
    pinned: Mapping[str, Any] | None,
    candidate: Mapping[str, Any] | None,
    share: float,
    upgrade_id: int,
    author: str,
    reason: str,
    now: datetime,
) -> int:
    """Put a pin in force; its version. Intakes are told when the transaction commits."""
    statement = sa.insert(tier_pins).values(
        created_at=now,
        tier=tier,
        configured=dict(configured),
        pinned=sa.null() if pinned is None else dict(pinned),
        candidate=sa.null() if candidate is None else dict(candidate),
        share=share,
        upgrade_id=upgrade_id,
        author=author,
        reason=reason,
    )
    return int((await connection.execute(statement.returning(tier_pins.c.version))).scalar_one())


async def in_force(connection: AsyncConnection) -> list[PinRow]:
    """The newest row of each tier, by tier."""
    newest = sa.select(sa.func.max(tier_pins.c.version)).group_by(tier_pins.c.tier)
    query = sa.select(tier_pins).where(tier_pins.c.version.in_(newest)).order_by(tier_pins.c.tier)
    return [PinRow(**row) for row in (await connection.execute(query)).mappings()]


async def in_force_of(connection: AsyncConnection, tier: str) -> PinRow | None:
    """The newest row of a tier."""
    query = sa.select(tier_pins).where(tier_pins.c.tier == tier).order_by(tier_pins.c.version.desc()).limit(1)
    row = (await connection.execute(query)).mappings().first()
    return PinRow(**row) if row else None


async def before(connection: AsyncConnection, tier: str, upgrade_id: int) -> PinRow | None:
    """The newest row of a tier that is of another upgrade: what held before this one."""
    query = (
        sa.select(tier_pins)
        .where(tier_pins.c.tier == tier, tier_pins.c.upgrade_id < upgrade_id)
        .order_by(tier_pins.c.version.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).mappings().first()
    return PinRow(**row) if row else None


async def history(connection: AsyncConnection, *, limit: int = 50) -> list[PinRow]:
    """Newest first."""
    query = sa.select(tier_pins).order_by(tier_pins.c.version.desc()).limit(limit)
    return [PinRow(**row) for row in (await connection.execute(query)).mappings()]
