"""Who is told when an upgrade is ready, was stopped or taken back? Whoever is told of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shadow.alerting.telling import Severity
from shadow.store.alerts import close_alerts, open_alert
from shadow.store.engine import AsyncConnection
from shadow.store.upgrades import UpgradeRow
from shadow.upgrades.states import State, spoken

KIND = "upgrade"
_UNSERVED = "unserved"
_SEVERITY: Mapping[State, Severity] = {
    "ready": "info",
    "inconclusive": "info",
    "expired": "info",
    "promoted": "info",
    "harmed": "warning",
    "rolled_back": "critical",
}
_NEXT: Mapping[State, str] = {
    "ready": "Look at the evidence and decide: `shadow upgrade approve {id}` or `shadow upgrade reject {id}`.",
    "harmed": "The candidate is shown to be worse; nothing was changed.",
    "inconclusive": "So many pairs did not decide it; nothing was changed.",
    "expired": "The evidence holds no longer: propose it again.",
    "promoted": "It can be taken back in one step: `shadow upgrade rollback {id}`.",
    "rolled_back": "The model from before serves the tier again.",
}


async def announce(
    connection: AsyncConnection,
    row: UpgradeRow,
    state: State,
    *,
    reason: str,
    now: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """An alert of its own for each upgrade; what came before it is closed."""
    message = (
        f"Upgrade {row.id} of tier {row.tier}, {row.pinned['model']} to {row.candidate['model']}, is {spoken(state)}: "
        f"{reason}. {_NEXT[state].format(id=row.id)}"
    )
    await settle(connection, row, now=now)
    said = {"upgrade": row.id, "state": state, **(details or {})}
    severity = _SEVERITY[state]
    await open_alert(
        connection, kind=KIND, key=f"{row.id}:{state}", severity=severity, message=message, details=said, now=now
    )


async def announce_unserved(connection: AsyncConnection, row: UpgradeRow, *, now: datetime) -> None:
    """A canary that no request has reached: routers may be unable to use the pin."""
    message = (
        f"Upgrade {row.id} of tier {row.tier}: {row.candidate['model']} has served nothing since its canary began. Routers log "
        "`pin.unusable` or `pin.ignored` where they can't use it: a key that is not set there, another configuration."
    )
    details = {"upgrade": row.id, "state": row.state}
    await open_alert(
        connection,
        kind=KIND,
        key=f"{row.id}:{_UNSERVED}",
        severity="warning",
        message=message,
        details=details,
        now=now,
    )


async def settle_unserved(connection: AsyncConnection, row: UpgradeRow, *, now: datetime) -> None:
    """Something has reached it."""
    await close_alerts(connection, KIND, [f"{row.id}:{_UNSERVED}"], now=now)


async def settle(connection: AsyncConnection, row: UpgradeRow, *, now: datetime) -> None:
    """Somebody has decided: what waited for it is over."""
    await close_alerts(connection, KIND, [f"{row.id}:{state}" for state in (*_SEVERITY, _UNSERVED)], now=now)
