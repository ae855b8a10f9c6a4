"""Where is work queued for the workers? In PostgreSQL, by procrastinate, in a schema of its own."""

from __future__ import annotations

import procrastinate

from shadow.store.engine import libpq_url

MIRROR, JUDGE, GOLD, CANARY = "mirror", "judge", "gold", "canary"


def queue_app(database_url: str) -> procrastinate.App:
    """The task queue, in its own schema of the store's database. Open it with `open_async`."""
    connector = procrastinate.PsycopgConnector(
        conninfo=libpq_url(database_url),
        kwargs={"options": "-c search_path=procrastinate", "connect_timeout": 5},
        min_size=1,
        max_size=6,
    )
    return procrastinate.App(connector=connector)
