"""How many requests may a tier work on at once, and what do the others do meanwhile?

A tier without a limit costs nothing. One with a limit has that many places; whoever finds none waits in a line of bounded
length, for a short time, first come first served. Who finds the line full, or waited in vain, goes to the tier above.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping


class TierLimit:
    """The places of one tier. Belongs to one event loop."""

    def __init__(self, places: int, *, max_waiting: int, max_wait_seconds: float) -> None:
        self._free = places
        self._max_waiting = max_waiting
        self._max_wait_seconds = max_wait_seconds
        self._line: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._line)

    async def take(self, left_seconds: float) -> bool:
        """A place, within the time limit of the line or `left_seconds`; False: none. A True must be followed by `give_back`."""
        if self._free > 0 and not self._line:
            self._free -= 1
            return True
        if len(self._line) >= self._max_waiting or self._max_wait_seconds <= 0:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            async with asyncio.timeout(min(left_seconds, self._max_wait_seconds)):
                await turn
        except TimeoutError:
            return self._leave(turn)
        except BaseException:
            if self._leave(turn):
                self.give_back()
            raise
        return True

    def give_back(self) -> None:
        """The place is free: it goes to the first in the line."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _leave(self, turn: asyncio.Future[None]) -> bool:
        """Step out of the line; True when it was our turn at that very moment."""
        if turn.done() and not turn.cancelled():
            return True
        if turn in self._line:
            self._line.remove(turn)
        return False


class Place:
    """A place in a tier that is held by one request. Giving it back twice does no harm."""

    __slots__ = ("_limit",)

    def __init__(self, limit: TierLimit) -> None:
        self._limit: TierLimit | None = limit

    def give_back(self) -> None:
        if self._limit is not None:
            limit, self._limit = self._limit, None
            limit.give_back()


TierLimits = Mapping[str, TierLimit]
