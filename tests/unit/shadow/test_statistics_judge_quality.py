"""Are the figures about a judge the textbook ones, and their intervals those of the questions?"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.judge_quality import (
    cluster_weights,
    measure,
    weighted_auroc,
    weighted_calibration_error,
    weighted_kappa,
)

rows = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), st.integers(0, 1)), min_size=2, max_size=25)


def brute_auroc(scores: list[float], labels: list[int]) -> float | None:
    pairs = [(s, t) for (s, y), (t, z) in itertools.product(zip(scores, labels, strict=True), repeat=2) if y > z]
    return sum(1.0 if s > t else 0.5 if s == t else 0.0 for s, t in pairs) / len(pairs) if pairs else None


@given(rows, st.lists(st.integers(0, 3), min_size=25, max_size=25))
def test_weighted_auroc_is_the_auroc_of_repeated_rows(points: list[tuple[float, int]], times: list[int]) -> None:
    scores, labels = [s for s, _ in points], [y for _, y in points]
    repeats = times[: len(points)]
    weights = np.array([[1.0] * len(points), [float(t) for t in repeats]])
    found = weighted_auroc(np.array(scores), np.array(labels, dtype=float))(weights)
    repeated = [(s, y) for (s, y), t in zip(points, repeats, strict=True) for _ in range(t)]
    for value, expected in (
        (found[0], brute_auroc(scores, labels)),
        (found[1], brute_auroc(*map(list, zip(*repeated, strict=True))) if repeated else None),
    ):
        if expected is None:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(expected)


def test_kappa_is_zero_for_a_constant_verdict_and_one_for_perfect_agreement() -> None:
    label = np.array([1.0, 0, 1, 1, 0])
    ones = np.ones((1, 5))
    assert weighted_kappa(label, label)(ones)[0] == pytest.approx(1)
    assert weighted_kappa(np.ones(5), label)(ones)[0] == pytest.approx(0)
    assert np.isnan(weighted_kappa(np.ones(5), np.ones(5))(ones)[0])


def test_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    score, label = np.array([0.91, 0.99, 0.11, 0.19]), np.array([1.0, 0.0, 0.0, 0.0])
    assert weighted_calibration_error(score, label)(np.ones((1, 4)))[0] == pytest.approx((0.45 * 2 + 0.15 * 2) / 4)
    assert weighted_calibration_error(np.array([1.0]), np.array([1.0]))(np.ones((1, 1)))[0] == 0


def test_resampling_takes_questions_whole() -> None:
    weights = cluster_weights(np.array([0, 0, 1, 2]), 3, rng=np.random.default_rng(1), resamples=200)
    assert weights.shape == (201, 4)
    assert (weights[0] == 1).all()
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[1:, 0] + weights[1:, 2] + weights[1:, 3] == 3).all()


def test_many_rows_of_few_questions_have_wide_intervals() -> None:
    rng = np.random.default_rng(5)
    hard = rng.random(40)
    scores = np.clip(np.repeat(hard, 25) + rng.normal(0, 0.02, 1_000), 0, 1)
    labels = np.repeat((rng.random(40) < hard).astype(int), 25)
    accepted = [bool(s > 0.5) for s in scores]

    def width(clusters: list[str]) -> float:
        found = measure(
            list(scores), accepted, list(labels), [1] * 1_000, clusters, rng=np.random.default_rng(2), resamples=300
        )
        assert found.accuracy.low is not None
        assert found.accuracy.high is not None
        return found.accuracy.high - found.accuracy.low

    assert width([str(i // 25) for i in range(1_000)]) > 2 * width([str(i) for i in range(1_000)])


def test_the_interval_of_a_coin_holds_one_half_and_length_stands_beside_it() -> None:
    rng = np.random.default_rng(11)
    labels = rng.integers(0, 2, 400)
    lengths = [int(100 + 300 * (1 - y) + 10 * rng.random()) for y in labels]
    found = measure(
        list(rng.random(400)), [None] * 400, list(labels), lengths, [str(i) for i in range(400)], rng=rng, resamples=400
    )
    assert found.auroc.low is not None
    assert found.auroc.high is not None
    assert found.auroc.low < 0.5 < found.auroc.high
    assert found.length_auroc.value == pytest.approx(1.0)
    assert (found.gain_over_length.value or 0) < -0.3
    assert found.decided == 0
    assert found.accuracy.value is None
    assert found.kappa.value is None


def test_one_kind_of_label_has_no_auroc_but_an_accuracy() -> None:
    found = measure([0.9, 0.8], [True, None], [1, 1], [1, 2], ["a", "b"], rng=np.random.default_rng(0), resamples=20)
    assert found.auroc.value is None
    assert found.accuracy.value == 1.0
