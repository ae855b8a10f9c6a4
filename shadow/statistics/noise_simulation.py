"""Does the interval of the excess divergence hold the truth, in a world where both are known?

Hard requests make both answers differ more often, some requests are drawn likelier than others, and the judge errs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shadow.statistics.noise_floor import NoiseSums, noise_floor
from shadow.statistics.simulation import SimulatedJudge
from shadow.statistics.sums import FloatArray

_BATCH = 500
_CONCENTRATION = 2.0  # of the requests' own divergence around the floor: a few differ often, most never


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseWorld:
    """pairs: control samples. floor: how often two answers of the reference differ; excess: how much more often the tier's does.

    inclusion_ratio: how much likelier one half of the requests is drawn than the other. judge: good means "the same" here.
    """

    pairs: int
    floor: float
    excess: float
    judge: SimulatedJudge
    inclusion_ratio: float = 1.0

    @property
    def judged_excess(self) -> float:
        """What the judge sees of the excess: the truth that the interval is about."""
        judge = self.judge
        return self.excess * (judge.sensitivity + judge.specificity - 1.0) * (1.0 - 2.0 * judge.spread)


def covered(world: NoiseWorld, *, runs: int, rng: np.random.Generator) -> float:
    """The share of runs whose interval of the excess holds the truth; a run without an estimate does not."""
    held = 0
    for start in range(0, runs, _BATCH):
        for sums in _drawn(world, min(_BATCH, runs - start), rng):
            estimate = noise_floor(sums).excess
            held += estimate is not None and estimate.covers(world.judged_excess)
    return held / runs


def sums_of(d: FloatArray, r: FloatArray, w: FloatArray) -> list[NoiseSums]:
    """The sums of each row. d, r: divergences; w: 1 / inclusion probability; all of shape (runs, pairs)."""
    products = (w, w * w, w * d, w * r, w * w * d, w * w * r, (w * d) ** 2, w * w * d * r, (w * r) ** 2)
    names = ("w", "ww", "wd", "wr", "wwd", "wwr", "wwdd", "wwdr", "wwrr")
    columns = [product.sum(axis=1).tolist() for product in products]
    n = float(d.shape[1])
    return [NoiseSums(control=n, pairs=n, **dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def _drawn(world: NoiseWorld, runs: int, rng: np.random.Generator) -> list[NoiseSums]:
    shape, floor, excess = (runs, world.pairs), world.floor, world.excess
    own = rng.beta(_CONCENTRATION * floor, _CONCENTRATION * (1.0 - floor), size=shape)
    served = own + excess * (1.0 - own) / (1.0 - floor) if excess >= 0 else own * (1.0 + excess / floor)
    weight = np.where(rng.random(shape) < 0.5, 1.0, world.inclusion_ratio)
    return sums_of(_judged(world.judge, served, rng), _judged(world.judge, own, rng), weight)


def _judged(judge: SimulatedJudge, chance: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Divergence as the judge says it, where the answers differ with this chance."""
    differs = rng.random(chance.shape) < chance
    taken = rng.random(chance.shape) < np.where(differs, judge.specificity, 1.0 - judge.sensitivity)
    towards = judge.spread * 2.0 * rng.random(chance.shape)
    return np.where(taken, 1.0 - towards, towards)
