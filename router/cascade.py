"""An answer has a flaw: who is asked next, and which answer is served in the end?

The tiers above are asked, one step each, until an answer has no flaw or the steps are used up. A flaw never costs the client
its answer: when nobody does better, the least flawed answer is served unchanged, the latest of equals. Every answer that
was asked for is paid for, so each stays in the journal with its cost, and its outcome names the flaw.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from router.errors import AllFailed
from router.journal import Journal
from router.pool import Target
from router.results import Completed, Flaw, Refused

_GRAVITY: dict[Flaw | None, int] = {None: 0, "refusal": 1, "truncated": 2, "schema": 3, "empty": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """max_steps: tiers asked beyond the first."""

    max_steps: int

    async def climb(
        self,
        flawed: Completed,
        plan: Sequence[Target],
        journal: Journal,
        search: Callable[[Sequence[Target]], Awaitable[Completed | Refused]],
    ) -> Completed:
        """The best answer that the tiers above give. In observe mode nobody is asked: production stays as it was."""
        best = latest = flawed
        steps = self.max_steps if journal.mode == "route" else 0
        while best.flaw is not None and steps > 0:
            above = _above(plan, latest.target.tier)
            if not above:
                break
            steps -= 1
            journal.moved = journal.moved or "cascade"
            try:
                result = await search(above)
            except AllFailed:
                break  # noted attempt by attempt; the flawed answer is better than none
            if isinstance(result, Refused):
                break
            latest = result
            if _GRAVITY[latest.flaw] <= _GRAVITY[best.flaw]:
                best = latest
        return best


def _above(plan: Sequence[Target], tier: str) -> tuple[Target, ...]:
    """What comes in the plan after the last target of a tier."""
    last = max(position for position, target in enumerate(plan) if target.tier == tier)
    return tuple(plan[last + 1 :])
