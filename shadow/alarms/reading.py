"""What does an alarm say? A reading per thing it looks at: fine, or how bad, with the figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shadow.alerting.telling import Severity
from shadow.settings import Settings
from shadow.store.engine import AsyncConnection

#: Of the interval that a look decides by: looks come every quarter of an hour, so 95 % would be wrong once a day.
LEVEL = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """key: what was looked at. severity: None where it is fine. message: one sentence with figures."""

    key: str
    severity: Severity | None
    message: str
    details: Mapping[str, Any]


class Alarm(Protocol):
    """Looks at one kind of thing."""

    kind: str

    async def read(
        self, connection: AsyncConnection, settings: Settings, *, is_open: Collection[str], now: datetime
    ) -> Sequence[Reading]:
        """A reading for each thing that was seen. is_open: keys of which an alert is open, which need more to be fine again."""


def percent(share: float) -> str:
    """0.9563 is `95.6%`."""
    return f"{share:.1%}"
