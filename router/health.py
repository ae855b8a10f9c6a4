"""Is this model worth a try right now?

One breaker per model. *Closed*: every call goes through. After `failures` failed attempts in a row it *opens* for a cool-down,
in which nobody calls. Then it is *half-open*: one probe goes through; success closes it, failure opens it again for
twice as long, up to eight times the first cool-down.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "half_open"]
_MAX_FACTOR = 8


@dataclass(slots=True)
class _Breaker:
    failures: int = 0
    opened: int = 0  # times in a row
    open_until: float = 0.0
    probing: bool = False


class Health:
    """The breakers of all models. `clock` is monotonic, in seconds."""

    def __init__(self, *, failures: int, cooldown_seconds: float, clock: Callable[[], float]) -> None:
        self._limit = failures
        self._cooldown_seconds = cooldown_seconds
        self._clock = clock
        self._breakers: dict[Hashable, _Breaker] = {}

    def admits(self, key: Hashable) -> bool:
        """May an attempt start now? A True must be followed by `succeeded`, `failed` or `abandoned`."""
        breaker = self._breakers.get(key)
        if breaker is None or not breaker.opened:
            return True
        if breaker.probing or self._clock() < breaker.open_until:
            return False
        breaker.probing = True
        return True

    def succeeded(self, key: Hashable) -> None:
        """The model answered: forget what went wrong before."""
        if key in self._breakers:
            del self._breakers[key]

    def failed(self, key: Hashable) -> None:
        """An attempt failed in a way that speaks against the model or its provider."""
        breaker = self._breakers.setdefault(key, _Breaker())
        breaker.failures += 1
        # While it is open, only the probe says something new: stragglers that started earlier do not prolong the pause.
        if breaker.probing or (not breaker.opened and breaker.failures >= self._limit):
            factor = min(_MAX_FACTOR, 2**breaker.opened)
            breaker.open_until = self._clock() + self._cooldown_seconds * factor
            breaker.opened += 1
            breaker.probing = False

    def abandoned(self, key: Hashable) -> None:
        """The attempt ended without saying anything about the model: the client left, or sent a bad request."""
        if (breaker := self._breakers.get(key)) is not None:
            breaker.probing = False

    def state(self, key: Hashable) -> State:
        breaker = self._breakers.get(key)
        if breaker is None or not breaker.opened:
            return "closed"
        return "open" if self._clock() < breaker.open_until else "half_open"

    def retry_after_seconds(self, key: Hashable) -> float:
        """Seconds until the next probe may start; 0 when attempts are admitted."""
        breaker = self._breakers.get(key)
        return max(0.0, breaker.open_until - self._clock()) if breaker and breaker.opened else 0.0
