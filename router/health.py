"""Is this model, or this tier, worth a try right now?

One breaker for each model, and one for each tier as a whole. *Closed*: every call goes through. After so many failures in a
row it *opens* for a cool-down, in which nobody calls. Then it is *half-open*: one probe goes through; success closes it,
failure opens it again for twice as long, up to eight times the first cool-down. A model whose provider has a health
check is half-open only once that check has succeeded, so that no client's request is spent on a provider that is down.

Beside the breakers there are *pauses*: a provider that named the time to come back (`Retry-After`) is left alone for
that long by the whole process. That is no failure, and opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "half_open"]
_MAX_FACTOR = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRule:
    """failures: in a row, that open a breaker. cooldown_seconds: the first pause."""

    failures: int
    cooldown_seconds: float


@dataclass(slots=True)
class _Breaker:
    failures: int = 0
    opened: int = 0  # times in a row
    open_until: float = 0.0
    probing: bool = False
    checked: bool = False  # a health check has succeeded since it opened


class Health:
    """The breakers and pauses of all models and tiers. `clock` is monotonic, in seconds.

    failures, cooldown_seconds: the rule of every key that `rules` does not name. checked: keys that wait for a health check
    before their next probe.
    """

    def __init__(
        self,
        *,
        failures: int,
        cooldown_seconds: float,
        clock: Callable[[], float],
        rules: Mapping[Hashable, BreakerRule] | None = None,
        checked: Iterable[Hashable] = (),
    ) -> None:
        self._rule = BreakerRule(failures=failures, cooldown_seconds=cooldown_seconds)
        self._rules = dict(rules or {})
        self._checked = frozenset(checked)
        self._clock = clock
        self._breakers: dict[Hashable, _Breaker] = {}
        self._paused: dict[Hashable, float] = {}  # until when

    def admits(self, key: Hashable) -> bool:
        """May an attempt start now? A True must be followed by `succeeded`, `failed` or `abandoned`."""
        if self._paused and self.pause_left_seconds(key):
            return False
        breaker = self._breakers.get(key)
        if breaker is None or not breaker.opened:
            return True
        if breaker.probing or self._clock() < breaker.open_until:
            return False
        if key in self._checked and not breaker.checked:
            return False
        breaker.probing = True
        return True

    def succeeded(self, key: Hashable) -> None:
        """It answered: forget what went wrong before."""
        if key in self._breakers:
            del self._breakers[key]

    def failed(self, key: Hashable) -> None:
        """An attempt failed in a way that speaks against the model, its provider or the whole tier."""
        breaker = self._breakers.setdefault(key, _Breaker())
        breaker.failures += 1
        rule = self._rules.get(key, self._rule)
        # While it is open, only the probe says something new: stragglers that started earlier do not prolong the pause.
        if breaker.probing or (not breaker.opened and breaker.failures >= rule.failures):
            self._open(breaker, rule)

    def abandoned(self, key: Hashable) -> None:
        """The attempt ended without saying anything about the model: the client left, or sent a bad request."""
        if (breaker := self._breakers.get(key)) is not None:
            breaker.probing = False

    def pause(self, key: Hashable, seconds: float) -> None:
        """Its provider said when to come back: nobody asks before."""
        self.abandoned(key)
        self._paused[key] = max(self._paused.get(key, 0.0), self._clock() + seconds)

    def pause_left_seconds(self, key: Hashable) -> float:
        """Seconds until a pause is over; 0 when there is none."""
        until = self._paused.get(key)
        if until is None:
            return 0.0
        left = until - self._clock()
        if left <= 0:
            del self._paused[key]
            return 0.0
        return left

    def state(self, key: Hashable) -> State:
        breaker = self._breakers.get(key)
        if breaker is None or not breaker.opened:
            return "closed"
        waits = self._clock() < breaker.open_until or (key in self._checked and not breaker.checked)
        return "open" if waits else "half_open"

    def retry_after_seconds(self, key: Hashable) -> float:
        """Seconds until the next probe may start; 0 when attempts are admitted."""
        breaker = self._breakers.get(key)
        opens = max(0.0, breaker.open_until - self._clock()) if breaker and breaker.opened else 0.0
        return max(opens, self.pause_left_seconds(key))

    def due_for_check(self) -> list[Hashable]:
        """Open breakers whose cool-down is over and which wait for a health check."""
        now = self._clock()
        return [
            key
            for key, breaker in self._breakers.items()
            if key in self._checked and breaker.opened and not breaker.checked and now >= breaker.open_until
        ]

    def checked(self, key: Hashable, healthy: bool) -> None:
        """What a health check found: half-open when healthy, otherwise open for longer."""
        breaker = self._breakers.get(key)
        if breaker is None or not breaker.opened:
            return
        if healthy:
            breaker.checked = True
        else:
            self._open(breaker, self._rules.get(key, self._rule))

    def _open(self, breaker: _Breaker, rule: BreakerRule) -> None:
        factor = min(_MAX_FACTOR, 2**breaker.opened)
        breaker.open_until = self._clock() + rule.cooldown_seconds * factor
        breaker.opened += 1
        breaker.probing = False
        breaker.checked = False
