"""Which of the last requests can still be answered again?

A bounded memory of answered requests: so many bytes of bodies and no more, for so many minutes and no longer. It is a
convenience, not a record: a request that is not in it any more is simply sent again by its client.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from router.contracts import Hints

#: What an entry weighs beside its body.
ENTRY_BYTES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """An answered request. clock_seconds: when it was answered, on the memory's clock."""

    body: bytes
    dialect: str
    hints: Hints
    key_id: str | None
    served_tier: str
    clock_seconds: float


class RequestMemory:
    """The last answered requests by id, the oldest forgotten first. `clock` is monotonic, in seconds."""

    def __init__(self, *, max_bytes: int, seconds: float, clock: Callable[[], float]) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._clock = clock
        # Tuples of the fields of `Remembered`: each request makes one, and hardly any is ever looked at again.
        self._entries: OrderedDict[str, tuple[bytes, str, Hints, str | None, str, float]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def remember(
        self, request_id: str, *, body: bytes, dialect: str, hints: Hints, key_id: str | None, served_tier: str
    ) -> None:
        """Keep a request, at the expense of the oldest. Cost: about a microsecond."""
        now = self._clock()
        size = len(body) + ENTRY_BYTES
        if size > self._max_bytes:
            return
        self._entries[request_id] = (body, dialect, hints, key_id, served_tier, now)
        self._bytes += size
        expired = now - self._seconds
        while self._bytes > self._max_bytes or next(iter(self._entries.values()))[-1] < expired:
            _, oldest = self._entries.popitem(last=False)
            self._bytes -= len(oldest[0]) + ENTRY_BYTES

    def find(self, request_id: str) -> Remembered | None:
        """The request, or None if it is not known or not any more."""
        found = self._entries.get(request_id)
        if found is None or found[-1] < self._clock() - self._seconds:
            return None
        body, dialect, hints, key_id, served_tier, clock_seconds = found
        return Remembered(
            body=body,
            dialect=dialect,
            hints=hints,
            key_id=key_id,
            served_tier=served_tier,
            clock_seconds=clock_seconds,
        )
