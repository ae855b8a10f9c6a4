"""The worker role: mirrors and judges what was sampled, as fast as the processor that clients leave over allows.

Any number of workers on any number of hosts share the queue; a job of a worker that died is handed out again.
"""

from __future__ import annotations

import asyncio

import procrastinate
import structlog
from procrastinate.types import JSONValue

from router.pricing import resolve_prices
from shadow.canaries.asking import Asker
from shadow.canaries.service import CanaryRuns
from shadow.gold.judging import GoldJudging
from shadow.judging.panels import panels_of
from shadow.mirror import Mirror
from shadow.process import keep_running, pause, stop_event
from shadow.settings import Settings
from shadow.store import samples
from shadow.store.engine import AsyncEngine, engine_for
from shadow.task_queue import JUDGE, MIRROR, queue_app
from shadow.tasks import Tasks

log = structlog.get_logger()

DISPATCH_SECONDS = 0.5
RESCUE_SECONDS = 10.0
STALLED_SECONDS = 30.0
#: Of mirrors for an upgrade: the samples that figures rest on go first.
AFTER_OTHERS = -1
JUDGE_CONCURRENCY = 2


async def run_worker(settings: Settings, database_url: str) -> None:
    """Work until SIGINT or SIGTERM."""
    stop = stop_event()
    engine = engine_for(database_url)
    mirror = Mirror(settings, resolve_prices(settings.providers, settings.tiers))
    panels = panels_of(settings)
    asker = Asker(settings)
    log.info("worker.started", judges=list(settings.judges.panel))

    async def work() -> None:
        """One life of the queue's connections; `keep_running` starts another one when the database comes back."""
        app = queue_app(database_url)
        Tasks(settings, engine, mirror, panels).register(app)
        GoldJudging(settings, engine, panels).register(app)
        CanaryRuns(settings, engine, asker).register(app)
        async with app.open_async(), asyncio.TaskGroup() as group:
            group.create_task(_work_off(app, MIRROR, settings.sampling.concurrency))
            group.create_task(_work_off(app, JUDGE, JUDGE_CONCURRENCY))
            group.create_task(_dispatch(app, engine, stop))
            group.create_task(_rescue(app, stop))

    try:
        await keep_running("worker", work, stop)
    finally:
        await mirror.aclose()
        await asker.aclose()
        await engine.dispose()
    log.info("worker.stopped")


async def _work_off(app: procrastinate.App, queue: str, concurrency: int) -> None:
    await app.run_worker_async(
        queues=[queue],
        concurrency=concurrency,
        install_signal_handlers=False,
        delete_jobs="successful",
        fetch_job_polling_interval=1.0,
        shutdown_graceful_timeout=5.0,
    )


async def _dispatch(app: procrastinate.App, engine: AsyncEngine, stop: asyncio.Event) -> None:
    while not stop.is_set():
        if not await dispatch_new(app, engine):
            await pause(stop, DISPATCH_SECONDS)


async def dispatch_new(app: procrastinate.App, engine: AsyncEngine) -> int:
    """Hand new samples to the queue; returns how many. A crash between its commit and ours queues twice: tasks are idempotent."""
    async with engine.begin() as connection:
        claimed = await samples.claim_unqueued(connection, limit=500)
        for is_of_upgrade, priority in ((False, 0), (True, AFTER_OTHERS)):
            ids = [request_id for request_id, arm in claimed if (arm == "upgrade") is is_of_upgrade]
            if ids:
                jobs: list[dict[str, JSONValue]] = [{"request_id": request_id} for request_id in ids]
                task = app.configure_task(MIRROR, queue=MIRROR, priority=priority)
                await task.batch_defer_async(*jobs)
                await samples.mark_queued(connection, ids)
    return len(claimed)


async def _rescue(app: procrastinate.App, stop: asyncio.Event) -> None:
    """Give the jobs of dead workers to living ones."""
    manager = app.job_manager
    while not stop.is_set():
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            log.warning("job.rescued", task=job.task_name, job=job.id)
            await manager.retry_job(job)
        await pause(stop, RESCUE_SECONDS)
