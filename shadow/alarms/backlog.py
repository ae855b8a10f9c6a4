"""Does work pile up? Samples that wait for their mirrors or verdicts for hours, and records that come late from the routers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from shadow.alarms.reading import Reading
from shadow.settings import Settings
from shadow.store.alarm_rows import shipping_delay, waiting_samples
from shadow.store.engine import AsyncConnection

_LEAST = 10
_RECENT = timedelta(minutes=30)


class BacklogAlarm:
    """Keys: `mirror`, samples without their mirrors; `judge`, mirrored ones without a verdict."""

    kind = "backlog"

    async def read(
        self, connection: AsyncConnection, settings: Settings, *, is_open: Collection[str], now: datetime
    ) -> Sequence[Reading]:
        minutes = settings.alerts.alarms.backlog_minutes
        found = []
        for key, state in (("mirror", "sampled"), ("judge", "mirrored")):
            overdue = now - timedelta(minutes=minutes)
            count, oldest = await waiting_samples(connection, state, since=now - timedelta(days=3), until=overdue)
            found.append(decide(key, count, oldest, minutes=minutes, was_open=key in is_open, now=now))
        return found


def decide(key: str, count: int, oldest: datetime | None, *, minutes: float, was_open: bool, now: datetime) -> Reading:
    """count samples have waited longer than the bar. Opens from ten on; is over when none is left."""
    is_behind = count >= (1 if was_open else _LEAST)
    hours = 0.0 if oldest is None else (now - oldest).total_seconds() / 3600
    what = "their mirrors" if key == "mirror" else "a verdict"
    return Reading(
        key=key,
        severity="warning" if is_behind else None,
        message=f"{count:,} samples have waited for {what} for more than {minutes:.0f} minutes, the oldest for {hours:.1f} hours",
        details={"waiting": count, "oldest_hours": round(hours, 2)},
    )


class LateRecordsAlarm:
    """Key: `records`. A record waits on a router's disk while the database or the intake does not take it: nothing is lost."""

    kind = "late_records"

    async def read(
        self, connection: AsyncConnection, settings: Settings, *, is_open: Collection[str], now: datetime
    ) -> Sequence[Reading]:
        count, median_seconds = await shipping_delay(connection, since=now - _RECENT, until=now)
        minutes = settings.alerts.alarms.late_minutes
        return [decide_late(count, median_seconds, minutes=minutes, was_open="records" in is_open)]


def decide_late(count: int, median_seconds: float | None, *, minutes: float, was_open: bool) -> Reading:
    """Median delay of the sampled records that arrived in half an hour. Is over below half the bar, or when none arrives."""
    late = (median_seconds or 0.0) / 60
    is_late = count >= (1 if was_open else _LEAST) and late > (minutes / 2 if was_open else minutes)
    return Reading(
        key="records",
        severity="warning" if is_late else None,
        message=f"half of the {count:,} sampled records of the last 30 minutes took more than {late:.0f} minutes to arrive",
        details={"records": count, "median_minutes": round(late, 1)},
    )
