"""Which model serves the tier from now on? A canary share, all of it, or the one from before: each an append-only pin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shadow.settings import Settings
from shadow.store import policies, tier_pins
from shadow.store.engine import AsyncConnection
from shadow.store.upgrades import UpgradeRow
from shadow.upgrades.pins import is_in_force


async def switch_canary(
    connection: AsyncConnection,
    settings: Settings,
    row: UpgradeRow,
    *,
    share: float,
    by: str,
    reason: str,
    now: datetime,
) -> int:
    """The candidate serves a share of the tier's requests; what it can't answer, the pinned model does."""
    if await policies.newest(connection) is None:  # intakes write pins beside the policy in force
        routing = settings.routing
        await policies.adopt_configured(connection, thresholds=routing.thresholds, band=routing.band)
    return await _append(
        connection, settings, row, candidate=dict(row.candidate), share=share, by=by, reason=reason, now=now
    )


async def switch_all(
    connection: AsyncConnection, settings: Settings, row: UpgradeRow, *, by: str, reason: str, now: datetime
) -> int:
    """The candidate takes the pinned model's place."""
    return await tier_pins.append(
        connection,
        tier=row.tier,
        configured=_configured(settings, row.tier),
        pinned=row.candidate,
        candidate=None,
        share=0.0,
        upgrade_id=row.id,
        author=by,
        reason=reason,
        now=now,
    )


async def switch_back(
    connection: AsyncConnection, settings: Settings, row: UpgradeRow, *, by: str, reason: str, now: datetime
) -> int:
    """What held before this upgrade holds again."""
    return await _append(connection, settings, row, candidate=None, share=0.0, by=by, reason=reason, now=now)


async def _append(
    connection: AsyncConnection,
    settings: Settings,
    row: UpgradeRow,
    *,
    candidate: dict[str, Any] | None,
    share: float,
    by: str,
    reason: str,
    now: datetime,
) -> int:
    last = await tier_pins.before(connection, row.tier, row.id)
    return await tier_pins.append(
        connection,
        tier=row.tier,
        configured=_configured(settings, row.tier),
        pinned=last.pinned if last is not None and is_in_force(last, settings) else None,
        candidate=candidate,
        share=share,
        upgrade_id=row.id,
        author=by,
        reason=reason,
        now=now,
    )


def _configured(settings: Settings, tier: str) -> dict[str, str]:
    first = next(found.models[0] for found in settings.tiers if found.name == tier)
    return {"provider": first.provider, "model": first.model}
