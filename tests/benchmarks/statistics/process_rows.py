"""Do alarms, discoveries and upgrades keep their error rates, and find what they should?"""

from __future__ import annotations

import numpy as np
from bars import Row

from shadow.statistics.discoveries import Slices, report
from shadow.statistics.moments import Moments
from shadow.statistics.process_simulation import StreamWorld, UpgradeWorld, alarms, upgrade_verdicts, watched_alarms
from shadow.statistics.regressions import compare
from shadow.statistics.stream_watch import Rule
from shadow.statistics.sums import FloatArray

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


def watched(*, runs: int, rng: np.random.Generator) -> list[Row]:
    """The same as production runs them, alpha shared in cohorts. 18 streams: of failure rates .05, .025 and .1."""
    rows, rule = [], Rule(alpha=ALPHA)
    slow = StreamWorld(pairs=18_000, missing=0.1, slow_failures=True, ratio=5.0)
    found, _ = watched_alarms(slow, streams=1, runs=runs // 4, rule=rule, rng=rng)
    name = "watched: false alarm in 90 days, failures slower, weights 1:5"
    rows.append(Row(what=name, runs=runs // 4, found=found, at_most=ALPHA, rate=True))
    for baseline, bar in ((2_000, 0.7), (10_000, 0.9)):
        world = StreamWorld(pairs=1_400, baseline=baseline, drop=0.05)
        fell = Rule(alpha=ALPHA, baseline_pairs=baseline * 98 // 100)  # some have no verdict
        found, _ = watched_alarms(world, streams=1, runs=runs, rule=fell, rng=rng)
        name = f"watched: 5-point drop found in 1,400 pairs, baseline {baseline}"
        rows.append(Row(what=name, runs=runs, found=found, at_least=bar))
    week = StreamWorld(pairs=2_300, baseline=2_300, failure_rate=0.05, drop=0.05)
    found, others = watched_alarms(week, streams=18, runs=runs // 10, rule=rule, rng=rng)
    rows.append(
        Row(what="watched: 5-point drop in 1 of 18, 2,300 a week: found", runs=runs // 10, found=found, at_least=0.7)
    )
    rows.append(Row(what="watched: the same, any other fires", runs=runs // 10, found=others, at_most=ALPHA, rate=True))
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
    uneven = detectable = 0
    stated = report(_slices(np.full(200, 0.1), np.full(200, 0.1))).findings[0].detectable or 1.0
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
        rates = np.where(np.arange(200) == 0, 0.1 + stated, 0.1)
        one = report(_slices(rng.binomial(1_200, rates) / 1_200, rng.binomial(4_800, 0.1, size=200) / 4_800))
        detectable += one.findings[0].outcome == "worse"
        weighted = compare(_weighted(1_200, rng), _weighted(4_800, rng)).cells
        uneven += any(cell.outcome == "worse" for cell in weighted)
    return [
        Row(what="weekly, no change: any discovery", runs=runs, found=quiet / runs, at_most=0.05, rate=True),
        Row(what="weekly, 5-point drop in one of 200: found", runs=runs, found=found / runs, at_least=0.8),
        Row(
            what="weekly, no change, weights 1:5, calibrated verdicts: any discovery",
            runs=runs,
            found=uneven / runs,
            at_most=0.05,
            rate=True,
        ),
        Row(
            what=f"weekly, a drop of the {100 * stated:.1f} points that quiet cells state (power .8): found",
            runs=runs,
            found=detectable / runs,
            at_least=0.77,
        ),
    ]


def _slices(now: FloatArray, before: FloatArray) -> Slices:
    return Slices(failures_now=now, n_now=np.full(200, 1_200.0), failures_before=before, n_before=np.full(200, 4_800.0))


def _weighted(n: int, rng: np.random.Generator) -> Moments:
    """200 cells of n judged pairs: half the requests weigh 5, p is .97 or .02. From counts: drawing each pair is slower."""
    heavy = rng.binomial(n, 1 / 6, size=200)
    kinds = []
    for weight, pairs in ((5.0, heavy), (1.0, n - heavy)):
        bad = rng.binomial(pairs, 0.1)
        kinds += [(weight, 0.02, bad), (weight, 0.97, pairs - bad)]
    return Moments(
        judged=np.full(200, float(n)),
        w=np.sum([count * w for w, _, count in kinds], axis=0),
        wp=np.sum([count * w * p for w, p, count in kinds], axis=0),
        ww=np.sum([count * w * w for w, _, count in kinds], axis=0),
        wwp=np.sum([count * w * w * p for w, p, count in kinds], axis=0),
        wwpp=np.sum([count * w * w * p * p for w, p, count in kinds], axis=0),
    )


PARTS = (streams, upgrades, weekly, watched)


def run(part: int, *, runs: int, seed: int) -> list[Row]:
    """The rows of one part."""
    return PARTS[part](runs=runs, rng=np.random.default_rng([seed, part]))
