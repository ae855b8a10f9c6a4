"""Which tier serves each row under the policy in force when the replay begins?

Decided by the router's own gate. The thresholds of that policy are chosen without looking at outcomes: each tier gets an equal
share of the requests, those with the highest confidence going to the cheapest. That is no good policy, but one under which every
tier has requests, so that everything can be measured and learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from router.contracts import Hints, Policy
from router.gate import Gate
from router.rules import Rules
from shadow.outcome_file import OutcomeRow
from shadow.replay.population import Floats, Ints, Population
from shadow.reports.bands import BAND_INDEX

_UNBOUNDED_TOKENS = 1 << 60  # logged outcomes say nothing of context windows: each tier did answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """tier: (R,), position of the tier that serves the row. band: (R,), index of the confidence band of the decision."""

    policy: Policy
    tier: Ints
    band: Ints


def starting_policy(scores: Floats, tiers: Sequence[str]) -> Policy:
    """Equal shares for all tiers, without a band. scores: (rows, tiers)."""
    thresholds: dict[str, float] = {}
    left = np.ones(len(scores), dtype=np.bool_)
    for at, tier in enumerate(tiers[:-1]):
        own = scores[left, at]
        limit = float(np.quantile(own, 1 - 1 / (len(tiers) - at), method="higher")) if own.size else 1.0
        thresholds[tier] = limit
        left &= scores[:, at] < limit
    return Policy(version=0, thresholds=thresholds, band=0.0)


def serve(rows: Sequence[OutcomeRow], population: Population, policy: Policy) -> Serving:
    """What the gate decides on every row. Cost: some 10 microseconds a row."""
    tiers = population.tiers
    gate = Gate.of(tiers, dict.fromkeys(tiers, _UNBOUNDED_TOKENS), Rules.of(()))
    tier = np.empty(population.rows, dtype=np.int64)
    band = np.empty(population.rows, dtype=np.int64)
    for at, (row, scores) in enumerate(zip(rows, population.scores.tolist(), strict=True)):
        decision = gate.decide(
            features=row.features,
            hints=Hints(query_type=row.query_type),
            query_type=population.kinds[population.kind[at]],
            scores=dict(zip(tiers, scores, strict=True)),
            policy=policy,
        )
        tier[at], band[at] = tiers.index(decision.chosen), BAND_INDEX[decision.band]
    return Serving(policy=policy, tier=tier, band=band)
