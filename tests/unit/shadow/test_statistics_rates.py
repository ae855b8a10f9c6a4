"""Are escalation rates exact and coverage the share of samples with a verdict?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.rates import coverage, escalation_rates
from shadow.statistics.strata import Stratum
from shadow.statistics.sums import Sums


def test_escalation_rates_are_exact_shares_of_all_requests() -> None:
    rates = escalation_rates({"low_confidence": 30, "rule": 10}, requests=1000)
    assert rates is not None
    assert {reason: (e.low, e.value, e.high, e.n) for reason, e in rates.items()} == {
        "low_confidence": (0.03, 0.03, 0.03, 1000),
        "rule": (0.01, 0.01, 0.01, 1000),
    }


@given(counts=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 1000)), rest=st.integers(0, 1000))
def test_rates_by_reason_add_up_to_the_total_rate(counts: dict[str, int], rest: int) -> None:
    total = sum(counts.values())
    rates = escalation_rates(counts, requests=total + rest)
    if total + rest == 0:
        assert rates is None
    else:
        assert rates is not None
        assert sum(e.value for e in rates.values()) == pytest.approx(total / (total + rest))


@pytest.mark.parametrize("counts", [{"rule": 11}, {"rule": -1}, {"rule": 6, "cascade": 5}])
def test_more_escalations_than_requests_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="escalations of 10 requests"):
        escalation_rates(counts, requests=10)


def test_coverage_is_the_share_of_samples_with_a_verdict_over_all_strata() -> None:
    strata = {
        Stratum(tier="fast"): Sums(sampled=60.0, judged=50.0, abstained=5.0),
        Stratum(tier="mid"): Sums(sampled=40.0, judged=40.0),
    }
    share = coverage(strata)
    assert share is not None
    assert (share.value, share.n) == (0.9, 100)
    assert share.low < 0.9 < (share.high or 0.0)


def test_coverage_of_nothing_is_undefined() -> None:
    assert coverage({}) is None
    assert coverage({Stratum(tier="fast"): Sums(requests=10.0)}) is None
