"""What may a person do with an upgrade? Approve, reject, promote, roll back: each in one transaction, exactly once."""

from __future__ import annotations

from datetime import datetime

from shadow.errors import RefusedError
from shadow.settings import Settings
from shadow.store import tier_pins, upgrade_pairs, upgrades
from shadow.store.engine import AsyncConnection
from shadow.store.upgrades import UpgradeRow
from shadow.upgrades.bundle import check
from shadow.upgrades.design import Design
from shadow.upgrades.messages import announce, settle
from shadow.upgrades.states import check_approver, check_move
from shadow.upgrades.switching import switch_all, switch_back, switch_canary
from shadow.upgrades.versions import versions_now


async def approve(
    connection: AsyncConnection, settings: Settings, upgrade_id: int, *, by: str, reason: str, now: datetime
) -> None:
    """On evidence that is computed again from its pairs. Raises: RefusedError for the proposer, a wrong state, evidence that is
    stale or was tampered with; of two approvers at once the second one."""
    row = await upgrades.locked(connection, upgrade_id)
    check_move(upgrade_id, row.state, "approved")
    check_approver(row.proposed_by, by)
    await _check_evidence(connection, settings, row, now)
    await settle(connection, row, now=now)
    await upgrades.move(connection, upgrade_id, "approved", by=by, reason=reason, now=now)


async def reject(connection: AsyncConnection, upgrade_id: int, *, by: str, reason: str, now: datetime) -> None:
    """Anybody may, with a reason, before the candidate serves anything. Raises: RefusedError."""
    if not reason.strip():
        raise RefusedError("a rejection needs a reason: whoever looks at the history wants to know")
    row = await upgrades.move(connection, upgrade_id, "rejected", by=by, reason=reason, now=now)
    await settle(connection, row, now=now)


async def promote(
    connection: AsyncConnection,
    settings: Settings,
    upgrade_id: int,
    *,
    by: str,
    reason: str,
    now: datetime,
    share: float | None = None,
    full: bool = False,
) -> str:
    """The canary share of an approved upgrade; with `full`, all requests of one whose canary runs. Returns what is in force.

    The pin and the state change in one transaction: killed at any moment, it has happened or it has not, and may be run again.
    Raises: RefusedError.
    """
    row = await upgrades.locked(connection, upgrade_id)
    if full:
        check_move(upgrade_id, row.state, "promoted")
        version = await switch_all(connection, settings, row, by=by, reason=reason, now=now)
        await upgrades.move(connection, upgrade_id, "promoted", by=by, reason=reason, now=now, details={"pin": version})
        await settle(connection, row, now=now)
        return f"pin {version}: {row.candidate['model']} serves tier {row.tier}"
    if row.state == "canary":
        raise RefusedError(
            f"upgrade {upgrade_id} serves its canary share already, since {row.state_since:%Y-%m-%d %H:%M} UTC: "
            "the rest follows by itself when nothing speaks against it, or at once with --full"
        )
    check_move(upgrade_id, row.state, "canary")
    await _check_evidence(connection, settings, row, now)
    part = Design.from_json(row.design).canary_share if share is None else share
    version = await switch_canary(connection, settings, row, share=part, by=by, reason=reason, now=now)
    details = {"share": part, "pin": version}
    await upgrades.move(connection, upgrade_id, "canary", by=by, reason=reason, now=now, details=details)
    return f"pin {version}: {row.candidate['model']} serves {part:.0%} of tier {row.tier}"


async def rollback(
    connection: AsyncConnection, settings: Settings, upgrade_id: int, *, by: str, reason: str, now: datetime
) -> int:
    """One step back to what served before; the version of the pin. Raises: RefusedError where the candidate serves nothing, or
    another upgrade has changed the tier since."""
    row = await upgrades.locked(connection, upgrade_id)
    check_move(upgrade_id, row.state, "rolled_back")
    last = await tier_pins.in_force_of(connection, row.tier)
    other = None if last is None or last.upgrade_id == upgrade_id else await upgrades.by_id(connection, last.upgrade_id)
    if other is not None and other.state in {"canary", "promoted"}:
        raise RefusedError(f"upgrade {other.id} serves tier {row.tier!r} by now: roll that one back first")
    version = await switch_back(connection, settings, row, by=by, reason=reason, now=now)
    await announce(connection, row, "rolled_back", reason=f"{by}: {reason}", now=now)
    await upgrades.move(connection, upgrade_id, "rolled_back", by=by, reason=reason, now=now, details={"pin": version})
    return version


async def _check_evidence(connection: AsyncConnection, settings: Settings, row: UpgradeRow, now: datetime) -> None:
    pairs = await upgrade_pairs.entered(connection, row.id, "shadow")
    versions = await versions_now(connection, settings, row.tier)
    check(row, pairs, versions, now=now, max_age_days=settings.upgrades.max_age_days)
