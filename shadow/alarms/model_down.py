"""Is a model not answering clients? Seen in their attempts: the store has no breaker of the router, but a model that is asked
now and then and has answered nothing for minutes is one whose breaker is open, or should be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from shadow.alarms.reading import Reading
from shadow.settings import Settings
from shadow.store.alarm_rows import ModelAttempts, model_attempts
from shadow.store.engine import AsyncConnection

_LOOK_BACK = timedelta(hours=2)
_LEAST = 3


class ModelDownAlarm:
    """Per provider and model, as `provider/model`."""

    kind = "model_down"

    async def read(
        self, connection: AsyncConnection, settings: Settings, *, is_open: Collection[str], now: datetime
    ) -> Sequence[Reading]:
        minutes = settings.alerts.alarms.model_minutes
        found = await model_attempts(connection, since=now - _LOOK_BACK, until=now)
        return [decide(one, minutes=minutes, now=now) for one in found]


def decide(seen: ModelAttempts, *, minutes: float, now: datetime) -> Reading:
    """Opens where attempts failed for that long and none has succeeded since; the first one that does ends it."""
    is_down = (
        seen.failed_since_answer >= _LEAST
        and seen.first_failed_at is not None
        and now - seen.first_failed_at >= timedelta(minutes=minutes)
    )
    lasting = 0.0 if seen.first_failed_at is None else (now - seen.first_failed_at).total_seconds() / 60
    message = (
        f"{seen.key} has answered no client for {lasting:.0f} minutes: {seen.failed_since_answer:,} attempts failed"
        f" (last: {seen.last_outcome}); other models answer in its place while there are any"
        if is_down
        else f"{seen.key} answers"
    )
    return Reading(
        key=seen.key,
        severity="critical" if is_down else None,
        message=message,
        details={"failed": seen.failed_since_answer, "last_outcome": seen.last_outcome, "minutes": round(lasting, 1)},
    )
