"""Who is asked, in which order, how often, and when is it time to give up?

A plan is a list of targets: the fallback chain of the chosen tier, then the tiers above it. A tier is entered if its breaker
admits it and it has a free place. For each of its models that a breaker admits:
- a connection that drops before the answer begins is tried again at once, one time (a pooled connection may have been
  closed by the provider at that very moment);
- connection errors, 429 and 5xx are retried up to `max_retries` times with jittered, doubling pauses, or after the provider's
  `Retry-After` where it names one; a pause beyond the deadline, or beyond `PATIENCE_SECONDS` when there is somebody else to
  ask, means moving on at once. A named time holds for the whole process: nobody asks that model before;
- time-outs, broken and unreadable answers move on: asking the same model again costs the client the same wait again;
- 401, 402, 403, 404 and redirects are our own account's or configuration's trouble, so they move on as well;
- a conversation too long for a model goes straight to a larger window, wherever in the plan that is;
- a complaint about the model (it takes no prefill, say) moves on; if nobody else answers, it passes through;
- any other 4xx, a content filter's included, is the client's: it passes through untouched and ends the search.
Every attempt is noted in the journal with its cost, the cancelled one too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from router.complaints import ABOUT_THE_MODEL
from router.errors import UpstreamFailed
from router.health import Health
from router.journal import Journal
from router.limits import Place, TierLimits
from router.pool import Target
from router.results import Refused, Trial
from router.retries import STAGGER_SECONDS, Trouble, all_failed, is_transient, pause_seconds

_LONGEST_PAUSE_SECONDS = 3600.0  # a provider whose clock is wrong must not be left alone for a year

T = TypeVar("T")


class Search:
    """Asks until somebody answers. `clock` is monotonic, `rng` makes the jitter. sizes: tier -> how many models it has."""

    def __init__(
        self,
        *,
        health: Health,
        limits: TierLimits,
        sizes: Mapping[str, int],
        clock: Callable[[], float],
        rng: Random,
        deadline_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._health = health
        self._limits = limits
        self._sizes = sizes
        self._clock = clock
        self._rng = rng
        self._deadline_seconds = deadline_seconds
        self._sleep = sleep

    def left_seconds(self, journal: Journal) -> float:
        """Time until the deadline of a request."""
        return journal.clock_started + self._deadline_seconds - self._clock()

    async def run(
        self, plan: Sequence[Target], journal: Journal, call: Callable[[Trial], Awaitable[T | Refused]]
    ) -> T | Refused:
        """The first answer, or the complaint that ended the search. Raises: AllFailed."""
        trouble = Trouble()
        refused: Refused | None = None
        window = 0  # models with no more than that are too small
        tier = ""
        entered = hurt = asked_all = False
        try:
            for position, target in enumerate(plan):
                if target.tier != tier:
                    if entered:
                        self._leave(tier, plan, hurt)
                    tier, hurt, entered = target.tier, False, False
                    entered = await self._enter(tier, plan, journal, trouble)
                if not entered or (window and target.context_tokens <= window):
                    continue
                counted = trouble.counted
                result = await self._ask(plan, position, journal, call, trouble)
                if result is None:
                    hurt = hurt or trouble.counted > counted
                    continue
                if isinstance(result, Refused):
                    if result.kind in ABOUT_THE_MODEL:
                        refused = refused or result
                        if result.kind == "context_length":
                            window = max(window, target.context_tokens)
                            journal.moved = journal.moved or "context"
                        continue
                    return result
                entered = False
                self._health.succeeded(tier)
                return result
            asked_all = True
        finally:
            if entered:
                self._leave(tier, plan, hurt and asked_all)
        if refused is not None:
            return refused
        raise all_failed(plan, trouble)

    async def _enter(self, tier: str, plan: Sequence[Target], journal: Journal, trouble: Trouble) -> bool:
        """Is this tier to be asked? Takes a place in it if places are counted."""
        if journal.place is not None:
            journal.place.give_back()
            journal.place = None
        if self._health.state(tier) != "closed" and self._is_whole(tier, plan) and not self._health.admits(tier):
            trouble.waits_seconds.append(self._health.retry_after_seconds(tier))
            return False
        limit = self._limits.get(tier)
        if limit is None:
            return True
        try:
            found = await limit.take(self.left_seconds(journal))
        except BaseException:
            self._health.abandoned(tier)
            raise
        if found:
            journal.place = Place(limit)
            return True
        self._health.abandoned(tier)
        trouble.limited = True
        trouble.waits_seconds.append(1.0)
        return False

    def _leave(self, tier: str, plan: Sequence[Target], hurt: bool) -> None:
        """Nobody in this tier has answered: that counts against it if all of its models had their chance."""
        if hurt and self._is_whole(tier, plan):
            self._health.failed(tier)
        else:
            self._health.abandoned(tier)

    def _is_whole(self, tier: str, plan: Sequence[Target]) -> bool:
        """False when the plan holds only a part of the tier, because the client asked for one model by name."""
        return sum(target.tier == tier for target in plan) >= self._sizes.get(tier, 0)

    async def _ask(
        self,
        plan: Sequence[Target],
        position: int,
        journal: Journal,
        call: Callable[[Trial], Awaitable[T | Refused]],
        trouble: Trouble,
    ) -> T | Refused | None:
        """All tries at one model; None: it is time to move on."""
        target = plan[position]
        health, key = self._health, target.key
        retries, may_resend = 0, True
        while True:
            if self.left_seconds(journal) <= 0:
                trouble.out_of_time = True
                return None
            if not health.admits(key):
                pause = health.pause_left_seconds(key)
                if not 0 < pause < self.left_seconds(journal) or not self._is_alone(plan, position):
                    trouble.limited = trouble.limited or pause > 0
                    trouble.waits_seconds.append(health.retry_after_seconds(key))
                    return None
                await self._sleep(pause + self._rng.uniform(*STAGGER_SECONDS))
                continue
            trial = Trial(target, self._clock())
            try:
                return await call(trial)
            except UpstreamFailed as failure:
                self._note(journal, trial, failure.kind, failure.http_status)
                if failure.kind == "stream_options" or (failure.kind == "reset" and may_resend):
                    health.abandoned(key)
                    may_resend = may_resend and failure.kind != "reset"
                    continue
                named = failure.retry_after_seconds
                if named and failure.http_status is not None and is_transient(failure.http_status):
                    health.pause(key, min(named, _LONGEST_PAUSE_SECONDS))
                else:
                    health.failed(key)
                    trouble.counted += 1
                trouble.failures.append(failure)
                if retries >= target.max_retries:
                    return None
                left, alone = self.left_seconds(journal), self._is_alone(plan, position)
                wait = pause_seconds(failure, retries=retries, left_seconds=left, alone=alone, rng=self._rng)
                if wait is None:
                    return None
            except BaseException as error:
                # A cancelled attempt, or a bug of ours: neither speaks against the model.
                health.abandoned(key)
                self._note(journal, trial, "cancelled" if isinstance(error, asyncio.CancelledError) else "internal")
                raise
            retries += 1
            await self._sleep(wait)

    def _is_alone(self, plan: Sequence[Target], position: int) -> bool:
        """Is nobody left who could be asked in place of this model?"""
        return all(
            self._health.state(target.tier) == "open" or self._health.retry_after_seconds(target.key) > 0
            for target in plan[position + 1 :]
        )

    def _note(self, journal: Journal, trial: Trial, outcome: str, http_status: int | None = None) -> None:
        latency = self._clock() - trial.clock_sent
        journal.attempted(trial.target, outcome, latency, usage=trial.usage, http_status=http_status)
