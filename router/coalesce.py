"""Can identical requests that are under way at the same time share one call?

Opt-in. Requests are identical if the client's key, the bytes of the body and the plan are; they have to ask for temperature 0
and must not be streamed. The shared call belongs to none of them: it runs in a task of its own, and ends early only when
all of them have left. One of them pays for it, the first to close its record; the others get the same answer at no cost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from router.dispatch import Dispatcher
from router.journal import Journal
from router.pool import Target
from router.results import Completed, Refused

_Key = tuple[str | None, bytes, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class _Flight:
    """A call that is shared. journal: its own, for the attempts. payer: the request that took them over."""

    task: asyncio.Task[Completed | Refused]
    journal: Journal
    waiting: int = 0
    payer: str | None = None


class Coalescer:
    """Shares calls between identical requests of one process."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._flights: dict[_Key, _Flight] = {}

    async def complete(
        self, plan: Sequence[Target], journal: Journal, forwarded: Mapping[str, str]
    ) -> Completed | Refused:
        """As `Dispatcher.complete`, shared where it may be. Raises: AllFailed."""
        fields = journal.request.fields
        temperature = fields.get("temperature")
        if isinstance(temperature, bool) or temperature != 0 or journal.request.streamed:
            return await self._dispatcher.complete(plan, journal, forwarded)
        key = (journal.key_id, journal.request.body, tuple(target.key for target in plan))
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = self._start(key, plan, journal, forwarded)
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.task.done():
                self._flights.pop(key, None)
                flight.task.cancel()
                await asyncio.wait([flight.task])  # it notes what was spent
            self._settle(flight, journal)

    def _start(self, key: _Key, plan: Sequence[Target], journal: Journal, forwarded: Mapping[str, str]) -> _Flight:
        own = replace(journal, attempts=[], place=None)
        task = asyncio.create_task(self._dispatcher.complete(plan, own, forwarded), name="shared-call")

        def landed(done: asyncio.Task[Completed | Refused]) -> None:
            if own.place is not None:
                own.place.give_back()
            if self._flights.get(key) is flight:
                del self._flights[key]
            if not done.cancelled():
                done.exception()  # whoever waited has seen it

        flight = _Flight(task, own)
        task.add_done_callback(landed)
        return flight

    def _settle(self, flight: _Flight, journal: Journal) -> None:
        if not flight.task.done():
            return  # this request leaves early; another one pays
        if flight.payer is None:
            flight.payer = journal.request_id
            journal.attempts.extend(flight.journal.attempts)
        elif flight.payer != journal.request_id:
            journal.coalesced_with = flight.payer
        journal.moved = journal.moved or flight.journal.moved
