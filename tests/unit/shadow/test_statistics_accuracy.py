"""Is the accuracy estimate what the formulas say, whichever way the evidence is split, scaled or ordered?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.accuracy import assess, corrected, labels_only, raw, worst_case_bounds
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.strata import Strata, Stratum, collapse
from shadow.statistics.sums import Samples, Sums, sums_of
from shadow.statistics.two_phase import CELL_PRIOR_LABELS, GAIN_PRIOR_LABELS, fit_labelled
from shadow.statistics.wilson import wilson_interval


def labelled_all(labels: list[int], *, requests: int, inclusion: float = 0.1) -> Sums:
    n = len(labels)
    samples = Samples(
        inclusion=np.full(n, inclusion),
        decided=np.ones(n, dtype=bool),
        probability=np.full(n, 0.5),
        labelled=np.ones(n, dtype=bool),
        label=np.array(labels, dtype=float),
        label_inclusion=np.ones(n),
    )
    return sums_of(samples, costs_usd=np.full(requests, 0.01))


def random_samples(rng: np.random.Generator, n: int) -> Samples:
    good = rng.random(n) < 0.85
    decided = rng.random(n) < 0.9
    return Samples(
        inclusion=rng.choice([0.05, 0.1, 0.2], n),
        decided=decided,
        probability=np.clip(np.where(good, 0.85, 0.3) + rng.normal(0, 0.1, n), 0, 1),
        abstained=~decided,
        labelled=rng.random(n) < 0.5,
        label=good.astype(float),
        label_inclusion=np.full(n, 0.5),
    )


def random_strata(
    seed: int, *, cells: int = 4, tiers: tuple[str, ...] = ("fast",)
) -> tuple[Strata, list[Samples], list[int]]:
    rng = np.random.default_rng(seed)
    samples = [random_samples(rng, int(rng.integers(20, 60))) for _ in range(cells * len(tiers))]
    requests = [round(float((1 / part.inclusion).sum() * rng.uniform(0.95, 1.05))) for part in samples]
    keys = [Stratum(tier=tier, query_type=str(i // 2), band=i % 2) for tier in tiers for i in range(cells)]
    pairs = zip(samples, requests, strict=True)
    return dict(zip(keys, (sums_of(s, costs_usd=np.full(n, 0.001)) for s, n in pairs), strict=True)), samples, requests


def from_raw_arrays(parts: list[Samples], requests: list[int]) -> tuple[float, float]:
    """Mean and variance by the definition: every sample's psi, no sums."""
    n_all, sizes = sum(requests), [p.inclusion.size for p in parts]
    cell = np.repeat(np.arange(len(parts)), sizes)
    joined = {
        name: np.concatenate([getattr(p, name) for p in parts])
        for name in ("inclusion", "decided", "probability", "labelled", "label", "label_inclusion")
    }
    w = 1 / joined["inclusion"]
    p = joined["probability"].copy()
    for h in range(len(parts)):
        here, known = cell == h, (cell == h) & joined["decided"]
        p[here & ~joined["decided"]] = np.average(p[known], weights=w[known])
        w[here] *= requests[h] / w[here].sum()
    v = w * joined["labelled"] / joined["label_inclusion"]
    y = np.where(joined["labelled"], joined["label"], 0.0)
    y_mean, p_label, p_all = np.average(y, weights=v), np.average(p, weights=v), w @ p / n_all
    offset, luck = np.zeros(y.size), 0.0
    for h in range(len(parts)):
        here = cell == h
        k = joined["labelled"][here].sum()
        shrink = k / (k + CELL_PRIOR_LABELS)
        offset[here] = shrink * (np.average(y[here], weights=v[here]) - y_mean)
        luck += (2 * shrink - shrink**2) * y_mean * (1 - y_mean) / k * (w[here] @ v[here]) / (v.sum() * n_all)
    alone = v * (y - y_mean) / v.sum() - w * offset / n_all
    judge = w * (p - p_all) / n_all - v * (p - p_label) / v.sum()
    weight = np.clip(-(alone @ judge) / (judge @ judge), 0, 1)
    rarer = joined["labelled"].sum() * min(y_mean, 1 - y_mean)
    gain = rarer / (rarer + GAIN_PRIOR_LABELS) * (2 * weight * (alone @ judge) + weight**2 * (judge @ judge))
    return float(y_mean + weight * (p_all - p_label)), float(alone @ alone + luck + gain)


def test_labels_of_equal_weight_give_the_plain_wilson_interval() -> None:
    strata = {Stratum(tier="fast"): labelled_all([1] * 180 + [0] * 20, requests=2000)}
    for estimate in (corrected(strata), labels_only(strata)):
        assert estimate is not None
        assert estimate.value == pytest.approx(0.9, abs=1e-12)
        assert (estimate.low, estimate.high) == pytest.approx(wilson_interval(0.9, 200), abs=2e-4)
        assert (estimate.labelled, estimate.corrected) == (200, True)


def test_strata_count_by_their_requests_not_by_their_samples() -> None:
    easy, hard = [1] * 95 + [0] * 5, [1] * 60 + [0] * 40
    strata = {
        Stratum(tier="fast", query_type="easy"): labelled_all(easy, requests=9000),
        Stratum(tier="fast", query_type="hard"): labelled_all(hard, requests=1000),
    }
    estimate, unstratified = corrected(strata), labels_only(strata)
    assert estimate is not None
    assert unstratified is not None
    assert estimate.value == pytest.approx(0.9 * 0.95 + 0.1 * 0.60, abs=1e-12)
    assert unstratified.value == pytest.approx(0.775, abs=1e-12)


def test_raw_is_the_mean_probability_weighted_by_requests_and_says_it_is_uncorrected() -> None:
    samples = Samples(
        inclusion=np.full(20, 0.1), decided=np.ones(20, dtype=bool), probability=np.repeat([0.9, 0.7], 10)
    )
    strata = {Stratum(tier="fast"): sums_of(samples, costs_usd=np.zeros(200))}
    estimate = raw(strata)
    assert estimate is not None
    assert estimate.value == pytest.approx(0.8)
    assert estimate.n == 20
    assert not estimate.corrected
    assert estimate.low < 0.8 < (estimate.high or 0.0)


def test_a_judge_that_only_shifts_is_put_right_by_labels() -> None:
    strata, _, _ = random_strata(1)
    estimate, uncorrected = corrected(strata), raw(strata)
    assert estimate is not None
    assert uncorrected is not None
    assert estimate.covers(0.85)
    assert not uncorrected.covers(0.85)


@given(seed=st.integers(0, 10_000))
def test_the_estimate_from_sums_equals_the_one_from_raw_arrays(seed: int) -> None:
    strata, samples, requests = random_strata(seed)
    mean, variance = from_raw_arrays(samples, requests)
    pooled_mean, pooled_variance = from_raw_arrays([_joined(samples)], [sum(requests)])
    fit = fit_labelled(collapse(strata))
    stratified_wins = mean * (1 - mean) / variance >= pooled_mean * (1 - pooled_mean) / pooled_variance
    expected = (mean, variance) if stratified_wins else (pooled_mean, pooled_variance)
    assert (fit.mean, fit.variance) == pytest.approx(expected, rel=1e-9)


def _joined(parts: list[Samples]) -> Samples:
    names = ("inclusion", "decided", "probability", "abstained", "labelled", "label", "label_inclusion")
    return Samples(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 1.0))
def test_scaling_all_weights_changes_nothing(seed: int, factor: float) -> None:
    _, samples, requests = random_strata(seed)
    keys = [Stratum(tier="fast", query_type=str(i)) for i in range(len(samples))]
    scaled = [replace(part, inclusion=part.inclusion * factor) for part in samples]
    for estimator in (corrected, raw, labels_only):
        ends = []
        for parts in (samples, scaled):
            strata = {
                key: sums_of(part, costs_usd=np.zeros(n)) for key, part, n in zip(keys, parts, requests, strict=True)
            }
            estimate = estimator(strata)
            assert estimate is not None
            ends.append((estimate.value, estimate.low, estimate.high, estimate.effective_n))
        assert ends[0] == pytest.approx(ends[1], rel=1e-7)


@given(seed=st.integers(0, 10_000))
def test_the_order_of_strata_does_not_matter(seed: int) -> None:
    strata, _, _ = random_strata(seed, tiers=("fast", "frontier"))
    forwards, backwards = corrected(strata), corrected(dict(reversed(list(strata.items()))))
    assert forwards is not None
    assert backwards is not None
    assert forwards.value == pytest.approx(backwards.value, rel=1e-12)
    assert forwards.effective_n == pytest.approx(backwards.effective_n, rel=1e-9)


def test_the_overall_figure_adds_the_tiers_with_their_shares_of_requests() -> None:
    strata, _, _ = random_strata(5, tiers=("fast", "frontier"))
    overall = corrected(strata)
    assert overall is not None
    parts = []
    for tier in ("fast", "frontier"):
        own = {key: sums for key, sums in strata.items() if key.tier == tier}
        estimate = corrected(own)
        assert estimate is not None
        parts.append((sum(sums.requests for sums in own.values()), estimate))
    total = sum(requests for requests, _ in parts)
    assert overall.value == pytest.approx(sum(requests / total * e.value for requests, e in parts), rel=1e-12)
    assert (overall.width or 1.0) < max(e.width or 0.0 for _, e in parts)


def test_a_reviewers_error_rates_move_the_estimate_and_widen_it() -> None:
    strata = {Stratum(tier="fast"): labelled_all([1] * 180 + [0] * 20, requests=2000)}
    record = Reviewer(false_accepts=10, gold_bad=100, false_rejects=5, gold_good=100)
    trusted, estimate = corrected(strata), corrected(strata, reviewer=record)
    assert trusted is not None
    assert estimate is not None
    assert estimate.value == pytest.approx((0.9 - 0.1) / 0.85, rel=1e-12)
    assert (estimate.width or 0.0) > (trusted.width or 1.0) / 0.85
    surer = corrected(
        strata, reviewer=Reviewer(false_accepts=1000, gold_bad=10_000, false_rejects=500, gold_good=10_000)
    )
    assert surer is not None
    assert (surer.width or 1.0) < (estimate.width or 0.0)


def test_labels_better_than_the_error_rates_allow_do_not_make_the_interval_a_point() -> None:
    strata = {Stratum(tier="fast"): labelled_all([1] * 2000, requests=20_000)}
    record = Reviewer(false_accepts=100, gold_bad=1000, false_rejects=100, gold_good=1000)
    estimate = corrected(strata, reviewer=record)
    assert estimate is not None
    assert estimate.value == 1.0
    assert 0.9 < estimate.low < 1.0
    none_good = {Stratum(tier="fast"): labelled_all([0] * 2000, requests=20_000)}
    lowest = corrected(none_good, reviewer=record)
    assert lowest is not None
    assert lowest.value == 0.0
    assert 0.0 < (lowest.high or 0.0) < 0.1


def test_the_small_samples_of_raw_are_paid_for_with_degrees_of_freedom() -> None:
    p = [np.array([0.5, 0.6, 0.7, 0.8, 0.9]), np.array([0.1, 0.2, 0.3, 0.4, 0.6])]
    strata = {
        Stratum(tier="fast", query_type=str(i)): sums_of(
            Samples(inclusion=np.full(5, 0.1), decided=np.ones(5, dtype=bool), probability=values),
            costs_usd=np.zeros(50),
        )
        for i, values in enumerate(p)
    }
    estimate = raw(strata)
    assert estimate is not None
    mean, variance = float(np.mean(p)), sum(float(values.var(ddof=1)) / 5 for values in p) / 4
    assert estimate.effective_n == pytest.approx(mean * (1 - mean) / variance, rel=1e-9)


def test_a_handful_of_labels_gives_the_judge_no_weight() -> None:
    rng = np.random.default_rng(8)
    good, labelled = rng.random(400) < 0.8, np.arange(400) % 45 == 0
    assert (labelled.sum(), good[labelled].all()) == (9, False)
    samples = Samples(
        inclusion=np.full(400, 0.1),
        decided=np.ones(400, dtype=bool),
        probability=np.where(good, 0.9, 0.2),
        labelled=labelled,
        label=good.astype(float),
        label_inclusion=np.full(400, 9 / 400),
    )
    fit = fit_labelled(collapse({Stratum(tier="fast"): sums_of(samples, costs_usd=np.zeros(4000))}))
    assert (fit.judge_weight, fit.mean) == (0.0, pytest.approx(good[labelled].mean()))


def test_worst_case_bounds_are_not_shown_above_95_percent_coverage() -> None:
    for share, shown in ((0.94, True), (0.96, False)):
        decided = np.arange(100) < 100 * share
        samples = Samples(inclusion=np.full(100, 0.1), decided=decided, probability=np.full(100, 0.9))
        strata = {Stratum(tier="fast"): sums_of(samples, costs_usd=np.zeros(1000))}
        assert (worst_case_bounds(strata) is not None) == shown


def test_worst_case_bounds_count_missing_verdicts_as_bad_then_as_good() -> None:
    decided = np.arange(100) < 80
    samples = Samples(inclusion=np.full(100, 0.1), decided=decided, probability=np.full(100, 0.9), abstained=~decided)
    strata = {Stratum(tier="fast"): sums_of(samples, costs_usd=np.zeros(1000))}
    bounds = worst_case_bounds(strata)
    assert bounds is not None
    assert (bounds.low, bounds.high) == pytest.approx((0.72, 0.92))
    assert bounds.outer_low < 0.72
    assert bounds.outer_high > 0.92
    assert bounds.coverage == pytest.approx(0.8)


def test_an_assessment_shows_all_figures_side_by_side() -> None:
    strata, samples, requests = random_strata(2)
    shown = assess(strata)
    assert (shown.corrected, shown.raw, shown.labels_only) == (corrected(strata), raw(strata), labels_only(strata))
    assert shown.requests == sum(requests)
    assert shown.sampled == shown.mirrored == sum(part.inclusion.size for part in samples)
    assert shown.coverage is not None
    assert (shown.worst_case is None) == (shown.coverage.value >= 0.95)
    assert shown.undefined == {}
