"""How much narrower are intervals when the samples follow the budget's allocation?"""

from __future__ import annotations

import numpy as np
from bars import Row

from shadow.statistics.sampling_simulation import SamplingWorld, compare_schemes
from shadow.statistics.simulation import JUDGES


def run(*, runs: int, seed: int) -> list[Row]:
    """All rows about budgeted sampling, on shares .7/.2/.1 with accuracy .99/.97/.60 and 1,000 samples."""
    rows = []
    worlds = {"200 labels, judge right": SamplingWorld(), "200 labels, good judge": SamplingWorld(judge=JUDGES["good"])}
    for at, (name, world) in enumerate(worlds.items()):
        found = compare_schemes(world, runs=runs, rng=np.random.default_rng([seed, at]))
        width = found["budgeted"].width
        barred = at == 0  # otherwise the labels' error, which no sampling can mend, is most of it
        rows += [
            Row(
                what=f"width, budgeted over uniform post-stratified: {name}",
                runs=runs,
                found=width / found["uniform"].width,
                at_most=0.88 if barred else None,
            ),
            Row(
                what=f"width, budgeted over uniform Hajek: {name}",
                runs=runs,
                found=width / found["hajek"].width,
                at_most=0.80 if barred else None,
            ),
            Row(what=f"coverage, budgeted: {name}", runs=runs, found=found["budgeted"].covered, at_least=0.93),
        ]
    return rows
