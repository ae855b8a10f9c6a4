"""How are alerts told? As lines for a terminal, as values for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from shadow.store.alerts import Alert


def alert_json(alert: Alert) -> dict[str, Any]:
    """An alert as values that `json.dumps` takes; instants ISO 8601 in UTC."""
    closed = alert.closed_at.isoformat() if alert.closed_at is not None else None
    return {**asdict(alert), "opened_at": alert.opened_at.isoformat(), "closed_at": closed}


def alert_lines(alerts: Sequence[Alert]) -> list[str]:
    """A line per alert."""
    return [
        f"ALERT ({alert.severity}, {alert.kind.replace('_', ' ')}, since {alert.opened_at:%Y-%m-%d %H:%M} UTC): {alert.message}"
        for alert in alerts
    ]
