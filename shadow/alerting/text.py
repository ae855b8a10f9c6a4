"""How are alerts told? As lines for a terminal, as values for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from shadow.alerting.kinds import title_of
from shadow.store.alerts import Alert


def alert_json(alert: Alert) -> dict[str, Any]:
    """An alert as values that `json.dumps` takes; instants ISO 8601 in UTC."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(alert).items()}


def alert_lines(alerts: Sequence[Alert]) -> list[str]:
    """A line per alert."""
    return [
        f"ALERT {alert.id} ({alert.severity}, {title_of(alert.kind)}, since {alert.since:%Y-%m-%d %H:%M} UTC"
        f"{standing_of(alert)}): {alert.message}"
        for alert in alerts
    ]


def standing_of(alert: Alert) -> str:
    """What people have said about it, as the end of a list: `, acknowledged by mira`."""
    said = f", acknowledged by {alert.acknowledged_by}" if alert.acknowledged_by else ""
    if alert.snoozed_until is not None and alert.told == "snoozed":
        said += f", snoozed until {alert.snoozed_until:%Y-%m-%d %H:%M} UTC"
    if alert.told == "flapping":
        said += ", flapping"
    return said
