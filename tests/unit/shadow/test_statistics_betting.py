"""Is the betting p-value a p-value, whatever the weights and the order, and does it find what it should?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.betting import FRACTIONS, betting_p_value, mixture_log_wealth
from shadow.statistics.pairs_needed import BETTING_FACTOR, least_pairs, pairs_needed


def test_without_a_loss_each_bet_grows_by_the_same_factor() -> None:
    bets = np.array(FRACTIONS) / 0.97
    by_hand = 1.0 / np.mean((1 + 0.03 * bets) ** 100)
    assert betting_p_value(np.zeros(100), np.ones(100), epsilon=0.03) == pytest.approx(by_hand, rel=1e-12)


def test_the_largest_wealth_counts_not_the_last() -> None:
    losses = np.append(np.zeros(200), np.ones(50))
    assert betting_p_value(losses, np.ones(250), epsilon=0.03) == betting_p_value(
        losses[:200], np.ones(200), epsilon=0.03
    )


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100.0))
def test_neither_the_unit_of_the_weights_nor_rows_without_evidence_matter(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    losses, weights = rng.choice([-1.0, 0.0, 1.0], size=60, p=[0.02, 0.95, 0.03]), rng.uniform(1, 5, size=60)
    p = betting_p_value(losses, weights, epsilon=0.1)
    assert 0.0 < p <= 1.0
    assert betting_p_value(losses, weights * scale, epsilon=0.1) == pytest.approx(p, rel=1e-9)
    spread, spread_weights = np.ones(120), np.zeros(120)
    spread[::2], spread_weights[::2] = losses, weights
    assert betting_p_value(spread, spread_weights, epsilon=0.1) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("ratio", [1.0, 5.0])
def test_a_risk_of_epsilon_is_taken_for_less_in_at_most_delta_of_runs(ratio: float) -> None:
    rng = np.random.default_rng(3)
    runs, n, delta = 1500, 300, 0.1
    hard = rng.random((runs, n)) < 0.5  # drawn more often and lost more often; the risk of all requests is .03
    weight = np.where(hard, 1.0, ratio)
    keep = rng.random((runs, n)) < 1.0 / weight
    draws = rng.random((runs, n))
    loss = np.where(draws < np.where(hard, 0.08, 0.02), 1.0, np.where(draws > 0.98, -1.0, 0.0))
    broke = np.mean(
        [betting_p_value(one, w * k, epsilon=0.03) <= delta for one, w, k in zip(loss, weight, keep, strict=True)]
    )
    assert broke <= delta + 2.33 * (delta * (1 - delta) / runs) ** 0.5


def test_nothing_observed_proves_nothing_and_impossible_numbers_are_refused() -> None:
    assert betting_p_value(np.zeros(0), np.zeros(0), epsilon=0.03) == 1.0
    assert betting_p_value(np.zeros(5), np.zeros(5), epsilon=0.03) == 1.0
    assert mixture_log_wealth(np.zeros(0), np.array([0.5])).size == 0
    with pytest.raises(ValueError, match="epsilon must"):
        betting_p_value(np.zeros(5), np.ones(5), epsilon=0.0)
    with pytest.raises(ValueError, match="losses must lie"):
        betting_p_value(np.full(5, 1.5), np.ones(5), epsilon=0.03)
    with pytest.raises(ValueError, match="above the largest weight"):
        betting_p_value(np.zeros(5), np.full(5, 2.0), epsilon=0.03, largest_weight=1.0)
    with pytest.raises(ValueError, match="have shape"):
        betting_p_value(np.zeros(5), np.ones(4), epsilon=0.03)
    with pytest.raises(ValueError, match="lose more than everything"):
        mixture_log_wealth(np.array([-3.0]), np.array([0.5]))


@pytest.mark.parametrize(("risk", "pairs"), [(0.0, 500), (0.01, 1130), (0.015, 2000), (0.02, 4500)])
def test_pairs_needed_at_epsilon_three_percent(risk: float, pairs: int) -> None:
    assert pairs_needed(risk, epsilon=0.03, delta=0.1) == pytest.approx(pairs, rel=0.005)


def test_fewer_than_76_pairs_never_do_and_a_risk_of_epsilon_needs_more_than_any_number() -> None:
    assert least_pairs(epsilon=0.03, delta=0.1) == 76
    assert pairs_needed(0.0, epsilon=0.03, delta=0.1, second_moment=1e-6) == 76
    assert pairs_needed(0.03, epsilon=0.03, delta=0.1) is None


def test_betting_reaches_the_promised_power_with_its_factor() -> None:
    rng = np.random.default_rng(4)
    n = round(BETTING_FACTOR * (pairs_needed(0.01, epsilon=0.03, delta=0.1) or 0))
    shown = [
        betting_p_value(rng.choice([1.0, -1.0, 0.0], size=n, p=[0.055, 0.045, 0.9]), np.ones(n), epsilon=0.03) <= 0.1
        for _ in range(400)
    ]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.05)
