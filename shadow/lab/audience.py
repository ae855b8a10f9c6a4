"""Who asks what, and when? Poisson arrivals from users of very different appetite, with hints most of the time."""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shadow.lab.seeds import stream
from shadow.lab.tasks.contracts import Task
from shadow.lab.world import World

USERS = 200
#: Share of all requests that one user sends, on top of the Zipf law of the others.
HEAVY_USER_SHARE = 0.12
HEAVY_USER = "user-batch-job"
_ZIPF_EXPONENT = 0.8
_REQUESTS_PER_SESSION = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request about to be sent. at_seconds: since the first one. headers: the hints."""

    at_seconds: float
    item: int
    task: Task
    user: str
    headers: dict[str, str]
    streamed: bool
    by_sdk: bool

    def body(self, model: str, max_tokens: int | None) -> dict[str, Any]:
        """The chat request."""
        body: dict[str, Any] = {"model": model, "messages": self.task.messages}
        if self.task.response_format is not None:
            body["response_format"] = self.task.response_format
        if max_tokens is not None:
            body["max_tokens"] = max_tokens
        if self.streamed:
            body["stream"] = True
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A source of arrivals: the same for the same seed. Shares are in [0, 1], the rate in requests a second.

    kinds: only tasks of these are asked; () is all.
    """

    world: World
    seed: int = 1
    rate: float = 40.0
    streamed_share: float = 0.30
    hinted_share: float = 0.70
    high_impact_share: float = 0.03
    sdk_share: float = 0.04
    kinds: tuple[str, ...] = ()
    _weights: tuple[float, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError("the rate must be more than 0 requests a second")
        weights = (1 / rank**_ZIPF_EXPONENT for rank in range(1, USERS + 1))
        object.__setattr__(self, "_weights", tuple(itertools.accumulate(weights)))

    def arrivals(self) -> Iterator[Arrival]:
        """Arrivals without end, in order of time; the first at 0."""
        rng = stream(self.seed, "audience")
        items = [at for at, task in enumerate(self.world.items) if not self.kinds or task.kind in self.kinds]
        asked: dict[str, int] = {}
        at = 0.0
        while True:
            user = self._draw_user(rng)
            asked[user] = asked.get(user, 0) + 1
            item = items[rng.randrange(len(items))]
            task = self.world.items[item]
            yield Arrival(
                at_seconds=at,
                item=item,
                task=task,
                user=user,
                headers=self._hints(task, user, asked[user], rng),
                streamed=rng.random() < self.streamed_share,
                by_sdk=rng.random() < self.sdk_share,
            )
            at += rng.expovariate(self.rate)

    def _draw_user(self, rng: random.Random) -> str:
        if rng.random() < HEAVY_USER_SHARE:
            return HEAVY_USER
        rank = bisect.bisect_left(self._weights, rng.random() * self._weights[-1])
        return f"user-{min(rank, USERS - 1) + 1:03d}"

    def _hints(self, task: Task, user: str, asked: int, rng: random.Random) -> dict[str, str]:
        hints = {
            "x-shadow-user": user,
            "x-shadow-feature": task.feature,
            "x-shadow-session": f"{user}-{asked // _REQUESTS_PER_SESSION}",
        }
        if rng.random() < self.hinted_share:
            hints["x-shadow-query-type"] = task.kind
        if rng.random() < self.high_impact_share:
            hints["x-shadow-impact"] = "high"
        return hints
