"""Where does a request go whose first answer did not please? One tier above the one that served it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from router.contracts import Reason
from router.decider import Decided
from router.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Answer once more, from `tier` upwards. of: the request whose answer did not please."""

    of: str
    tier: str

    def applied_to(self, decided: Decided, pool: Pool) -> Decided:
        """The decision with the tier that the client asked for in the place of the chosen one."""
        reason: Reason | None = "feedback" if pool.rank(self.tier) > pool.rank(decided.decision.predicted) else None
        return replace(decided, decision=replace(decided.decision, chosen=self.tier, reason=reason, rule=None))
