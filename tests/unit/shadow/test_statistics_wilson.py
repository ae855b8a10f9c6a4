"""Is the Wilson interval the textbook's, for whole and for effective numbers of draws?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from shadow.statistics.wilson import quantile, wilson_interval


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize(("successes", "n"), [(0, 10), (1, 10), (9, 10), (10, 10), (180, 200), (999, 1000)])
def test_whole_numbers_agree_with_scipy(successes: int, n: int, level: float) -> None:
    theirs = binomtest(successes, n).proportion_ci(level, method="wilson")
    assert wilson_interval(successes / n, n, level=level) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@given(p=st.floats(0, 1), n=st.floats(1e-3, 1e9), level=st.floats(0.5, 0.9999))
def test_the_interval_holds_the_proportion_and_mirrors_with_it(p: float, n: float, level: float) -> None:
    low, high = wilson_interval(p, n, level=level)
    assert 0.0 <= low <= p <= high <= 1.0
    assert high > low
    mirrored = wilson_interval(1 - p, n, level=level)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(p=st.floats(0, 1), n=st.floats(1, 1e6), more=st.floats(1.01, 10))
def test_more_draws_and_lower_levels_make_it_narrower(p: float, n: float, more: float) -> None:
    low, high = wilson_interval(p, n)
    for narrower in (wilson_interval(p, n * more), wilson_interval(p, n, level=0.9)):
        assert narrower[1] - narrower[0] < high - low


@pytest.mark.parametrize("truth", [0.6, 0.9, 0.98])
def test_it_covers_binomial_truths_as_often_as_it_claims(truth: float) -> None:
    rng = np.random.default_rng(20260101)
    sizes = rng.binomial(2000, 0.1, size=4000)  # as many labels as a random draw yields
    draws = rng.binomial(sizes, truth)
    ends = [wilson_interval(k / n, n) for k, n in zip(draws.tolist(), sizes.tolist(), strict=True)]
    assert 0.94 <= np.mean([low <= truth <= high for low, high in ends]) <= 0.965


@pytest.mark.parametrize(
    ("p", "n", "level"), [(-0.1, 5, 0.9), (1.1, 5, 0.9), (float("nan"), 5, 0.9), (0.5, 0, 0.9), (0.5, 5, 1.0)]
)
def test_impossible_arguments_are_refused(p: float, n: float, level: float) -> None:
    with pytest.raises(ValueError, match="must"):
        wilson_interval(p, n, level=level)


def test_the_quantile_of_95_percent_is_1_96() -> None:
    assert quantile(0.95) == pytest.approx(1.959963984540054, abs=1e-12)
