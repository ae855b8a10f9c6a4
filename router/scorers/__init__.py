"""How likely is each tier to succeed on this request, compared with the reference?

Two ports. A `Scorer` computes; nearly every request is scored by one, so it has nothing to await. An `AskingScorer` asks
somebody else and may take its time, up to a deadline of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from router.contracts import Attempt, Features

T = TypeVar("T")


class Scorer(Protocol):
    """Confidence in each tier, from what can be read off a request."""

    def scores(self, features: Features) -> Mapping[str, float]:
        """tier -> `1 - (P(reference succeeds) - P(tier succeeds))`, clipped to [0, 1]; the top tier has 1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking. scores: as of `Scorer.scores`, from whoever could say.

    attempts: the calls made for it, with their cost. noted: for the record: which scorer decided, and why not the other.
    """

    scores: Mapping[str, float]
    attempts: tuple[Attempt, ...] = ()
    noted: Mapping[str, str] = field(default_factory=dict)


class AskingScorer(Protocol):
    """Confidence in each tier, from somebody who has to be asked."""

    async def ask(self, features: Features) -> Asked:
        """Never raises because the other side is slow, broken or talks nonsense, and never takes longer than its deadline."""
        ...


def confidences(chances: Mapping[T, float]) -> dict[T, float]:
    """Confidence per tier from P(tier succeeds), tiers cheapest first: `1 - (P(top) - P(tier))`, clipped to [0, 1]."""
    top = list(chances.values())[-1]
    return {tier: min(1.0, max(0.0, 1.0 - (top - chance))) for tier, chance in chances.items()}
