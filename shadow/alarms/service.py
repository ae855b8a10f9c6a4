"""When are the alarms looked at, and what becomes of a reading? Each opens its alert, keeps it up to date, and closes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from shadow.alarms.backlog import BacklogAlarm, LateRecordsAlarm
from shadow.alarms.budget import BudgetAlarm
from shadow.alarms.channel_down import ChannelDownAlarm
from shadow.alarms.coverage import CoverageAlarm
from shadow.alarms.failures import JudgeFailureAlarm, MirrorFailureAlarm
from shadow.alarms.model_down import ModelDownAlarm
from shadow.alarms.reading import Alarm
from shadow.settings import Settings
from shadow.store import alerts
from shadow.store.engine import AsyncEngine, utc_now

log = structlog.get_logger()

ALARMS: tuple[Alarm, ...] = (
    BudgetAlarm(),
    CoverageAlarm(),
    MirrorFailureAlarm(),
    JudgeFailureAlarm(),
    ModelDownAlarm(),
    BacklogAlarm(),
    LateRecordsAlarm(),
    ChannelDownAlarm(),
)


async def run(engine: AsyncEngine, settings: Settings) -> None:
    """The job of the leader."""
    await look(engine, settings, now=utc_now())


async def look(engine: AsyncEngine, settings: Settings, *, now: datetime, table: Sequence[Alarm] = ALARMS) -> None:
    """Look at every alarm, each in a transaction of its own. Raises what the first broken one raised, at the end."""
    broken: Exception | None = None
    for alarm in table:
        try:
            await _look(engine, settings, alarm, now)
        except Exception as exc:  # noqa: BLE001 - one alarm that breaks must not silence the others; it is raised below
            log.warning("alarm.failed", alarm=alarm.kind, error=type(exc).__name__)
            broken = broken or exc
    if broken is not None:
        raise broken


async def _look(engine: AsyncEngine, settings: Settings, alarm: Alarm, now: datetime) -> None:
    async with engine.begin() as connection:
        known = await alerts.last_alerts(connection, is_open=True, kind=alarm.kind, limit=1_000)
        is_open = {alert.key for alert in known}
        readings = await alarm.read(connection, settings, is_open=is_open, now=now)
        wrong = {reading.key for reading in readings if reading.severity is not None}
        for reading in readings:
            if reading.severity is not None:
                await alerts.open_alert(
                    connection,
                    kind=alarm.kind,
                    key=reading.key,
                    severity=reading.severity,
                    message=reading.message,
                    details=reading.details,
                    now=now,
                )
        await alerts.close_alerts(connection, alarm.kind, is_open - wrong, now=now)
