"""Do alarms, discoveries and upgrades keep their error rates, and find what they should?"""

from __future__ import annotations

import numpy as np
from bars import Row

from shadow.statistics.discoveries import Slices, report
from shadow.statistics.process_simulation import StreamWorld, UpgradeWorld, alarms, upgrade_verdicts

ALPHA = 0.05


def streams(*, runs: int, rng: np.random.Generator) -> list[Row]:
    """E-processes on judged failures, one stream of 200 pairs a day."""
    rows = []
    for name, world in (
        ("no change", StreamWorld(pairs=18_000)),
        ("no change, failures three times as often late", StreamWorld(pairs=18_000, missing=0.1, slow_failures=True)),
        ("no change, weights 1:5", StreamWorld(pairs=18_000, ratio=5.0)),
    ):
        found = alarms(world, runs=runs, alpha=ALPHA, rng=rng)
        rows.append(Row(what=f"false alarm in 90 days: {name}", runs=runs, found=found, at_most=ALPHA, rate=True))
    for baseline, bar in ((2_000, 0.7), (10_000, 0.9)):
        world = StreamWorld(pairs=1_400, baseline=baseline, drop=0.05)
        found = alarms(world, runs=runs, alpha=ALPHA, rng=rng)
        rows.append(
            Row(what=f"5-point drop found in 1,400 pairs: baseline {baseline}", runs=runs, found=found, at_least=bar)
        )
    return rows


def upgrades(*, runs: int, rng: np.random.Generator) -> list[Row]:
    """A candidate beside the pinned model, discordance .10."""
    rows = []
    for name, difference, pairs, eta, verdict, bar in (
        ("wrongly ready at D = -m: truth of all", -0.05, 4_000, 1.0, "not_worse", (ALPHA, None)),
        ("wrongly ready at D = -m: erring judge, 1 label in 4", -0.05, 4_000, 0.25, "not_worse", (ALPHA, None)),
        ("wrongly called worse at D = 0: erring judge, 1 label in 4", 0.0, 4_000, 0.25, "worse", (ALPHA, None)),
        ("equal model ready: 1,000 pairs, truth of all", 0.0, 1_000, 1.0, "not_worse", (None, None)),
        ("equal model ready: 4,000 pairs, 1,000 labels", 0.0, 4_000, 0.25, "not_worse", (None, None)),
    ):
        world = UpgradeWorld(difference=difference, pairs=pairs, label_inclusion=eta)
        found = upgrade_verdicts(world, runs=runs, rng=rng).get(verdict, 0.0)
        rows.append(Row(what=name, runs=runs, found=found, at_most=bar[0], at_least=bar[1], rate=bar[0] is not None))
    return rows


def weekly(*, runs: int, rng: np.random.Generator) -> list[Row]:
    """200 slices, 1,200 verdicts now against 4,800 before, failure rate .10."""
    quiet = found = 0
    for _ in range(runs):
        for drop in (0.0, 0.05):
            rates = np.where(np.arange(200) == 0, 0.1 + drop, 0.1)
            slices = Slices(
                failures_now=rng.binomial(1_200, rates) / 1_200,
                n_now=np.full(200, 1_200.0),
                failures_before=rng.binomial(4_800, 0.1, size=200) / 4_800,
                n_before=np.full(200, 4_800.0),
            )
            outcomes = [finding.outcome for finding in report(slices).findings]
            quiet += drop == 0.0 and "worse" in outcomes
            found += drop > 0.0 and outcomes[0] == "worse"
    return [
        Row(what="weekly, no change: any discovery", runs=runs, found=quiet / runs, at_most=0.05, rate=True),
        Row(what="weekly, 5-point drop in one of 200: found", runs=runs, found=found / runs, at_least=0.8),
    ]


PARTS = (streams, upgrades, weekly)


def run(part: int, *, runs: int, seed: int) -> list[Row]:
    """The rows of one part."""
    return PARTS[part](runs=runs, rng=np.random.default_rng([seed, part]))
