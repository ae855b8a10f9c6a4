"""How hard does a request look, without any training?

The heuristic adds up a *demand* from signs that are cheap to see, then gives each tier a chance of success that falls with
demand, more steeply for cheap tiers:

    P(tier succeeds) = sigmoid(strength(tier) - STEEPNESS * demand)

with strengths spread evenly from the cheapest to the top tier. The confidence is the expected loss of not asking the top
tier, `1 - (P(top) - P(tier))`. Demand saturates where the top tier itself starts to fail: beyond that the gain of going
up would shrink, and a rule of thumb has no business claiming to know that.

Signs: length of the last user message (log scale), numbers in it, words of calculation beside at least two numbers, words
that ask for reasoning or design, code, several questions at once, long conversations, tools, images, JSON. A message that
begins like routine work (classify, extract, translate, where is) counts down. The weights are a rule of thumb with the
right order (short lookup and routine work < explanation < code < word problem < proof with steps); `router.scorers.learned`
takes over as soon as there are outcomes to train on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router.contracts import Features
from router.scorers import confidences
from router.scorers.signs import read_signs

STEEPNESS = 2.2
MIN_STRENGTH, MAX_STRENGTH = 3.6, 6.0
MAX_DEMAND = 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class HeuristicScorer:
    """Scores from a table of signs. tiers: cheapest first, with the strength of each."""

    strengths: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, tiers: Sequence[str]) -> HeuristicScorer:
        step = (MAX_STRENGTH - MIN_STRENGTH) / max(1, len(tiers) - 1)
        return cls(strengths=tuple((tier, MIN_STRENGTH + step * rank) for rank, tier in enumerate(tiers)))

    def chances(self, features: Features) -> dict[str, float]:
        """tier -> P(the tier succeeds), by rule of thumb: not calibrated on anything."""
        return self._chances_at(demand(features))

    def scores(self, features: Features) -> Mapping[str, float]:
        """Confidence per tier. Cost: some 10 microseconds for a short message."""
        return confidences(self.chances(features))

    def scores_at(self, demanded: float) -> Mapping[str, float]:
        """Confidence per tier in a request of this demand, in [0, MAX_DEMAND]: all that this scorer can ever say."""
        return confidences(self._chances_at(demanded))

    def _chances_at(self, demanded: float) -> dict[str, float]:
        load = STEEPNESS * demanded
        return {tier: 1 / (1 + math.exp(load - strength)) for tier, strength in self.strengths}


def demand(features: Features) -> float:
    """How much a request asks of a model: 0 trivial, 1 an ordinary word problem, MAX_DEMAND as hard as it gets."""
    signs = read_signs(features)
    total = 0.25 * max(0.0, math.log2(max(1, features.words) / 8))
    total += 0.05 * min(signs.numbers, 8)
    if signs.numbers >= 2 and signs.calculates:
        total += 0.6
    total += 0.8 * min(2, signs.reasoning)
    if signs.code:
        total += 1.0
    total += 0.1 * min(3, max(0, signs.questions - 1))
    total += 0.1 * math.log2(max(1, features.turns))
    total += 0.15 * max(0.0, math.log2(max(1, features.conversation_tokens) / 1000))
    total += 0.3 * features.has_tools + 0.4 * features.has_images + 0.1 * features.wants_json
    if signs.routine:
        total -= 0.5
    return MAX_DEMAND * math.tanh(max(0.0, total) / MAX_DEMAND)
