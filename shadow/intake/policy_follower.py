"""How does a new policy reach the router? The intake listens for it and writes the file that the router watches.

The router itself never talks to the database: without one it keeps serving under the last policy it was given.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import orjson
import structlog

from router.contracts import Policy
from shadow.store import policies, tier_pins
from shadow.store.engine import AsyncEngine
from shadow.store.tier_pins import PinRow

log = structlog.get_logger()

#: A notification can be lost with the connection it would have come on; this is how old a missed policy can get.
POLL_SECONDS = 5.0
_PIN = ("version", "upgrade_id", "tier", "configured", "pinned", "candidate", "share")


async def follow_policy(engine: AsyncEngine, database_url: str, path: Path) -> None:
    """Keep `path` at the policy in force. Returns only by raising what the database raises."""
    async with policies.announcements(database_url) as announced:
        written: tuple[int, tuple[int, ...]] | None = None
        while True:
            async with engine.connect() as connection:
                row = await policies.newest(connection)
                pins = await tier_pins.in_force(connection)
            versions = (row.policy.version, tuple(pin.version for pin in pins)) if row is not None else None
            if row is not None and versions != written:
                await asyncio.to_thread(write_policy, path, row.policy, pins)
                written = versions
                log.info("policy.written", version=row.policy.version, pins=[pin.version for pin in pins])
            await announced(POLL_SECONDS)


def write_policy(path: Path, policy: Policy, pins: Sequence[PinRow] = ()) -> None:
    """Whole or not at all: the router reads it at any time. pins: of the tiers that another model than configured serves."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    content = {
        "version": policy.version,
        "thresholds": dict(policy.thresholds),
        "band": policy.band,
        "by_query_type": {query_type: dict(own) for query_type, own in policy.by_query_type.items()},
        "pins": [
            {name: getattr(pin, name) for name in _PIN}
            for pin in pins
            if pin.pinned is not None or pin.candidate is not None
        ],
    }
    unfinished.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    unfinished.replace(path)
