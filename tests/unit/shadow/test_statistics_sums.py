"""Are the roll-up sums additive, complete and independent of order?"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.sums import SUM_FIELDS, Samples, Sums, sums_by_group, sums_of


def some_samples(seed: int, n: int) -> Samples:
    rng = np.random.default_rng(seed)
    return Samples(
        inclusion=rng.uniform(0.01, 1.0, n),
        decided=rng.random(n) < 0.8,
        probability=rng.random(n),
        labelled=rng.random(n) < 0.4,
        label=(rng.random(n) < 0.7).astype(float),
        label_inclusion=rng.uniform(0.1, 1.0, n),
        abstained=rng.random(n) < 0.1,
        failed=rng.random(n) < 0.05,
        priced=rng.random(n) < 0.5,
        reference_cost_usd=rng.exponential(0.01, n),
        served_cost_usd=rng.exponential(0.001, n),
        priced_inclusion=rng.uniform(0.01, 1.0, n),
    )


def chosen(samples: Samples, rows: np.ndarray) -> Samples:
    arrays = {name: getattr(samples, name) for name in Samples.__slots__}
    return Samples(**{name: None if array is None else array[rows] for name, array in arrays.items()})


def test_sums_of_three_samples_are_what_one_computes_by_hand() -> None:
    samples = Samples(
        inclusion=np.array([0.5, 0.25, 0.1]),
        decided=np.array([True, True, False]),
        probability=np.array([0.8, 0.5, 0.99]),
        labelled=np.array([True, False, True]),
        label=np.array([1.0, 1.0, 1.0]),
        label_inclusion=np.array([0.5, 0.5, 0.2]),
        abstained=np.array([False, False, True]),
        priced=np.array([True, False, False]),
        reference_cost_usd=np.array([3.0, 9.0, 9.0]),
        served_cost_usd=np.array([1.0, 9.0, 9.0]),
    )
    sums = sums_of(samples, costs_usd=np.array([1.0, 2.0]))
    expected = {
        "requests": 2, "cost_usd": 3, "cost_usd_squared": 5,
        "sampled": 3, "mirrored": 3, "judged": 2, "abstained": 1, "failed": 0, "labelled": 2,
        "w": 6, "wp": 3.6, "v": 4, "vp": 3.2, "vy": 4, "ww": 20, "wwp": 11.2, "wwpp": 6.56,
        "wv": 8, "wvp": 6.4, "wvpp": 5.12, "wvy": 8, "wvpy": 6.4,
        "vv": 16, "vvp": 12.8, "vvpp": 10.24, "vvy": 16, "vvpy": 12.8,
        "u_w": 10, "u_v": 50, "u_vy": 50, "u_ww": 100, "u_wv": 500, "u_wvy": 500, "u_vv": 2500, "u_vvy": 2500,
        "priced": 1, "d": 2, "d_ref": 6, "d_served": 2, "dd": 4, "dd_ref": 12, "dd_served": 4,
        "dd_ref_ref": 36, "dd_ref_served": 12, "dd_served_served": 4,
    }  # fmt: skip
    assert set(expected) == set(SUM_FIELDS)
    for name, value in expected.items():
        assert getattr(sums, name) == pytest.approx(value, rel=1e-12), name


@given(seed=st.integers(0, 10_000), n=st.integers(0, 60), cut=st.floats(0, 1))
def test_sums_of_parts_add_up_to_the_sums_of_the_whole(seed: int, n: int, cut: float) -> None:
    samples, costs = some_samples(seed, n), np.random.default_rng(seed).exponential(1.0, n)
    first = np.arange(n) < cut * n
    parts = [sums_of(chosen(samples, rows), costs_usd=costs[rows]) for rows in (first, ~first)]
    whole = sums_of(samples, costs_usd=costs).vector()
    np.testing.assert_allclose((parts[0] + parts[1]).vector(), whole, rtol=1e-12)
    np.testing.assert_allclose(Sums.total(parts).vector(), whole, rtol=1e-12)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60))
def test_the_order_of_samples_does_not_matter(seed: int, n: int) -> None:
    samples = some_samples(seed, n)
    shuffled = chosen(samples, np.random.default_rng(seed).permutation(n))
    np.testing.assert_allclose(
        sums_of(samples, costs_usd=np.zeros(0)).vector(), sums_of(shuffled, costs_usd=np.zeros(0)).vector(), rtol=1e-12
    )


def test_many_keys_at_once_equal_each_key_alone() -> None:
    samples, rng = some_samples(3, 200), np.random.default_rng(3)
    group, cost_group, costs = rng.integers(0, 4, 200), rng.integers(0, 4, 500), rng.exponential(1.0, 500)
    matrix = sums_by_group(samples, group, groups=5, costs_usd=costs, cost_group=cost_group)
    for key in range(5):
        alone = sums_of(chosen(samples, group == key), costs_usd=costs[cost_group == key])
        np.testing.assert_allclose(matrix[key], alone.vector(), rtol=1e-12)


def test_a_database_row_becomes_sums_with_null_as_zero() -> None:
    row: dict[str, object] = dict.fromkeys(SUM_FIELDS)
    row |= {"requests": 7, "cost_usd": Decimal("0.25"), "unrelated": "x"}
    assert Sums.from_row(row) == Sums(requests=7.0, cost_usd=0.25)


def test_nothing_sums_to_zero() -> None:
    assert sums_of(Samples.empty(), costs_usd=np.zeros(0)) == Sums() == Sums.total([])


def test_values_under_a_false_mask_are_ignored_even_when_not_a_number() -> None:
    samples = Samples(
        inclusion=np.array([0.5]),
        decided=np.array([False]),
        probability=np.array([np.nan]),
        labelled=np.array([False]),
        label=np.array([np.nan]),
        label_inclusion=np.array([np.nan]),
    )
    assert np.isfinite(sums_of(samples, costs_usd=np.zeros(0)).vector()).all()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"inclusion": np.array([0.0, 0.5])}, "inclusion"),
        ({"inclusion": np.array([np.nan, 0.5])}, "inclusion"),
        ({"inclusion": np.array([1.5, 0.5])}, "inclusion"),
        ({"probability": np.array([np.nan, 0.5])}, "probability"),
        ({"probability": np.array([0.5])}, "shape"),
        ({"label": np.array([0.5, 1.0])}, "label must be 0 or 1"),
        ({"label_inclusion": np.array([0.0, 1.0])}, "label_inclusion"),
        ({"label": None}, "need label"),
        ({"priced": np.array([True, True])}, "need reference_cost_usd"),
    ],
)
def test_impossible_samples_are_refused(change: dict[str, object], complaint: str) -> None:
    fine: dict[str, object] = {
        "inclusion": np.array([0.5, 0.5]),
        "decided": np.array([True, True]),
        "probability": np.array([0.5, 0.5]),
        "labelled": np.array([True, True]),
        "label": np.array([0.0, 1.0]),
        "label_inclusion": np.array([0.5, 0.5]),
    }
    Samples(**fine)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=complaint):
        Samples(**fine | change)  # type: ignore[arg-type]
