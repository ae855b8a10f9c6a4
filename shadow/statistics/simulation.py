"""Does an interval cover the truth as often as it claims, in a world where the truth is known?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from shadow.statistics.estimate import Estimate
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.strata import Strata, Stratum
from shadow.statistics.sums import SUM_FIELDS, BoolArray, FloatArray, IntArray, Samples, Sums, sums_by_group

TYPE_SHARES = (0.5, 0.3, 0.2)
BAND_SHARES = (0.6, 0.3, 0.1)
SHIFTS = np.add.outer((0.4, 0.0, -0.6), (0.5, -0.3, -1.0)).ravel()  # log odds: hard types and low bands fail more
SHARES = np.outer(TYPE_SHARES, BAND_SHARES).ravel()
CELLS = SHARES.size
RUNS_AT_ONCE = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedJudge:
    """Takes answers as good or bad, rightly or not, and says p around 1 - spread or spread.

    useless: p does not depend on the truth.
    """

    sensitivity: float  # P(takes as good | good)
    specificity: float  # P(takes as bad | bad)
    spread: float = 0.1
    useless: bool = False


JUDGES = {
    "good": SimulatedJudge(sensitivity=0.98, specificity=0.9),
    "erring": SimulatedJudge(sensitivity=0.85, specificity=0.5),
    "useless": SimulatedJudge(sensitivity=0.8, specificity=0.2, useless=True),
    "near perfect": SimulatedJudge(sensitivity=0.998, specificity=0.99, spread=0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One tier's traffic: three query types times three bands, of unequal accuracy that averages to `accuracy`.

    inclusion_ratio: how much likelier the lowest band is sampled than the highest; above 1 every stratum also mixes two
    inclusion probabilities. self_weighting: labels drawn in proportion to 1/inclusion, as many as that allows up to
    `labels`; else evenly. abstain_good, abstain_bad: the panel's abstentions, which may depend on the truth.
    reviewer_error: P(a label is wrong); gold_good, gold_bad: gold items that measured it.
    """

    accuracy: float
    mirrored: int
    tier: str = "fast"
    labels: int = 200
    judge: SimulatedJudge = JUDGES["good"]
    inclusion_ratio: float = 1.0
    self_weighting: bool = True
    abstain_good: float = 0.0
    abstain_bad: float = 0.0
    reviewer_error: float = 0.0
    gold_good: int = 300
    gold_bad: int = 150
    mean_inclusion: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """covered: share of the runs with an estimate whose interval held the truth; width: their mean width.

    bias: mean of estimate minus truth; undefined: runs without an estimate.
    """

    covered: float
    runs: int
    undefined: int
    width: float
    bias: float

    @property
    def standard_error(self) -> float:
        """Monte Carlo error of `covered`."""
        return float(np.sqrt(self.covered * (1 - self.covered) / max(1, self.runs)))


Estimator = Callable[[Strata, Reviewer], Estimate | None]


def cell_accuracies(accuracy: float) -> FloatArray:
    """Accuracy of each of the nine cells, shape (9,), averaging to `accuracy` over the cells' shares."""
    level = brentq(lambda x: float(SHARES @ expit(x + SHIFTS)) - accuracy, -20.0, 20.0)
    cells: FloatArray = expit(level + SHIFTS)
    return cells


def simulate(world: World, *, runs: int, rng: np.random.Generator) -> Iterator[tuple[Strata, Reviewer]]:
    """Windows drawn from the world, each with a freshly measured reviewer."""
    for start in range(0, runs, RUNS_AT_ONCE):
        yield from _batch(world, min(RUNS_AT_ONCE, runs - start), rng)


def cover(
    worlds: Sequence[World], estimators: Mapping[str, Estimator], *, runs: int, rng: np.random.Generator
) -> dict[str, Coverage]:
    """How often each estimator's interval holds the truth of all these tiers together, on the same windows.

    The reviewer is measured as in the first world. Tiers must have different names.
    """
    found: dict[str, list[Estimate]] = {name: [] for name in estimators}
    requests = [world.mirrored / world.mean_inclusion for world in worlds]
    truth = float(np.average([world.accuracy for world in worlds], weights=requests))
    for windows in zip(*(simulate(world, runs=runs, rng=rng) for world in worlds), strict=True):
        strata = {key: sums for window, _ in windows for key, sums in window.items()}
        reviewer = windows[0][1]
        for name, estimator in estimators.items():
            estimate = estimator(strata, reviewer)
            if estimate is not None:
                found[name].append(estimate)
    return {name: _summarise(estimates, truth, runs) for name, estimates in found.items()}


def _summarise(estimates: list[Estimate], truth: float, runs: int) -> Coverage:
    return Coverage(
        covered=float(np.mean([e.covers(truth) for e in estimates])) if estimates else 0.0,
        runs=len(estimates),
        undefined=runs - len(estimates),
        width=float(np.mean([e.width or 0.0 for e in estimates])) if estimates else 0.0,
        bias=float(np.mean([e.value - truth for e in estimates])) if estimates else 0.0,
    )


def _batch(world: World, runs: int, rng: np.random.Generator) -> Iterator[tuple[Strata, Reviewer]]:
    requests = world.mirrored / world.mean_inclusion
    counts, inclusion_of = _design(world, requests)
    drawn = rng.binomial(counts.astype(np.int64), inclusion_of, size=(runs, *counts.shape))  # run x cell x level
    group = np.repeat(np.arange(runs * CELLS).repeat(2), drawn.ravel())
    inclusion = np.repeat(np.tile(inclusion_of.ravel(), runs), drawn.ravel())
    good = rng.random(group.size) < cell_accuracies(world.accuracy)[group % CELLS]
    samples = _observe(world, good, inclusion, requests, float(inclusion_of.min()), rng)
    matrix = sums_by_group(samples, group, groups=runs * CELLS).reshape(runs, CELLS, len(SUM_FIELDS))
    matrix[:, :, 0] = counts.sum(axis=1)
    gold = _gold(world, runs, rng)
    keys = [Stratum(tier=world.tier, query_type=str(cell // 3), band=cell % 3) for cell in range(CELLS)]
    for run in range(runs):
        strata = {key: Sums.from_vector(matrix[run, cell]) for cell, key in enumerate(keys)}
        yield (
            strata,
            Reviewer(
                false_rejects=int(gold[run, 0]),
                gold_good=world.gold_good,
                false_accepts=int(gold[run, 1]),
                gold_bad=world.gold_bad,
            ),
        )


def _design(world: World, requests: float) -> tuple[FloatArray, FloatArray]:
    """Requests and inclusion probability by cell and level, both of shape (9, 2)."""
    by_band = world.inclusion_ratio ** np.array([0.0, 0.5, 1.0])
    level = np.array([1.0, 1.0 + 0.5 * (world.inclusion_ratio > 1.0)])
    relative = np.outer(np.tile(by_band, len(TYPE_SHARES)), level)
    counts = np.round(np.outer(SHARES, (0.5, 0.5)) * requests)
    return counts, relative * world.mirrored / float((counts * relative).sum())


def _observe(
    world: World, good: BoolArray, inclusion: FloatArray, requests: float, least: float, rng: np.random.Generator
) -> Samples:
    n = good.size
    looks_good = np.zeros(n, dtype=np.bool_) if world.judge.useless else good
    taken_good = rng.random(n) < np.where(looks_good, world.judge.sensitivity, 1 - world.judge.specificity)
    towards = world.judge.spread * 2 * rng.random(n)
    decided = rng.random(n) >= np.where(good, world.abstain_good, world.abstain_bad)
    chance = (
        min(world.labels / requests, least) / inclusion
        if world.self_weighting
        else np.full(n, world.labels / world.mirrored)
    )
    chance = np.minimum(chance, 1.0)
    label = good ^ (rng.random(n) < world.reviewer_error)
    return Samples(
        inclusion=inclusion,
        decided=decided,
        probability=np.where(taken_good, 1 - towards, towards),
        abstained=~decided,
        labelled=rng.random(n) < chance,
        label=label.astype(float),
        label_inclusion=chance,
    )


def _gold(world: World, runs: int, rng: np.random.Generator) -> IntArray:
    sizes = (world.gold_good, world.gold_bad)
    return np.stack([rng.binomial(size, world.reviewer_error, size=runs) for size in sizes], axis=1)
