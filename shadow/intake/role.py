"""The intake role: ships the spool of the router beside it and keeps its policy file up to date."""

from __future__ import annotations

import asyncio

import structlog

from router.serve import policy_path, spool_directory
from shadow.intake.policy_follower import follow_policy
from shadow.intake.shipper import Shipper
from shadow.process import keep_running, stop_event
from shadow.settings import Settings
from shadow.store.engine import engine_for

log = structlog.get_logger()

#: How long the last delivery may take once the router has stopped.
LAST_DELIVERY_SECONDS = 10.0


async def run_intake(settings: Settings, database_url: str) -> None:
    """Ship until SIGINT or SIGTERM."""
    stop = stop_event()
    engine = engine_for(database_url, pool_size=2)
    directory = spool_directory(settings.directory)
    directory.mkdir(parents=True, exist_ok=True)
    shipper = Shipper(settings, engine, directory)
    policy_file = policy_path(settings.directory)
    log.info("intake.started", spool=str(directory))
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_running("shipper", lambda: shipper.run(stop), stop))
        group.create_task(
            keep_running("policy follower", lambda: follow_policy(engine, database_url, policy_file), stop)
        )
    try:
        async with asyncio.timeout(LAST_DELIVERY_SECONDS):
            await shipper.ship()
    except Exception as exc:  # noqa: BLE001 - what is not delivered now stays on disk and is shipped at the next start
        log.warning("intake.unfinished", error=type(exc).__name__)
    await engine.dispose()
