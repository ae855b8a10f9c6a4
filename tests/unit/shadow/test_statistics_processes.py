"""Do the e-processes keep their error rates whenever one looks, and fire when something is wrong?"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.drift import Baseline, due, fired, freeze_baseline, gains, stream_alpha
from shadow.statistics.e_process import EProcess, epoch_alpha
from shadow.statistics.estimate import Undefined
from shadow.statistics.process_simulation import StreamWorld, UpgradeWorld, alarms, upgrade_verdicts, watched_alarms
from shadow.statistics.stream_watch import Cohorts, Rule
from shadow.statistics.upgrade_evidence import UpgradeEvidence, corrected_difference


def test_wealth_is_the_mean_over_bets_of_products() -> None:
    found = EProcess.start((0.5, 1.0)).advance(np.array([0.2, -0.1]))
    by_hand = (1.1 * 0.95 + 1.2 * 0.9) / 2
    assert math.exp(found.log_wealth) == pytest.approx(by_hand)
    assert math.exp(found.peak) == pytest.approx((1.1 + 1.2) / 2)
    assert found.p_value == pytest.approx(2 / 2.3)
    assert found.draws == 2
    assert not found.fired(0.05)


@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(0, 80), max_size=4))
def test_it_does_not_matter_how_often_one_looks(seed: int, cuts: list[int]) -> None:
    draws = np.random.default_rng(seed).uniform(-1, 1, size=80)
    start = EProcess.start((0.1, 0.4))
    whole, pieces = start.advance(draws), start
    for piece in np.split(draws, sorted(cuts)):
        pieces = pieces.advance(piece)
    assert (pieces.log_capitals, pieces.peak) == (
        pytest.approx(whole.log_capitals, abs=1e-9),
        pytest.approx(whole.peak, abs=1e-9),
    )
    assert pieces.draws == whole.draws


def test_levels_of_all_starts_and_streams_add_up_to_alpha() -> None:
    assert sum(epoch_alpha(0.05, epoch) for epoch in range(1, 100_000)) == pytest.approx(0.05, rel=1e-4)
    assert sum(stream_alpha(0.05, streams=4, epoch=1) for _ in range(4)) == epoch_alpha(0.05, 1)
    with pytest.raises(ValueError, match="from 1"):
        epoch_alpha(0.05, 0)
    with pytest.raises(ValueError, match="streams must"):
        stream_alpha(0.05, streams=0, epoch=1)


def test_impossible_bets_and_gains_are_refused() -> None:
    with pytest.raises(ValueError, match="bets must"):
        EProcess.start(())
    with pytest.raises(ValueError, match="outside the range"):
        EProcess.start((0.5,)).advance(np.array([-2.0]))
    assert EProcess.start((0.5,)).advance(np.zeros(0)) == EProcess.start((0.5,))


def test_the_bound_of_a_baseline_is_clopper_and_pearsons() -> None:
    failures = (np.arange(2000) < 200).astype(float)
    found = freeze_baseline(failures, np.ones(2000), largest_weight=1.0)
    assert isinstance(found, Baseline)
    assert (found.rate, found.pairs) == (0.1, 2000)
    assert found.bound == pytest.approx(0.11399, abs=1e-4)


def test_a_baseline_that_is_too_small_or_leaves_no_room_is_undefined() -> None:
    for n, rate, reason in (
        (0, 0.0, "few_baseline_pairs"),
        (1, 1.0, "few_baseline_pairs"),
        (2000, 1.0, "no_room_to_rise"),
    ):
        found = freeze_baseline(np.full(n, rate), np.ones(n), largest_weight=1.0)
        assert isinstance(found, Undefined)
        assert found.reason == reason


def test_a_missing_pair_enters_at_the_baseline_rate_and_a_lighter_one_counts_less() -> None:
    baseline = Baseline(rate=0.1, bound=0.12, pairs=2000, largest_weight=20.0)
    found = gains(baseline, np.array([1.0, 0.0, 0.5]), np.array([True, True, False]), np.array([20.0, 10.0, 20.0]))
    assert found == pytest.approx([0.88, -0.06, -0.02])
    with pytest.raises(ValueError, match="above the largest weight"):
        gains(baseline, np.zeros(1), np.ones(1, dtype=bool), np.array([21.0]))
    with pytest.raises(ValueError, match="failures must"):
        gains(baseline, np.full(1, 1.5), np.ones(1, dtype=bool), np.ones(1))


def test_pairs_are_taken_once_each_when_the_watermark_passes_them() -> None:
    requested = np.array([0.0, 900.0, 1800.0, 4000.0])
    first, second = (
        due(requested, taken_until=-1.0, now=4500.0).tolist(),
        due(requested, taken_until=900.0, now=5400.0).tolist(),
    )
    assert first == [True, True, False, False]
    assert second == [False, False, True, False]


def test_without_a_change_there_is_an_alarm_in_at_most_alpha_of_runs() -> None:
    runs, alpha = 150, 0.05
    world = StreamWorld(pairs=6_000, slow_failures=True)
    found = alarms(world, runs=runs, alpha=alpha, rng=np.random.default_rng(1))
    assert found <= alpha + 2.33 * (alpha * (1 - alpha) / runs) ** 0.5


def test_a_drop_of_five_points_is_found_within_1400_pairs() -> None:
    world = StreamWorld(pairs=1_400, drop=0.05)
    assert alarms(world, runs=80, alpha=0.05, rng=np.random.default_rng(2)) >= 0.7


def test_as_production_runs_them_the_stream_that_fell_fires_and_no_other() -> None:
    world = StreamWorld(pairs=1_200, drop=0.1, ratio=2.0, slow_failures=True, baseline=2_200)
    found, others = watched_alarms(world, streams=3, runs=12, rule=Rule(), rng=np.random.default_rng(5))
    assert (found, others) == (1.0, 0.0)


def test_all_cohorts_of_a_quarter_spend_alpha_together() -> None:
    cohorts, spent = Cohorts(), []
    for _ in range(50_000):
        cohorts = cohorts.one_more(datetime(2026, 2, 28, 23, tzinfo=UTC))
        spent.append(cohorts.share(0.05))
    assert spent[0] == 0.05 * 0.75
    assert sum(spent) == pytest.approx(0.05, rel=1e-4)
    assert cohorts.one_more(datetime(2026, 4, 1, tzinfo=UTC)) == Cohorts(quarter=date(2026, 4, 1), formed=1)


def test_labels_put_the_judge_right_on_average() -> None:
    rng = np.random.default_rng(3)
    truth, judged = rng.choice([-1.0, 0.0, 1.0], size=40_000, p=[0.1, 0.85, 0.05]), np.full(40_000, 0.3)
    labelled = rng.random(40_000) < 0.25
    z = corrected_difference(judged, labelled, truth, np.full(40_000, 0.25))
    assert z.mean() == pytest.approx(-0.05, abs=0.03)
    assert corrected_difference(judged, np.ones(40_000, dtype=bool), truth, np.ones(40_000)) == pytest.approx(truth)


@pytest.mark.parametrize(
    ("difference", "verdict", "least", "most"), [(-0.05, "not_worse", 0.0, 0.12), (0.0, "not_worse", 0.9, 1.0)]
)
def test_a_candidate_at_the_margin_is_rarely_let_through_and_an_equal_one_is(
    difference: float, verdict: str, least: float, most: float
) -> None:
    world = UpgradeWorld(difference=difference, pairs=1_000)
    found = upgrade_verdicts(world, runs=80, rng=np.random.default_rng(4))
    assert least <= found.get(verdict, 0.0) <= most


def test_a_plainly_worse_candidate_is_told_and_an_undecided_one_is_inconclusive_at_the_cap() -> None:
    start = UpgradeEvidence.start()
    assert start.verdict() == "open"
    assert start.advance(np.full(400, -0.5)).verdict() == "worse"
    assert start.advance(np.tile([-1.0, 1.0, 0.0, -0.2], 25)).verdict(cap_pairs=100) == "inconclusive"
    with pytest.raises(ValueError, match="label_inclusion must"):
        UpgradeEvidence.start(label_inclusion=0.1)
    with pytest.raises(ValueError, match="margin must"):
        UpgradeEvidence.start(margin=0.0)
    with pytest.raises(ValueError, match="range of the design"):
        start.advance(np.array([-1.5]))


def test_a_process_fires_at_two_over_alpha() -> None:
    process = EProcess(bets=(1.0,), log_capitals=(0.0,), peak=math.log(41.0))
    assert fired(process, 0.05)
    assert not fired(process, 0.04)
