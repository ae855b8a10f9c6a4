"""What does the leader among the schedulers do? It runs the jobs of `shadow.jobs`, each on its interval."""

from __future__ import annotations

import time
from collections.abc import Awaitable

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from shadow.job_record import JobRecord
from shadow.jobs import Job, jobs
from shadow.settings import Settings
from shadow.store import policies
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.leader import elected

log = structlog.get_logger()


async def lead(engine: AsyncEngine, settings: Settings, table: tuple[Job, ...] | None = None) -> None:
    """Wait to be elected, then run the jobs until leadership is lost. Returns only by raising."""
    async with elected(engine) as leadership:
        log.info("leader.elected")
        async with engine.begin() as connection:
            version = await policies.adopt_configured(
                connection, thresholds=settings.routing.thresholds, band=settings.routing.band
            )
        if version is not None:
            log.info("policy.adopted", version=version)
        record = JobRecord(engine)
        scheduler = AsyncIOScheduler(timezone="UTC")
        for job in jobs(settings) if table is None else table:
            scheduler.add_job(
                _run,
                "interval",
                args=(job, engine, settings, record),
                seconds=job.every_seconds,
                id=job.name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
                next_run_time=utc_now(),
            )
        scheduler.start()
        try:
            await leadership.hold()
        finally:
            scheduler.shutdown(wait=False)
            log.info("leader.resigned")


async def _run(job: Job, engine: AsyncEngine, settings: Settings, record: JobRecord) -> None:
    began = time.monotonic()
    try:
        await job.run(engine, settings)
    except Exception as exc:  # noqa: BLE001 - the next run must come; the failure is logged with its job
        log.warning("job.failed", job=job.name, error=type(exc).__name__, detail=str(exc).splitlines()[:1])
        await _noted(job, record.failed(job.name, type(exc).__name__, now=utc_now()))
    else:
        log.debug("job.done", job=job.name, seconds=round(time.monotonic() - began, 3))
        await _noted(job, record.succeeded(job.name, now=utc_now()))


async def _noted(job: Job, noting: Awaitable[None]) -> None:
    try:
        await noting
    except Exception as exc:  # noqa: BLE001 - where the database is away, a job's record is the least of what is missing
        log.warning("job.unrecorded", job=job.name, error=type(exc).__name__)
