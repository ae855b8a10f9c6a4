"""Are inclusion probabilities always valid, within the money, the floor and the weight ratio, and where they help most?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow.statistics.allocation import StratumPlan, allocate, spread
from shadow.statistics.sampling_simulation import SamplingWorld, compare_schemes

PLANS = st.lists(
    st.builds(
        StratumPlan,
        requests_per_day=st.floats(0, 1e6),
        failures=st.floats(0, 1000),
        judged=st.floats(0, 1000),
        cost_usd=st.floats(0, 1),
    ),
    max_size=6,
)


def plan(requests: float, failures: float, judged: float, cost: float = 0.01) -> StratumPlan:
    return StratumPlan(requests_per_day=requests, failures=failures, judged=judged, cost_usd=cost)


def test_samples_follow_neyman_with_costs_where_nothing_binds() -> None:
    strata = [plan(1e5, 99.5, 999), plan(1e5, 49.5, 999, cost=0.0025), plan(1e5, 199.5, 999)]
    found = allocate(strata, budget_usd_per_day=100.0)
    wanted = np.array([(0.1 * 0.9) ** 0.5 / 0.1, (0.05 * 0.95) ** 0.5 / 0.05, (0.2 * 0.8) ** 0.5 / 0.1])
    assert np.array(found.inclusion) / wanted == pytest.approx(np.full(3, found.inclusion[0] / wanted[0]))
    assert found.cost_usd == pytest.approx(100.0)
    assert found.samples == pytest.approx(1e5 * sum(found.inclusion))


@given(strata=PLANS, budget=st.floats(1e-3, 1e5), ratio=st.sampled_from([1.0, 5.0, 10.0]), most=st.floats(0.05, 1.0))
def test_probabilities_are_valid_and_keep_every_limit(
    strata: list[StratumPlan], budget: float, ratio: float, most: float
) -> None:
    found = allocate(strata, budget_usd_per_day=budget, weight_ratio=ratio, most=most)
    assert len(found.inclusion) == len(strata)
    assert all(0.0 < pi <= most for pi in found.inclusion)
    assert found.cost_usd <= budget * (1 + 1e-9)
    if strata:
        assert max(found.inclusion) <= ratio * min(found.inclusion) * (1 + 1e-9)
    if found.floor_kept:
        for one, pi in zip(strata, found.inclusion, strict=True):
            weekly = 30 / 7 / one.requests_per_day if one.requests_per_day else most
            assert pi >= min(most, max(0.01, weekly)) * (1 - 1e-9)


@settings(max_examples=15)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_strata_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    strata = [plan(*row) for row in rng.uniform([100, 0, 100, 0.001], [1e5, 100, 1000, 0.1], size=(5, 4))]
    order = rng.permutation(5)
    straight = np.array(allocate(strata, budget_usd_per_day=50.0).inclusion)
    turned = np.array(allocate([strata[at] for at in order], budget_usd_per_day=50.0).inclusion)
    assert turned == pytest.approx(straight[order], rel=1e-6)


def test_too_little_money_for_the_floor_is_shared_and_said_so() -> None:
    found = allocate([plan(1e6, 10, 100, cost=1.0), plan(10, 0, 0, cost=1.0)], budget_usd_per_day=1.0)
    assert not found.floor_kept
    assert found.cost_usd == pytest.approx(1.0)
    assert min(found.inclusion) > 0.0


def test_nothing_known_and_nothing_there_are_defined() -> None:
    assert allocate([], budget_usd_per_day=1.0).inclusion == ()
    assert spread(0, 0) == 0.5
    assert spread(0, 999) == pytest.approx(0.0224, abs=1e-4)
    free = allocate([plan(100, 0, 0, cost=0.0)], budget_usd_per_day=1.0)
    assert free.inclusion == (1.0,)
    for arguments, message in (
        ({"budget_usd_per_day": 0.0}, "budget"),
        ({"budget_usd_per_day": 1.0, "weight_ratio": 0.5}, "weight_ratio"),
        ({"budget_usd_per_day": 1.0, "most": 0.0}, "most"),
    ):
        with pytest.raises(ValueError, match=message):
            allocate([plan(1, 0, 0)], **arguments)
    with pytest.raises(ValueError, match="negative"):
        allocate([plan(-1, 0, 0)], budget_usd_per_day=1.0)


def test_budgeted_sampling_is_narrower_than_uniform_and_still_covers() -> None:
    found = compare_schemes(SamplingWorld(), runs=60, rng=np.random.default_rng(5))
    assert found["budgeted"].width <= 0.92 * found["uniform"].width
    assert found["budgeted"].width <= 0.84 * found["hajek"].width
    assert found["budgeted"].covered >= 0.86
