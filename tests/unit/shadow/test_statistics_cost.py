"""Do cost per success and savings mean what they say, with intervals that hold the truth?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.cost import Projection, Savings, cost_per_success, projected_cost, savings
from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.sums import Samples, Sums, sums_of


def accuracy(value: float, low: float, high: float) -> Estimate:
    return Estimate(
        value=value, low=low, high=high, n=500, labelled=200, level=0.95, method="two_phase", effective_n=250.0
    )


def priced(served: np.ndarray, reference: np.ndarray, costs: np.ndarray, pi: float = 0.1) -> Sums:
    n = served.size
    samples = Samples(
        inclusion=np.full(n, pi),
        decided=np.ones(n, dtype=bool),
        probability=np.ones(n),
        priced=np.ones(n, dtype=bool),
        reference_cost_usd=reference,
        served_cost_usd=served,
    )
    return sums_of(samples, costs_usd=costs)


def test_cost_per_success_divides_mean_cost_by_accuracy_and_turns_the_interval_around() -> None:
    sums = Sums(requests=1000.0, cost_usd=2.0)
    estimate = cost_per_success(sums, accuracy(0.8, 0.5, 1.0))
    assert estimate is not None
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.0025, 0.002, 0.004))
    assert (estimate.n, estimate.labelled, estimate.corrected) == (500, 200, True)


def test_cost_per_success_is_unbounded_above_when_there_may_be_no_success() -> None:
    estimate = cost_per_success(Sums(requests=10.0, cost_usd=1.0), accuracy(0.2, 0.0, 0.6))
    assert estimate is not None
    assert estimate.high is None
    assert estimate.width is None
    assert estimate.covers(1e9)


@pytest.mark.parametrize(
    ("sums", "share"),
    [
        (Sums(), accuracy(0.5, 0.4, 0.6)),
        (Sums(requests=10.0), None),
        (Sums(requests=10.0, cost_usd=1.0), accuracy(0.0, 0.0, 0.3)),
    ],
)
def test_cost_per_success_is_undefined_without_requests_accuracy_or_success(sums: Sums, share: Estimate | None) -> None:
    assert cost_per_success(sums, share) is None


def test_savings_of_a_constant_price_ratio_are_exact() -> None:
    served = np.array([0.001, 0.002, 0.003])
    fast = priced(served, 10 * served, np.full(1000, 0.002))
    top = Sums(requests=100.0, cost_usd=2.0)
    found = savings({"fast": fast, "frontier": top}, top_tier="frontier", shadow_usd=0.5)
    assert isinstance(found, Savings)
    assert found.all_top_usd.value == pytest.approx(20.0 + 2.0)
    assert found.actual_usd == pytest.approx(2.0 + 2.0)
    assert found.net_usd.value == pytest.approx(18.0 - 0.5)
    assert found.net_usd.width == pytest.approx(0.0, abs=1e-6)


def test_a_few_answers_that_ran_on_do_not_make_the_saving_a_guess() -> None:
    rng = np.random.default_rng(11)
    hits, widths = [], []
    for _ in range(300):
        served = 0.001 * rng.lognormal(0.0, 1.0, size=4000)
        reference = 0.02 * rng.lognormal(0.0, 0.2, size=4000)
        taken = rng.random(4000) < 0.1
        found = savings({"fast": priced(served[taken], reference[taken], served)}, top_tier="frontier", shadow_usd=0.0)
        assert isinstance(found, Savings)
        hits.append(found.all_top_usd.covers(float(reference.sum())))
        widths.append(found.all_top_usd.width or 0.0)
    assert np.mean(hits) > 0.92
    assert np.mean(widths) < 0.05 * 4000 * 0.02


def test_a_free_tier_saves_what_its_requests_would_have_cost_on_top() -> None:
    free = priced(np.zeros(4), np.array([0.01, 0.03, 0.01, 0.03]), np.zeros(500))
    found = savings({"local": free}, top_tier="frontier", shadow_usd=0.0)
    assert isinstance(found, Savings)
    assert found.net_usd.value == pytest.approx(500 * 0.02)
    assert (found.net_usd.width or 0.0) > 0.0


def test_the_savings_interval_is_students_t_around_the_ratio_estimate() -> None:
    served, reference = np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 11.0, 14.0, 22.0])
    found = savings({"fast": priced(served, reference, np.full(100, 2.5))}, top_tier="frontier", shadow_usd=0.0)
    assert isinstance(found, Savings)
    ratio = reference.sum() / served.sum()
    error = 250.0 * np.sqrt(4 / 3 * ((reference - ratio * served) ** 2).sum()) / served.sum()
    assert found.all_top_usd.value == pytest.approx(250.0 * ratio)
    assert found.all_top_usd.width == pytest.approx(2 * 3.182446305284263 * error)


def test_routing_can_cost_more_than_it_saves() -> None:
    served = np.linspace(0.001, 0.002, 50)
    found = savings({"fast": priced(served, 1.1 * served, np.full(100, 0.001))}, top_tier="frontier", shadow_usd=5.0)
    assert isinstance(found, Savings)
    assert (found.net_usd.high or 0.0) < 0.0


@pytest.mark.parametrize(
    ("tiers", "reason"),
    [({}, "no_requests"), ({"fast": Sums(requests=10.0, cost_usd=1.0, priced=1.0)}, "too_few_priced_pairs")],
)
def test_savings_are_undefined_without_priced_pairs(tiers: dict[str, Sums], reason: str) -> None:
    found = savings(tiers, top_tier="frontier", shadow_usd=0.0)
    assert isinstance(found, Undefined)
    assert found.reason == reason


def test_traffic_on_the_top_tier_alone_saves_nothing_but_pays_for_the_shadow() -> None:
    found = savings({"frontier": Sums(requests=10.0, cost_usd=3.0)}, top_tier="frontier", shadow_usd=0.2)
    assert isinstance(found, Savings)
    assert (found.net_usd.value, found.net_usd.width) == (pytest.approx(-0.2), 0.0)


@given(seed=st.integers(0, 1000), scale=st.floats(1e-4, 1e4), pi=st.floats(1e-4, 1.0))
def test_savings_scale_with_the_currency_and_ignore_the_scale_of_the_weights(
    seed: int, scale: float, pi: float
) -> None:
    rng = np.random.default_rng(seed)
    served, reference, costs = rng.exponential(1.0, 20), rng.exponential(9.0, 20), rng.exponential(1.0, 200)
    one = savings({"fast": priced(served, reference, costs)}, top_tier="top", shadow_usd=1.0)
    other = savings(
        {"fast": priced(scale * served, scale * reference, scale * costs, pi)}, top_tier="top", shadow_usd=scale
    )
    assert isinstance(one, Savings)
    assert isinstance(other, Savings)
    assert other.net_usd.low == pytest.approx(scale * one.net_usd.low, rel=1e-6, abs=1e-6 * scale)
    assert other.net_usd.value == pytest.approx(scale * one.net_usd.value, rel=1e-6, abs=1e-6 * scale)


def test_the_savings_interval_holds_the_truth_in_95_percent_of_windows() -> None:
    rng = np.random.default_rng(77)
    requests, runs, covered = 4000, 400, 0
    for _ in range(runs):
        tokens = rng.lognormal(5.0, 0.6, requests)
        costs, reference = 1e-6 * tokens, 15e-6 * tokens * rng.lognormal(0.0, 0.4, requests)
        drawn = rng.random(requests) < 0.05
        found = savings({"fast": priced(costs[drawn], reference[drawn], costs, 0.05)}, top_tier="top", shadow_usd=0.0)
        assert isinstance(found, Savings)
        covered += found.all_top_usd.covers(float(reference.sum()))
    assert 0.92 <= covered / runs <= 0.98


def test_what_was_served_as_decided_costs_what_it_did_and_the_rest_by_the_ratio_of_the_mirrored_pairs() -> None:
    same = Sums(requests=50.0, cost_usd=5.0)
    served, decided = np.full(20, 0.10), np.full(20, 0.02)
    found = projected_cost({("top", "top"): same, ("fast", "top"): priced(served, decided, np.full(200, 0.1))})
    assert isinstance(found, Projection)
    assert found.actual_usd == pytest.approx(25.0)
    assert found.cost_usd.value == pytest.approx(5.0 + 20.0 * 0.2)
    assert found.saved_usd.value == pytest.approx(16.0)
    assert found.saved_usd.width == pytest.approx(0.0, abs=1e-9), "all pairs have the same ratio"
    assert found.cost_usd.n == 20


def test_a_cost_that_rests_on_fewer_than_two_pairs_is_not_given() -> None:
    one = priced(np.full(1, 0.1), np.full(1, 0.1), np.full(9, 0.1))
    assert projected_cost({("fast", "top"): one}) == Undefined(reason="too_few_priced_pairs", detail="fast")
    assert projected_cost({}) == Undefined(reason="no_requests")


def test_the_interval_of_the_projected_cost_holds_the_truth_as_often_as_it_says() -> None:
    rng, held, runs = np.random.default_rng(4), 0, 400
    for _ in range(runs):
        served = rng.gamma(2.0, 0.01, 1500)
        decided = served * rng.uniform(0.05, 0.3, 1500)
        drawn = rng.random(1500) < 0.1
        found = projected_cost({("fast", "top"): priced(served[drawn], decided[drawn], served)})
        assert isinstance(found, Projection)
        held += found.cost_usd.covers(float(decided.sum()))
    assert 0.92 <= held / runs <= 0.98
