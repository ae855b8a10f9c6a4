"""Does the interval of the excess divergence cover, over floors, excesses, unequal probabilities and erring judges?"""

from __future__ import annotations

import itertools

import numpy as np
from bars import Row

from shadow.statistics.noise_simulation import NoiseWorld, covered
from shadow.statistics.simulation import JUDGES, SimulatedJudge

WORLDS = ((0.02, 0.0), (0.02, 0.03), (0.05, 0.0), (0.05, 0.1), (0.15, 0.05), (0.15, 0.3), (0.1, -0.05))
PANELS = {"near perfect": SimulatedJudge(sensitivity=0.97, specificity=0.95, spread=0.05), "erring": JUDGES["erring"]}


def run(*, runs: int, seed: int) -> list[Row]:
    """Least and greatest coverage over 28 worlds, by number of pairs. Few pairs of rare differences may cover too often."""
    rows = []
    for pairs in (30, 50, 100, 200, 400):
        found = [
            covered(
                NoiseWorld(pairs=pairs, floor=floor, excess=excess, judge=judge, inclusion_ratio=ratio),
                runs=runs,
                rng=np.random.default_rng([seed, pairs, at]),
            )
            for at, ((floor, excess), judge, ratio) in enumerate(itertools.product(WORLDS, PANELS.values(), (1.0, 4.0)))
        ]
        name = f"coverage of the excess divergence, {pairs} control pairs"
        rows.append(Row(what=f"{name}: least of {len(found)} worlds", runs=runs, found=min(found), at_least=0.93))
        most = 0.97 if pairs >= 100 else None
        rows.append(Row(what=f"{name}: greatest", runs=runs, found=max(found), at_most=most, rate=most is not None))
    return rows
