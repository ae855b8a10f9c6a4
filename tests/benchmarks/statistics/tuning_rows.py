"""Is epsilon kept by what is certified, and is enough certified?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from bars import Row

from shadow.statistics.tuning_simulation import (
    POPULATION,
    TuningWorld,
    certified_share,
    gap_for_risk,
    traffic,
    true_risk,
    tune,
)

EPSILON, DELTA = 0.03, 0.1
THREE_TIERS = TuningWorld(gaps=(2.5, 1.0), costs_usd=(1.0, 4.0, 10.0), labels=1000)


def boundary(*, runs: int, rng: np.random.Generator) -> Iterator[Row]:
    """One policy, whose true risk is epsilon: the worst case for wrong certificates."""
    for labels, ratio in ((None, 1.0), (None, 4.0), (1000, 1.0), (1000, 4.0), (450, 1.0)):
        world = TuningWorld(score_noise=-1.0, labels=labels, inclusion_ratio=ratio)
        world = replace(world, gaps=(gap_for_risk(world, EPSILON, rng=rng),))
        kind = "truth of all, betting" if labels is None else f"{labels} labels of 5,000, erring judge"
        found = certified_share(world, epsilon=EPSILON, delta=DELTA, runs=runs, rng=rng)
        yield Row(
            what=f"certified at true risk = epsilon: {kind}, pi 1:{ratio:g}",
            runs=runs,
            found=found,
            at_most=DELTA,
            rate=True,
        )


def graded(*, runs: int, rng: np.random.Generator) -> Iterator[Row]:
    """Scores that tell hard from easy requests: a whole path of policies."""
    worlds = {
        "2 tiers, truth of all": TuningWorld(),
        "2 tiers, 1,000 labels": TuningWorld(labels=1000),
        "2 tiers, 1,000 labels, pi 1:4": TuningWorld(labels=1000, inclusion_ratio=4.0),
        "2 tiers, 3 query types apart, 1,000 labels": TuningWorld(labels=1000, kinds=3),
        "3 tiers, 1,000 labels": THREE_TIERS,
    }
    for name, world in worlds.items():
        population = traffic(world, POPULATION, rng)
        few = runs // 4 if len(world.gaps) > 1 or world.kinds > 1 else runs // 2
        found = [tune(world, epsilon=EPSILON, delta=DELTA, rng=rng) for _ in range(few)]
        certified = [one.thresholds for one in found if one.status == "certified" and one.thresholds is not None]
        broke = sum(true_risk(population, thresholds) >= EPSILON for thresholds in certified) / few
        yield Row(what=f"tuned policy breaks epsilon: {name}", runs=few, found=broke, at_most=DELTA, rate=True)
        share = len(certified) / few
        yield Row(what=f"something cheaper certified: {name}", runs=few, found=share, at_least=0.5)


def single(*, runs: int, rng: np.random.Generator) -> Iterator[Row]:
    """The only cheaper policy has a true risk of .015; 2,500 of the 5,000 pairs are left to test it."""
    base = TuningWorld(score_noise=-1.0, together=0.6)
    base = replace(base, gaps=(gap_for_risk(base, 0.015, rng=rng),))
    for proof, bar in (("studentised", 0.5), ("betting", 0.5)):
        found = certified_share(base, epsilon=EPSILON, delta=DELTA, runs=runs // 2, rng=rng, proof=proof)
        yield Row(what=f"certified at true risk .015: truth of all, {proof}", runs=runs // 2, found=found, at_least=bar)
    found = certified_share(replace(base, labels=1000), epsilon=EPSILON, delta=DELTA, runs=runs // 2, rng=rng)
    yield Row(what="certified at true risk .015: 1,000 labels of 5,000", runs=runs // 2, found=found)


PARTS = (boundary, graded, single)


def run(part: int, *, runs: int, seed: int) -> list[Row]:
    """The rows of one part."""
    return list(PARTS[part](runs=runs, rng=np.random.default_rng([seed, part])))
