"""Agreement on live labels, routing errors, sessions and dominated tiers: known values, invariances, coverage, edges."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.accuracy import corrected, raw
from shadow.statistics.agreement import Confusion, agreement
from shadow.statistics.dependence import design_effect, first_of_each
from shadow.statistics.dominated import dominated_tiers
from shadow.statistics.estimate import Estimate
from shadow.statistics.routing_errors import over_routing_samples, under_routing_samples
from shadow.statistics.strata import Stratum
from shadow.statistics.sums import sums_of


def table(tp: float, fp: float, fn: float, tn: float, weight: float = 1.0) -> Confusion:
    counts = {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
    weighted = {name: weight * n for name, n in counts.items()} | {f"{k}2": weight**2 * n for k, n in counts.items()}
    return Confusion(labelled=round(tp + fp + fn + tn), **weighted)


def test_kappa_of_the_textbook_table() -> None:
    found = agreement(table(20, 5, 10, 15))
    assert found.kappa is not None
    assert found.kappa.value == pytest.approx(0.4)
    assert found.agreement is not None
    assert found.agreement.value == pytest.approx(0.7)
    assert found.sensitivity is not None
    assert found.specificity is not None
    assert found.informedness is not None
    assert (found.sensitivity.value, found.specificity.value) == (pytest.approx(2 / 3), pytest.approx(0.75))
    assert found.informedness.value == pytest.approx(2 / 3 - 0.25)


@given(cells=st.tuples(*[st.integers(0, 40)] * 4), weight=st.floats(0.1, 100))
def test_the_unit_of_the_weights_does_not_matter_and_every_interval_is_proper(
    cells: tuple[int, ...], weight: float
) -> None:
    one, other = agreement(table(*cells)), agreement(table(*cells, weight=weight))
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert (a is None) == (b is None)
        if isinstance(a, Estimate) and isinstance(b, Estimate):
            assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=1e-9)
            assert a.low < (a.high or 0.0)


def test_no_labels_or_one_kind_of_label_leaves_out_what_is_not_defined() -> None:
    nothing = agreement(Confusion())
    assert all(getattr(nothing, field.name) is None for field in fields(nothing))
    all_good = agreement(table(10, 0, 0, 0))
    assert all_good.agreement is not None
    assert (all_good.specificity, all_good.informedness, all_good.kappa) == (None, None, None)


def test_the_intervals_of_agreement_cover() -> None:
    rng = np.random.default_rng(1)
    chances = [0.75, 0.05, 0.08, 0.12]
    both = 0.8 * 0.83 + 0.2 * 0.17
    truth = {"sensitivity": 0.75 / 0.83, "specificity": 0.12 / 0.17, "kappa": (0.87 - both) / (1 - both)}
    truth["informedness"] = truth["sensitivity"] + truth["specificity"] - 1
    found = [agreement(table(*rng.multinomial(200, chances))) for _ in range(800)]
    for name, value in truth.items():
        covered = np.mean([getattr(one, name).covers(value) for one in found])
        assert 0.93 - 0.02 <= covered <= 0.985, name


def test_routing_errors_are_shares_estimated_as_accuracy_is() -> None:
    rng = np.random.default_rng(2)
    n = 4000
    served, reference = (rng.random(n) < 0.8).astype(float), (rng.random(n) < 0.9).astype(float)
    labelled = rng.random(n) < 0.1
    common = {"inclusion": np.full(n, 0.05), "decided": rng.random(n) < 0.9, "labelled": labelled}
    eta = np.full(n, 0.1)
    under = under_routing_samples(
        served=served,
        reference=reference,
        served_label=served,
        reference_label=reference,
        label_inclusion=eta,
        **common,
    )
    over = over_routing_samples(cheaper=served, cheaper_label=served, label_inclusion=eta, **common)
    for samples, truth in ((under, 0.18), (over, 0.8)):
        strata = {Stratum(tier="fast"): sums_of(samples, costs_usd=np.zeros(n * 20))}
        for found in (corrected(strata), raw(strata)):
            assert found is not None
            assert found.value == pytest.approx(truth, abs=0.03)
    judged = under_routing_samples(
        inclusion=np.ones(2), served=np.zeros(2), reference=np.ones(2), decided=np.array([True, False])
    )
    assert (judged.probability.tolist(), judged.labelled) == ([1.0, 0.0], None)
    assert over_routing_samples(inclusion=np.ones(1), cheaper=np.ones(1), decided=np.ones(1, dtype=bool)).label is None


def test_whole_sessions_that_agree_cost_draws_and_single_requests_do_not() -> None:
    rng = np.random.default_rng(3)
    values = np.repeat((rng.random(300) < 0.8).astype(float), 4)
    sessions = [str(at // 4) for at in range(1200)]
    assert design_effect(values, np.ones(1200), sessions) == pytest.approx(4.0, rel=0.02)
    assert design_effect(values, np.ones(1200), [str(at) for at in range(1200)]) == pytest.approx(1.0, abs=0.01)
    assert design_effect(np.ones(5), np.ones(5), list("abcde")) == 1.0
    assert design_effect(np.zeros(0), np.zeros(0), []) == 1.0
    assert first_of_each([("a", 1), ("b", 1), ("a", 1), ("a", 2)]).tolist() == [True, True, False, True]


def around(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, n=100, level=0.95, method="two_phase")


def test_only_a_tier_that_is_surely_dearer_and_surely_worse_is_dominated() -> None:
    costs = {"fast": around(1.0, 0.1), "mid": around(3.0, 0.1), "top": around(9.0, 0.1)}
    worse = {("fast", "mid"): around(0.1, 0.05), ("mid", "top"): around(-0.2, 0.05), ("fast", "top"): around(0.0, 0.05)}
    found = dominated_tiers(costs, worse)
    assert [(one.tier, one.by, one.extra_usd) for one in found] == [("mid", "fast", pytest.approx(2.0))]
    turned = {(b, a): around(-one.value, 0.05) for (a, b), one in worse.items()}
    assert [one.tier for one in dominated_tiers(costs, turned)] == ["mid"]
    assert dominated_tiers({}, worse) == []
    assert dominated_tiers(costs | {"mid": around(3.0, 2.5)}, worse) == []
