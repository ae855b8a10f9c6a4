"""Are discoveries as rarely false as promised, and is what is there found?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, hypergeom

from shadow.statistics.discoveries import Report, Slices, benjamini_hochberg, detectable_rise, fisher_mid_p, report


@given(
    cells=st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60)), max_size=6
    )
)
def test_the_mid_p_is_scipys_hypergeometric_tail(cells: list[tuple[int, int, int, int]]) -> None:
    bad_now, good_now, bad_before, good_before = np.array(cells, dtype=np.int64).reshape(-1, 4).T
    n_now, n_before = bad_now + good_now, bad_before + good_before
    law = hypergeom(n_now + n_before, bad_now + bad_before, n_now)
    expected = law.sf(bad_now) + 0.5 * law.pmf(bad_now)
    assert fisher_mid_p(bad_now, n_now, bad_before, n_before) == pytest.approx(expected, abs=1e-9)


def test_without_a_request_nothing_is_likelier_than_its_opposite() -> None:
    none, some = np.zeros(1, dtype=np.int64), np.full(1, 9)
    assert fisher_mid_p(none, none, none, none).tolist() == [0.5]
    assert fisher_mid_p(none, none, some, some).tolist() == [0.5]


@given(p=st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=40), q=st.sampled_from([0.01, 0.05, 0.2]))
def test_rejections_are_those_of_scipys_adjusted_p_values(p: list[float], q: float) -> None:
    rejected, level = benjamini_hochberg(np.array(p), q=q)
    adjusted = false_discovery_control(p)
    sure = np.abs(adjusted - q) > 1e-12
    assert (rejected == (adjusted <= q))[sure].all()
    assert (np.array(p) <= level).sum() == rejected.sum() or not rejected.any()


def slices(rng: np.random.Generator, cells: int, *, drop: float, now: int = 1200, before: int = 4800) -> Slices:
    """Only the first one has got worse."""
    rate = np.full(cells, 0.1)
    worse = np.where(np.arange(cells) == 0, rate + drop, rate)
    return Slices(
        failures_now=rng.binomial(now, worse) / now,
        n_now=np.full(cells, float(now)),
        failures_before=rng.binomial(before, rate) / before,
        n_before=np.full(cells, float(before)),
    )


def discoveries(found: Report) -> list[int]:
    return [at for at, one in enumerate(found.findings) if one.outcome == "worse"]


@pytest.mark.slow
def test_without_a_change_any_discovery_is_rare_and_a_drop_of_five_points_is_found() -> None:
    rng = np.random.default_rng(1)
    runs = 100
    false = np.mean([bool(discoveries(report(slices(rng, 200, drop=0.0)))) for _ in range(runs)])
    assert false <= 0.05 + 2.33 * (0.05 * 0.95 / runs) ** 0.5
    found = np.mean([0 in discoveries(report(slices(rng, 200, drop=0.05))) for _ in range(30)])
    assert found >= 0.8


def test_a_quiet_slice_says_what_it_could_have_shown_and_a_small_one_that_it_can_not() -> None:
    found = report(slices(np.random.default_rng(2), 3, drop=0.0))
    quiet = found.findings[1]
    assert quiet.outcome == "quiet"
    assert quiet.detectable is not None
    assert 0.02 < quiet.detectable < 0.06
    small = report(
        Slices(
            failures_now=np.array([0.9, 0.0]),
            n_now=np.array([50.0, 0.0]),
            failures_before=np.array([0.1, 0.0]),
            n_before=np.array([5000.0, 0.0]),
        )
    )
    assert {one.outcome for one in small.findings} == {"not_testable"}
    assert all(one.p_value is None and math.isfinite(one.rise) for one in small.findings)


def test_a_rise_below_two_points_is_no_finding_however_sure() -> None:
    many = Slices(
        failures_now=np.array([0.115]), n_now=np.array([1e5]), failures_before=np.array([0.1]), n_before=np.array([1e5])
    )
    found = report(many).findings[0]
    assert found.p_value is not None
    assert found.p_value < 1e-6
    assert found.outcome == "quiet"


def test_no_slices_make_an_empty_report() -> None:
    nothing = np.zeros(0)
    assert report(Slices(failures_now=nothing, n_now=nothing, failures_before=nothing, n_before=nothing)).findings == ()


def test_the_detectable_rise_is_found_with_the_promised_power() -> None:
    rise = detectable_rise(0.1, 1200, 4800, alpha=0.01)
    assert rise is not None
    rng = np.random.default_rng(3)
    now, before = rng.binomial(1200, 0.1 + rise, size=2000), rng.binomial(4800, 0.1, size=2000)
    p = fisher_mid_p(now, np.full(2000, 1200), before, np.full(2000, 4800))
    assert np.mean(p <= 0.01) == pytest.approx(0.8, abs=0.03)
    assert detectable_rise(1.0, 100, 100, alpha=0.05) is None
    assert detectable_rise(0.9, 1, 1, alpha=0.05) is None
