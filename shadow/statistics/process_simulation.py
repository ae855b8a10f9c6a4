"""How often do the e-processes fire, with and without a reason, where the truth is known?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from shadow.statistics.drift import Baseline, fired, freeze_baseline, gains
from shadow.statistics.simulation import JUDGES, SimulatedJudge
from shadow.statistics.stream_watch import Cohorts, Key, Pair, Rule, Stream, advance
from shadow.statistics.sums import BoolArray, FloatArray
from shadow.statistics.upgrade_evidence import MARGIN, UpgradeEvidence, corrected_difference


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamWorld:
    """A stream of mirrored pairs of one tier, query type and pinned model.

    failure_rate: before; drop: of accuracy, from the first pair after the baseline on. missing: share of pairs without a verdict
    when the watermark passes; slow_failures: failures are three times as often late. ratio: of the largest to the smallest
    weight. The process is looked at after every pair, which is more often than every 15 minutes.
    """

    pairs: int
    baseline: int = 2_000
    failure_rate: float = 0.1
    drop: float = 0.0
    missing: float = 0.02
    slow_failures: bool = False
    ratio: float = 1.0


def alarms(world: StreamWorld, *, runs: int, alpha: float, rng: np.random.Generator) -> float:
    """Share of runs in which one stream fires, each with a baseline of its own, all of alpha being its own."""
    count = 0
    for _ in range(runs):
        before, _, weights = _pairs(world, world.baseline, world.failure_rate, rng)
        baseline = freeze_baseline(before, weights, alpha=alpha, largest_weight=world.ratio)
        if isinstance(baseline, Baseline):
            failures, known, weights = _pairs(world, world.pairs, world.failure_rate + world.drop, rng)
            count += fired(baseline.start().advance(gains(baseline, failures, known, weights)), alpha)
    return count / runs


def watched_alarms(
    world: StreamWorld, *, streams: int, runs: int, rule: Rule, rng: np.random.Generator
) -> tuple[float, float]:
    """The same by the code that runs in production (`stream_watch.advance`): share of runs in which the first of so many streams
    fires, which alone has the drop, and in which any other does.

    A pair's verdict is in at the watermark or missing; looks come every 50 pairs a stream. A third of the streams each has the
    world's failure rate, half of it, and twice.
    """
    first = others = 0
    start, keys = datetime(2026, 1, 5, tzinfo=UTC), [("tier", "model", str(number)) for number in range(streams)]
    rates = [world.failure_rate * (1.0, 0.5, 2.0)[number % 3] for number in range(streams)]
    for _ in range(runs):
        drawn = []
        for number, rate in enumerate(rates):
            before = _pairs(world, world.baseline, rate, rng)
            after = _pairs(world, world.pairs, rate + (world.drop if number == 0 else 0.0), rng)
            drawn.append([np.concatenate(part) for part in zip(before, after, strict=True)])
        found: dict[Key, Stream] = {}
        cohorts, n = Cohorts(), world.baseline + world.pairs
        for look in range(0, n, 50):
            pairs = [
                (key, _watched_pair(start + timedelta(minutes=at), at, drawn[number], world.ratio))
                for at in range(look, min(look + 50, n))
                for number, key in enumerate(keys)
            ]
            advanced = advance(found, cohorts, pairs, rule)
            found, cohorts = dict(advanced.streams), advanced.cohorts
        first += found[keys[0]].fired_at is not None
        others += any(found[key].fired_at is not None for key in keys[1:])
    return first / runs, others / runs


def _watched_pair(when: datetime, at: int, drawn: list[FloatArray], largest: float) -> Pair:
    failures, known, weights = drawn
    return Pair(
        at=when,
        failure=float(failures[at]) if known[at] else None,
        weight=float(weights[at]),
        share=float(weights[at]) / largest,
    )


def _pairs(
    world: StreamWorld, n: int, rate: float, rng: np.random.Generator
) -> tuple[FloatArray, BoolArray, FloatArray]:
    """Judged failures, whether they are in by the watermark, and weights; half the traffic is drawn less often."""
    light = rng.random(n) < world.ratio / (1.0 + world.ratio)  # drawn more often, so more of the pairs
    failed = rng.random(n) < rate
    late = world.missing * np.where(failed & world.slow_failures, 3.0, 1.0)
    return failed.astype(float), rng.random(n) >= late, np.where(light, 1.0, world.ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeWorld:
    """A candidate beside the pinned model. difference: true mean of D; discordance: share of pairs with D = -1 or 1.

    label_inclusion: 1 for the truth of all; judge: of each answer apart, where labels are few.
    """

    difference: float
    pairs: int
    discordance: float = 0.1
    label_inclusion: float = 1.0
    accuracy: float = 0.9
    judge: SimulatedJudge = JUDGES["erring"]
    margin: float = MARGIN


def upgrade_verdicts(world: UpgradeWorld, *, runs: int, rng: np.random.Generator) -> dict[str, float]:
    """Share of runs by verdict at the cap of `pairs`."""
    found: Counter[str] = Counter()
    for _ in range(runs):
        judged, labelled, truth = upgrade_pairs(world, rng)
        z = corrected_difference(judged, labelled, truth, np.full(world.pairs, world.label_inclusion))
        evidence = UpgradeEvidence.start(label_inclusion=world.label_inclusion, margin=world.margin).advance(z)
        found[evidence.verdict(cap_pairs=world.pairs)] += 1
    return {verdict: count / runs for verdict, count in found.items()}


def upgrade_pairs(world: UpgradeWorld, rng: np.random.Generator) -> tuple[FloatArray, BoolArray, FloatArray]:
    """One run, each of shape (n,): D as the judge sees it, whether a reviewer looked, and the true D."""
    better = (world.discordance + world.difference) / 2
    kinds = rng.choice(4, size=world.pairs, p=_kinds(world, better))
    candidate, pinned = np.isin(kinds, (0, 2)), np.isin(kinds, (0, 3))
    truth = candidate.astype(float) - pinned
    judged = truth
    if world.label_inclusion < 1.0:
        judged = _opinion(world.judge, candidate, rng) - _opinion(world.judge, pinned, rng)
    return judged, rng.random(world.pairs) < world.label_inclusion, truth


def _kinds(world: UpgradeWorld, better: float) -> list[float]:
    """Chances of: both good, both bad, only the candidate, only the pinned one."""
    worse = world.discordance - better
    both = world.accuracy - worse
    return [both, 1.0 - both - better - worse, better, worse]


def _opinion(judge: SimulatedJudge, good: BoolArray, rng: np.random.Generator) -> FloatArray:
    taken = rng.random(good.size) < np.where(good, judge.sensitivity, 1 - judge.specificity)
    towards = judge.spread * 2 * rng.random(good.size)
    opinion: FloatArray = np.where(taken, 1 - towards, towards)
    return opinion
