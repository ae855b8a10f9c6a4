"""When is the gold set judged? Once a UTC day: the scheduler queues it, a worker does it."""

from __future__ import annotations

import procrastinate
import structlog

from shadow.settings import Settings
from shadow.store import gold
from shadow.store.engine import AsyncEngine, utc_now
from shadow.task_queue import GOLD, JUDGE, queue_app

log = structlog.get_logger()


async def ask_for_gold(engine: AsyncEngine, _: Settings) -> None:
    """Queue today's run, if there is a gold set that was not judged today and no run waits already."""
    async with engine.connect() as connection:
        version = await gold.latest(connection)
        if version is None or await gold.has_run(connection, version.version, utc_now().date()):
            return
    app = queue_app(engine.url.render_as_string(hide_password=False))
    async with app.open_async():
        try:
            await app.configure_task(GOLD, queue=JUDGE, queueing_lock=GOLD, lock=GOLD, priority=-1).defer_async()
        except procrastinate.exceptions.AlreadyEnqueued:
            log.info("gold.waiting", version=version.version)
