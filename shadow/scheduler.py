"""The scheduler role: the leader runs the jobs of `shadow.jobs`; every scheduler serves the console and the control API."""

from __future__ import annotations

import asyncio
import time

import structlog
import uvicorn
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy.ext.asyncio import AsyncEngine

from shadow.console.app import create_console
from shadow.errors import ConfigError
from shadow.jobs import Job, jobs
from shadow.process import keep_running, stop_event
from shadow.settings import Settings
from shadow.store import policies
from shadow.store.engine import engine_for, utc_now
from shadow.store.leader import elected

log = structlog.get_logger()


async def run_scheduler(settings: Settings, database_url: str) -> None:
    """Serve until SIGINT or SIGTERM. Raises: ConfigError if the control port is taken."""
    stop = stop_event()
    engine = engine_for(database_url)
    server = _console_server(settings, engine)
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_running("leader", lambda: lead(engine, settings), stop))
        serving = group.create_task(_serve(server, settings))
        await stop.wait()
        server.should_exit = True
        await serving
    await engine.dispose()


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
        scheduler = AsyncIOScheduler(timezone="UTC")
        for job in jobs(settings) if table is None else table:
            scheduler.add_job(
                _run,
                "interval",
                args=(job, engine, settings),
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


async def _run(job: Job, engine: AsyncEngine, settings: Settings) -> None:
    began = time.monotonic()
    try:
        await job.run(engine, settings)
    except Exception as exc:  # noqa: BLE001 - the next run must come; the failure is logged with its job
        log.warning("job.failed", job=job.name, error=type(exc).__name__, detail=str(exc).splitlines()[:1])
    else:
        log.debug("job.done", job=job.name, seconds=round(time.monotonic() - began, 3))


def _console_server(settings: Settings, engine: AsyncEngine) -> uvicorn.Server:
    class Server(uvicorn.Server):
        def install_signal_handlers(self) -> None:
            """Signals are handled by the role."""

    config = uvicorn.Config(
        create_console(settings, engine),
        host=settings.server.host,
        port=settings.server.control_port,
        log_config=None,
        access_log=False,
        lifespan="off",
    )
    return Server(config)


async def _serve(server: uvicorn.Server, settings: Settings) -> None:
    try:
        await server.serve()
    except SystemExit:  # how uvicorn reports that it can't bind
        address = f"{settings.server.host}:{settings.server.control_port}"
        raise ConfigError(
            f"server.control_port: {address} is taken; choose another port or stop what listens there"
        ) from None
