"""When is a report due, and is it made exactly once, however long nothing ran? Its period is its name: one report each.

The leader looks every half minute which run of the schedule was the last. If the period of that run has no report, it is made: so
a run that was missed is made up as soon as a leader is there, and of many that were missed only the last, whose report is the one
that still says something new.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from apscheduler.triggers.cron import CronTrigger

from shadow import rollup
from shadow.configuration.weekly import trigger_of
from shadow.regressions.building import build, period_before
from shadow.regressions.findings import Period
from shadow.regressions.message import title
from shadow.settings import Settings
from shadow.store import regression_reports
from shadow.store.cell_sums import count_on_their_way
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.notifications import enqueue

CHECK_SECONDS = 30.0
#: How far back the last run of a schedule is looked for, the shortest first; a schedule without a run in a leap cycle has none.
_BACK = tuple(timedelta(days=days) for days in (1 / 24, 1, 8, 32, 367, 1_462))

log = structlog.get_logger("shadow.regressions")


async def run(engine: AsyncEngine, settings: Settings) -> None:
    """The scheduled job: does nothing unless a run is due whose period has no report yet."""
    await make_due(engine, settings, now=utc_now())


async def make_due(engine: AsyncEngine, settings: Settings, *, now: datetime) -> int | None:
    """Make the report of a run that is due at `now`; the newest one's id, or None where none was made.

    Due are the last run of the schedule, and those within the time that a report may wait for verdicts. Idempotent: the report,
    its period's uniqueness and the message are one transaction.
    """
    weekly = settings.alerts.weekly
    if weekly.cron is None:
        return None
    trigger, wait = trigger_of(weekly.cron), timedelta(minutes=weekly.wait_minutes)
    made = None
    for period in _periods(trigger, settings, now - wait, now):
        async with engine.connect() as connection:
            if await regression_reports.has_report(connection, since=period.since, until=period.until):
                continue
            on_their_way = await count_on_their_way(connection, since=period.starts[0], until=period.until)
        if on_their_way and now < period.until + wait:
            log.debug("regressions.waiting", samples=on_their_way)
            continue
        made = await _make(engine, settings, period, now) or made
    return made


def _periods(trigger: CronTrigger, settings: Settings, earlier: datetime, now: datetime) -> list[Period]:
    """Of the last run up to `earlier` and of those after it, oldest first, each period once."""
    weekly, due = settings.alerts.weekly, last_due(trigger, earlier)
    runs = [] if due is None else [due]
    later = trigger.get_next_fire_time(due, (due or earlier) + timedelta(seconds=1))
    while later is not None and later <= now:
        runs.append(later)
        later = trigger.get_next_fire_time(later, later + timedelta(seconds=1))
    found: dict[datetime, Period] = {}
    for run in runs:
        period = period_before(
            run,
            days=weekly.days,
            weeks_before=weekly.weeks_before,
            bucket_seconds=settings.rollup.bucket_seconds,
        )
        found[period.until] = period
    periods = list(found.values())
    # What was missed longer ago than that has been overtaken.
    return [period for period in periods if period.until > earlier] or periods[-1:]


async def _make(engine: AsyncEngine, settings: Settings, period: Period, now: datetime) -> int | None:
    await rollup.compute(engine, settings)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        found = await build(connection, period, tiers=settings.tier_names)
    if not found["requests"] and not found["requests_before"]:
        return None  # nothing was running yet
    async with engine.begin() as connection:
        made = await regression_reports.save(connection, found, since=period.since, until=period.until, now=now)
        if made is None:
            return None
        worse = found["cells"]["worse"] or found["marginals"]["worse"]
        await enqueue(
            connection,
            key=f"regressions/{period.since.isoformat()}/{period.until.isoformat()}",
            title=title(found),
            body=found["headline"],
            severity="warning" if worse else "info",
            now=now,
            url=f"/regressions/{made}",
        )
    log.info("regressions.reported", report=made, worse=len(found["cells"]["worse"]), tested=found["cells"]["tested"])
    return made


def last_due(trigger: CronTrigger, now: datetime) -> datetime | None:
    """The last run of a schedule at or before `now` (aware); None where it had none in four years."""
    for back in _BACK:
        found: datetime | None = trigger.get_next_fire_time(None, now - back)
        if found is None or found > now:
            continue
        while True:
            later = trigger.get_next_fire_time(found, found + timedelta(seconds=1))
            if later is None or later > now:
                return found
            found = later
    return None
