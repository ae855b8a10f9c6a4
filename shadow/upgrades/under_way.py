"""Which upgrades are under way, so that requests are drawn for them? Looked up every few seconds, not for every request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from shadow.store import upgrade_pairs, upgrades
from shadow.store.engine import AsyncConnection
from shadow.upgrades.design import Design
from shadow.upgrades.drawing import Running

#: How late a shipper may learn of one: requests before that are simply not drawn.
LOOK_SECONDS = 2.0


class UnderWay:
    """tier -> the upgrade that it is watched for. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_at = float("-inf")
        self._running: Mapping[str, Running] = {}

    async def by_tier(self, connection: AsyncConnection) -> Mapping[str, Running]:
        """Cost: nothing for most calls, else a query, and another one for each upgrade."""
        now = self._clock()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            found = {}
            for row in await upgrades.in_states(connection):
                design = Design.from_json(row.design)
                phase = "canary" if row.state == "canary" else "shadow"
                drawn = sum(n for (of, _), n in (await upgrade_pairs.counts(connection, row.id)).items() if of == phase)
                found[row.tier] = Running(row=row, design=design, left=design.cap_pairs - drawn)
            self._running = found
        return self._running
