"""Do the intervals hold the truth as often as they claim? The small seeded run; benchmarks hold the large one."""

from __future__ import annotations

import numpy as np
import pytest

from shadow.statistics.accuracy import corrected, labels_only, raw
from shadow.statistics.simulation import CELLS, JUDGES, SHARES, World, cell_accuracies, cover, simulate

RUNS = 400
# 95 % +- 2 points is the bar; 400 runs see it through a Monte Carlo error of about one point, of which 2.6 are allowed.
LOW, HIGH = 0.93 - 2.6 * 0.0125, 0.97 + 2.6 * 0.0085


@pytest.mark.parametrize(
    "world",
    [
        World(accuracy=0.6, mirrored=250, judge=JUDGES["useless"]),
        World(accuracy=0.9, mirrored=500, judge=JUDGES["erring"], inclusion_ratio=4.0),
        World(accuracy=0.95, mirrored=1000, judge=JUDGES["good"], abstain_good=0.1, abstain_bad=0.3),
        World(accuracy=0.98, mirrored=1000, judge=JUDGES["good"]),
        World(accuracy=0.9, mirrored=500, judge=JUDGES["good"], inclusion_ratio=4.0, self_weighting=False),
    ],
    ids=["useless judge", "erring judge, unequal pi", "abstentions", "near one", "unequal label weights"],
)
def test_the_corrected_interval_covers_and_is_no_wider_than_labels_alone(world: World) -> None:
    estimators = {"corrected": lambda s, _: corrected(s), "labels": lambda s, _: labels_only(s)}
    found = cover([world], estimators, runs=RUNS, rng=np.random.default_rng(11))
    assert found["corrected"].undefined == 0
    assert LOW <= found["corrected"].covered <= HIGH
    assert found["corrected"].width <= found["labels"].width
    assert abs(found["corrected"].bias) < 0.1 * found["corrected"].width


def test_a_good_judge_narrows_the_interval_by_a_fifth_or_more() -> None:
    world = World(accuracy=0.9, mirrored=1000, judge=JUDGES["good"])
    estimators = {"corrected": lambda s, _: corrected(s), "labels": lambda s, _: labels_only(s)}
    found = cover([world], estimators, runs=100, rng=np.random.default_rng(12))
    assert found["corrected"].width <= 0.8 * found["labels"].width


def test_the_overall_interval_covers_though_the_top_tier_has_a_dozen_labels() -> None:
    worlds = [
        World(tier="fast", accuracy=0.8, mirrored=700),
        World(tier="mid", accuracy=0.93, mirrored=250, labels=40),
        World(tier="top", accuracy=0.98, mirrored=60, labels=12, mean_inclusion=0.01),
    ]
    found = cover(worlds, {"corrected": lambda s, _: corrected(s)}, runs=RUNS, rng=np.random.default_rng(16))
    assert found["corrected"].runs == RUNS
    assert LOW <= found["corrected"].covered <= 0.99


def test_judges_alone_miss_the_truth_when_they_err() -> None:
    world = World(accuracy=0.9, mirrored=1000, judge=JUDGES["erring"])
    found = cover([world], {"raw": lambda s, _: raw(s)}, runs=50, rng=np.random.default_rng(13))
    assert found["raw"].covered == 0.0


def test_a_reviewer_with_three_percent_errors_must_be_put_right() -> None:
    world = World(accuracy=0.95, mirrored=1000, reviewer_error=0.03)
    estimators = {"trusting": lambda s, _: corrected(s), "put right": lambda s, r: corrected(s, reviewer=r)}
    found = cover([world], estimators, runs=RUNS, rng=np.random.default_rng(14))
    assert LOW <= found["put right"].covered <= HIGH
    assert found["trusting"].covered < 0.7


def test_the_simulated_world_is_as_accurate_as_it_says() -> None:
    assert SHARES.sum() == pytest.approx(1.0)
    assert cell_accuracies(0.93) @ SHARES == pytest.approx(0.93, abs=1e-9)
    world = World(accuracy=0.9, mirrored=600, inclusion_ratio=4.0)
    windows = [strata for strata, _ in simulate(world, runs=40, rng=np.random.default_rng(15))]
    assert all(len(strata) == CELLS for strata in windows)
    sampled = np.mean([sum(s.sampled for s in strata.values()) for strata in windows])
    assert sampled == pytest.approx(600, rel=0.02)
    weights = np.mean([sum(s.w for s in strata.values()) for strata in windows])
    assert weights == pytest.approx(600 / 0.05, rel=0.03)
