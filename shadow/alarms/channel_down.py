"""Do messages arrive? A channel that has taken nothing for an hour is told of through the others, and in the console."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from shadow.alarms.reading import Reading
from shadow.settings import Settings
from shadow.store.deliveries import CHANNEL_DOWN, ChannelState, channel_states
from shadow.store.engine import AsyncConnection

_AFTER = timedelta(hours=1)


class ChannelDownAlarm:
    """Per channel that is configured."""

    kind = CHANNEL_DOWN

    async def read(
        self, connection: AsyncConnection, settings: Settings, *, is_open: Collection[str], now: datetime
    ) -> Sequence[Reading]:
        states = await channel_states(connection)
        names = [channel.name for channel in settings.alerts.notify]
        return [decide(name, states[name], now=now) for name in names if name in states]


def decide(name: str, state: ChannelState, *, now: datetime) -> Reading:
    """Opens where a message that failed has waited for an hour; is over when none does."""
    is_down = state.oldest_waiting_at is not None and now - state.oldest_waiting_at >= _AFTER
    hours = 0.0 if state.oldest_waiting_at is None else (now - state.oldest_waiting_at).total_seconds() / 3600
    return Reading(
        key=name,
        severity="warning" if is_down else None,
        message=f"channel {name} has taken no message for {hours:.1f} hours, {state.waiting:,} wait: {state.last_error or ''}",
        details={"waiting": state.waiting, "hours": round(hours, 2)},
    )
