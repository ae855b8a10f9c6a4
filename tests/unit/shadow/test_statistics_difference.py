"""Is the paired difference of two tiers what it says, from sums or from rows, and does its interval hold the truth?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow.statistics.difference import fit_difference, mean_difference, upper_tail
from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.pair_sums import PairSums, pair_sums_by_group
from shadow.statistics.sums import FloatArray


def drawn(rng: np.random.Generator, n: int, *, labels: float = 0.3, judged: float = 0.9) -> dict[str, FloatArray]:
    """Pairs of unequal weight, judged with errors."""
    truth = rng.choice([-1.0, 0.0, 1.0], size=n, p=[0.04, 0.86, 0.1])
    weight = rng.choice([10.0, 40.0], size=n)
    label_chance = labels * weight / 40.0
    return {
        "weight": weight,
        "judged": rng.random(n) < judged,
        "judged_loss": np.clip(0.7 * truth + 0.2 * rng.standard_normal(n), -1, 1),
        "label_weight": np.where(rng.random(n) < label_chance, weight / label_chance, 0.0),
        "label_loss": truth,
    }


def one_cell(pairs: dict[str, FloatArray]) -> PairSums:
    return pair_sums_by_group(**pairs, group=np.zeros(pairs["weight"].size, dtype=np.int64), groups=1)[0]


def by_rows(pairs: dict[str, FloatArray]) -> tuple[float, float]:
    """The estimate and its variance by the formulas, row by row."""
    w, v, d = pairs["weight"], pairs["label_weight"], pairs["label_loss"]
    known = pairs["judged"]
    p = np.where(known, pairs["judged_loss"], np.average(pairs["judged_loss"][known], weights=w[known]))
    n = (v > 0).sum()
    mean, p_all, p_labelled = (v @ d) / v.sum(), (w @ p) / w.sum(), (v @ p) / v.sum()
    alone = v * (d - mean) / v.sum()
    judge = w * (p - p_all) / w.sum() - v * (p - p_labelled) / v.sum()
    weight = float(np.clip(-(alone @ judge) / (judge @ judge), 0, 1))
    discordant = n * (v @ d**2) / v.sum()
    gain = discordant / (discordant + 0.5) * (2 * weight * (alone @ judge) + weight**2 * (judge @ judge))
    return mean + weight * (p_all - p_labelled), float(alone @ alone) * n / (n - 1) + gain


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), split=st.integers(1, 199), scale=st.floats(0.1, 10.0))
def test_sums_give_what_the_rows_give_however_they_are_split_or_scaled(seed: int, split: int, scale: float) -> None:
    pairs = drawn(np.random.default_rng(seed), 200)
    whole = fit_difference(one_cell(pairs))
    assert whole is not None
    mean, variance = by_rows(pairs)
    assert whole.mean == pytest.approx(mean, rel=1e-9, abs=1e-12)
    assert whole.variance == pytest.approx(variance, rel=1e-9, abs=1e-15)
    parts = [{name: array[piece] for name, array in pairs.items()} for piece in (slice(0, split), slice(split, None))]
    for same in (PairSums.total(map(one_cell, parts)), one_cell(pairs).scaled(scale)):
        again = fit_difference(same)
        assert again is not None
        assert (again.mean, again.variance) == pytest.approx((whole.mean, whole.variance), rel=1e-6, abs=1e-12)


def test_a_pseudo_loss_is_one_more_labelled_pair() -> None:
    pairs = drawn(np.random.default_rng(1), 100, judged=1.0)
    pairs["label_weight"] = np.ones(100)
    pairs["judged_loss"] = np.zeros(100)
    found = fit_difference(one_cell(pairs), pseudo_loss=1.0)
    assert found is not None
    with_it = np.append(pairs["label_loss"], 1.0)
    assert found.mean == pytest.approx(with_it.mean())
    assert found.variance == pytest.approx(with_it.var(ddof=1) / 101)


@pytest.mark.parametrize("labels", [0.2, 1.0])
def test_the_interval_of_the_difference_covers(labels: float) -> None:
    rng = np.random.default_rng(2)
    found = [mean_difference([(1e4, one_cell(drawn(rng, 1500, labels=labels)))]) for _ in range(500)]
    covered = np.mean([isinstance(one, Estimate) and one.covers(0.06) for one in found])
    # Between 93 and 97 %, and 2.6 Monte Carlo errors of a point each.
    assert 0.905 <= covered <= 0.99


def test_post_stratified_cells_count_with_their_requests() -> None:
    def cell(loss: float, requests: float) -> tuple[float, PairSums]:
        n = 50
        pairs = {
            name: np.full(n, value) for name, value in (("weight", 1.0), ("judged_loss", loss), ("label_weight", 1.0))
        }
        return requests, one_cell(pairs | {"judged": np.ones(n, dtype=bool), "label_loss": np.full(n, loss)})

    found = mean_difference([cell(1.0, 100.0), cell(0.0, 900.0)])
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(0.1)
    judged = mean_difference([cell(1.0, 100.0), cell(0.0, 900.0)], corrected=False)
    assert isinstance(judged, Estimate)
    assert (judged.value, judged.corrected, judged.labelled) == (pytest.approx(0.1), False, 0)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([], "no_requests"),
        ([(10.0, PairSums())], "no_samples"),
        ([(9.0, one_cell(drawn(np.random.default_rng(3), 50, labels=1e-9)))], "no_labels"),
        ([(9.0, one_cell(drawn(np.random.default_rng(3), 50))), (1.0, PairSums())], "tier_without_samples"),
    ],
)
def test_what_is_not_known_has_a_reason(cells: list[tuple[float, PairSums]], reason: str) -> None:
    found = mean_difference(cells)
    assert isinstance(found, Undefined)
    assert found.reason == reason


@given(
    n=st.integers(0, 12),
    labels=st.floats(1e-6, 1),
    judged=st.floats(0, 1),
    seed=st.integers(0, 99),
    corrected=st.booleans(),
)
def test_no_sample_is_too_small_for_a_defined_answer(
    n: int, labels: float, judged: float, seed: int, corrected: bool
) -> None:
    found = mean_difference(
        [(100.0, one_cell(drawn(np.random.default_rng(seed), n, labels=labels, judged=judged)))], corrected=corrected
    )
    if isinstance(found, Estimate):
        assert found.high is not None
        assert -1.0 <= found.low < found.high <= 1.0
        assert math.isfinite(found.value)


def test_the_tail_is_students_and_without_variance_a_plain_yes_or_no() -> None:
    assert upper_tail(0.01, 0.0001, 1e9, 0.03) == pytest.approx(0.02275, abs=1e-4)
    assert (upper_tail(0.01, 0.0, 5.0, 0.03), upper_tail(0.03, 0.0, 5.0, 0.03)) == (0.0, 1.0)
