"""How does a new policy reach the router? The intake listens for it and writes the file that the router watches.

The router itself never talks to the database: without one it keeps serving under the last policy it was given.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import orjson
import structlog

from router.contracts import Policy
from shadow.store import policies
from shadow.store.engine import AsyncEngine

log = structlog.get_logger()

#: A notification can be lost with the connection it would have come on; this is how old a missed policy can get.
POLL_SECONDS = 5.0


async def follow_policy(engine: AsyncEngine, database_url: str, path: Path) -> None:
    """Keep `path` at the policy in force. Returns only by raising what the database raises."""
    async with policies.announcements(database_url) as announced:
        written: int | None = None
        while True:
            async with engine.connect() as connection:
                row = await policies.newest(connection)
            if row is not None and row.policy.version != written:
                await asyncio.to_thread(write_policy, path, row.policy)
                written = row.policy.version
                log.info("policy.written", version=written)
            await announced(POLL_SECONDS)


def write_policy(path: Path, policy: Policy) -> None:
    """Whole or not at all: the router reads it at any time."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    content = {
        "version": policy.version,
        "thresholds": dict(policy.thresholds),
        "band": policy.band,
        "by_query_type": {query_type: dict(own) for query_type, own in policy.by_query_type.items()},
    }
    unfinished.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    unfinished.replace(path)
