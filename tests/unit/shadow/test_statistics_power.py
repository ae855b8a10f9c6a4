"""Do sample sizes and detectable effects agree with each other, with the textbook and with simulation?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from shadow.statistics.estimate import Estimate
from shadow.statistics.power import (
    minimum_detectable_drop,
    more_labels_needed,
    n_for_half_width,
    needed_n,
    power_of_drop,
)
from shadow.statistics.wilson import wilson_interval


def test_a_five_point_drop_from_ninety_needs_about_253_draws() -> None:
    by_hand = ((norm.ppf(0.95) * (0.9 * 0.1) ** 0.5 + norm.ppf(0.8) * (0.85 * 0.15) ** 0.5) / 0.05) ** 2
    assert needed_n(0.9, 0.05) == int(np.ceil(by_hand)) == 253


@given(baseline=st.floats(0.3, 0.99), share=st.floats(0.02, 0.9), power=st.floats(0.6, 0.99))
def test_the_detectable_drop_at_the_needed_n_is_that_drop(baseline: float, share: float, power: float) -> None:
    drop = baseline * share
    n = needed_n(baseline, drop, power=power)
    assert power_of_drop(baseline, drop, n) >= power - 1e-9
    assert n == 1 or power_of_drop(baseline, drop, n - 1) < power
    found = minimum_detectable_drop(baseline, n, power=power)
    assert found is not None
    assert found <= drop * (1 + 1e-6)


def test_the_promised_power_is_reached_by_simulation() -> None:
    rng = np.random.default_rng(5)
    baseline, drop, n = 0.9, 0.05, 253
    accepted = rng.binomial(n, baseline - drop, size=20_000) / n
    score = (baseline - accepted) / np.sqrt(baseline * (1 - baseline) / n)
    assert np.mean(score > norm.ppf(0.95)) == pytest.approx(power_of_drop(baseline, drop, n), abs=0.03)


def test_too_few_draws_detect_nothing() -> None:
    assert minimum_detectable_drop(0.05, 3) is None


@given(p=st.floats(0, 1), half=st.floats(0.005, 0.4), level=st.floats(0.8, 0.99))
def test_the_n_for_a_half_width_is_the_smallest_that_reaches_it(p: float, half: float, level: float) -> None:
    n = n_for_half_width(p, half, level=level)

    def width(size: int) -> float:
        low, high = wilson_interval(p, size, level=level)
        return high - low

    assert width(n) <= 2 * half + 1e-12
    assert n == 1 or width(n - 1) > 2 * half - 1e-12


def test_more_labels_are_counted_at_the_worth_of_those_so_far() -> None:
    def estimate(draws: float | None) -> Estimate:
        return Estimate(
            value=0.9, low=0.8, high=0.95, n=500, labelled=100, level=0.95, method="two_phase", effective_n=draws
        )

    target = n_for_half_width(0.9, 0.03)
    assert more_labels_needed(estimate(200.0), 0.03) == int(np.ceil((target - 200) / 2))
    assert more_labels_needed(estimate(10_000.0), 0.03) == 0
    assert more_labels_needed(estimate(None), 0.03) == 0


@pytest.mark.parametrize(("baseline", "drop"), [(0.9, 0.0), (0.9, 0.95), (1.0, 0.1)])
def test_impossible_drops_are_refused(baseline: float, drop: float) -> None:
    with pytest.raises(ValueError, match="need 0 < drop"):
        needed_n(baseline, drop)


@pytest.mark.parametrize("half", [0.0, 0.5, -1.0])
def test_impossible_half_widths_are_refused(half: float) -> None:
    with pytest.raises(ValueError, match="half_width"):
        n_for_half_width(0.5, half)
