"""How likely should a request of each stratum be sampled, so that a day's money says the most?

Neyman's allocation with costs: n_h ~ N_h s_h / sqrt(cost_h), so the probability is s_h / sqrt(cost_h) times a factor that spends
the money. Where little goes wrong, or a mirror is dear, less is learned from one more. The spread s_h comes from earlier days
only, so that probabilities are fixed before the requests they apply to. Source: Cochran 1977, sec. 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from shadow.statistics.sums import FloatArray

LEAST_RATE = 0.01
LEAST_SAMPLES_PER_WEEK = 30.0
WEIGHT_RATIO = 10.0
WEIGHT_RATIO_FOR_TUNING = 5.0
DEFAULT_COST_USD = 1e-6
"""Stands for a cost that is not known yet, or is 0: then all strata without a cost are alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumPlan:
    """What is known of a stratum from earlier days. requests_per_day: expected, >= 0; failures of `judged` verdicts, in number,
    both >= 0 and any real number; cost_usd: of a sample (mirrors and judging), >= 0."""

    requests_per_day: float
    failures: float
    judged: float
    cost_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """inclusion: by stratum, each in (0, 1]. cost_usd, samples: expected per day. floor_kept: False where the money does not
    even reach for the least that each stratum should get; then all get less, in proportion."""

    inclusion: tuple[float, ...]
    cost_usd: float
    samples: float
    floor_kept: bool


def spread(failures: float, judged: float) -> float:
    """Standard deviation of a verdict, from (k + 1/2) / (n + 1) failures: never 0, and 1/2 where nothing is known."""
    rate = (min(failures, judged) + 0.5) / (judged + 1.0)
    return sqrt(rate * (1.0 - rate))


def allocate(
    strata: list[StratumPlan], *, budget_usd_per_day: float, weight_ratio: float = WEIGHT_RATIO, most: float = 1.0
) -> Allocation:
    """Inclusion probabilities for the next day. most: the highest probability allowed, in (0, 1].

    Each stratum gets at least max(1 %, 30 samples a week), and no less than the highest probability / weight_ratio (pass 5
    where thresholds are tuned on the samples). Spends the budget, or less if everything is sampled at `most`.
    Raises ValueError for numbers out of range. Cost: O(strata).
    """
    if not budget_usd_per_day > 0.0:
        raise ValueError(f"budget_usd_per_day must be positive, got {budget_usd_per_day}")
    if not weight_ratio >= 1.0:
        raise ValueError(f"weight_ratio must be at least 1, got {weight_ratio}")
    if not 0.0 < most <= 1.0:
        raise ValueError(f"most must lie in (0, 1], got {most}")
    if any(min(plan.requests_per_day, plan.failures, plan.judged, plan.cost_usd) < 0.0 for plan in strata):
        raise ValueError("requests, failures, verdicts and costs can't be negative")
    if not strata:
        return Allocation(inclusion=(), cost_usd=0.0, samples=0.0, floor_kept=True)
    requests = np.array([plan.requests_per_day for plan in strata], dtype=float)
    known = [plan.cost_usd for plan in strata if plan.cost_usd > 0.0]
    usual = float(np.mean(known)) if known else DEFAULT_COST_USD
    costs = np.array([plan.cost_usd or usual for plan in strata])
    wanted = np.array([spread(plan.failures, plan.judged) for plan in strata]) / np.sqrt(costs)
    per_week = LEAST_SAMPLES_PER_WEEK / 7.0
    floor = np.minimum(most, np.maximum(LEAST_RATE, per_week / np.maximum(requests, per_week)))
    inclusion = _within(floor, wanted, 0.0, weight_ratio, most)
    kept = float(inclusion @ (requests * costs)) <= budget_usd_per_day
    if kept:
        inclusion = _spending(budget_usd_per_day, requests * costs, floor, wanted, weight_ratio, most)
    else:
        inclusion = inclusion * (budget_usd_per_day / float(inclusion @ (requests * costs)))
    return Allocation(
        inclusion=tuple(inclusion.tolist()),
        cost_usd=float(inclusion @ (requests * costs)),
        samples=float(inclusion @ requests),
        floor_kept=kept,
    )


def _within(floor: FloatArray, wanted: FloatArray, factor: float, weight_ratio: float, most: float) -> FloatArray:
    inclusion = np.minimum(most, np.maximum(floor, factor * wanted))
    found: FloatArray = np.maximum(inclusion, inclusion.max() / weight_ratio)
    return found


def _spending(
    budget: float, usd: FloatArray, floor: FloatArray, wanted: FloatArray, weight_ratio: float, most: float
) -> FloatArray:
    """By bisection on the factor: what is spent rises with it."""
    low, high = 0.0, most / float(wanted.min())  # there everything is sampled at `most`
    for _ in range(60):
        middle = (low + high) / 2.0
        if float(_within(floor, wanted, middle, weight_ratio, most) @ usd) <= budget:
            low = middle
        else:
            high = middle
    return _within(floor, wanted, low, weight_ratio, most)
