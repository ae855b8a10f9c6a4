"""What is budgeted sampling worth, where the truth is known?

Three strata of unequal accuracy. *budgeted*: inclusion probabilities from an earlier period's verdicts for the same money;
*uniform*: the same probability for all, post-stratified; *hajek*: the same, without strata.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from shadow.statistics.accuracy import corrected
from shadow.statistics.allocation import StratumPlan, allocate
from shadow.statistics.estimate import Estimate
from shadow.statistics.simulation import SimulatedJudge
from shadow.statistics.strata import Strata, Stratum
from shadow.statistics.sums import FloatArray, Samples, Sums, sums_by_group

Scheme = Literal["budgeted", "uniform", "hajek"]
SCHEMES: tuple[Scheme, ...] = ("budgeted", "uniform", "hajek")
RIGHT = SimulatedJudge(sensitivity=1.0, specificity=1.0, spread=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingWorld:
    """shares and accuracies by stratum; requests in the window, of which `rate` may be sampled; labels, self-weighting.

    judge: RIGHT leaves sampling error alone to be seen.
    """

    shares: tuple[float, ...] = (0.7, 0.2, 0.1)
    accuracies: tuple[float, ...] = (0.99, 0.97, 0.60)
    requests: int = 20_000
    rate: float = 0.05
    labels: int = 200
    judge: SimulatedJudge = RIGHT

    @property
    def truth(self) -> float:
        return float(np.dot(self.shares, self.accuracies))


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeFound:
    """Mean width of the 95 % interval, share of intervals that hold the truth, standard deviation of the estimate."""

    width: float
    covered: float
    error: float


def compare_schemes(world: SamplingWorld, *, runs: int, rng: np.random.Generator) -> dict[Scheme, SchemeFound]:
    """Each scheme on windows of its own."""
    found: dict[Scheme, SchemeFound] = {}
    for scheme in SCHEMES:
        estimates = []
        for _ in range(runs):
            inclusion = _planned(world, rng) if scheme == "budgeted" else np.full(len(world.shares), world.rate)
            estimate = corrected(_window(world, inclusion, stratified=scheme != "hajek", rng=rng))
            if isinstance(estimate, Estimate):
                estimates.append(estimate)
        found[scheme] = SchemeFound(
            width=float(np.mean([one.width or 0.0 for one in estimates])),
            covered=float(np.mean([one.covers(world.truth) for one in estimates])),
            error=float(np.std([one.value for one in estimates])),
        )
    return found


def _planned(world: SamplingWorld, rng: np.random.Generator) -> FloatArray:
    """Inclusion probabilities from the verdicts of an earlier window, sampled uniformly, for as many samples."""
    requests = world.requests * np.array(world.shares)
    judged = (requests * world.rate).astype(np.int64)
    failures = rng.binomial(judged, 1.0 - np.array(world.accuracies))
    plans = [
        StratumPlan(requests_per_day=float(n), failures=float(k), judged=float(m), cost_usd=1.0)
        for n, k, m in zip(requests, failures, judged, strict=True)
    ]
    return np.array(allocate(plans, budget_usd_per_day=world.requests * world.rate).inclusion)


def _window(world: SamplingWorld, inclusion: FloatArray, *, stratified: bool, rng: np.random.Generator) -> Strata:
    requests = (world.requests * np.array(world.shares)).astype(np.int64)
    cell = np.repeat(np.arange(requests.size), rng.binomial(requests, inclusion))
    good = rng.random(cell.size) < np.array(world.accuracies)[cell]
    taken = rng.random(cell.size) < np.where(good, world.judge.sensitivity, 1 - world.judge.specificity)
    towards = world.judge.spread * 2 * rng.random(cell.size)
    chance = inclusion[cell]
    label_inclusion = np.minimum(1.0, world.labels / world.requests / chance)
    samples = Samples(
        inclusion=chance,
        decided=np.ones(cell.size, dtype=np.bool_),
        probability=np.where(taken, 1 - towards, towards),
        labelled=rng.random(cell.size) < label_inclusion,
        label=good.astype(float),
        label_inclusion=label_inclusion,
    )
    if not stratified:
        cell, requests = np.zeros_like(cell), requests.sum(keepdims=True)
    matrix = sums_by_group(samples, cell.astype(np.int64), groups=requests.size)
    matrix[:, 0] = requests
    return {Stratum(tier="fast", query_type=str(h)): Sums.from_vector(row) for h, row in enumerate(matrix)}
