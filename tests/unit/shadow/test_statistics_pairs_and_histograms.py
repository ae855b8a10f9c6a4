"""Are sums over pairs and counts in bins what one computes by hand, additive, and honest about quantiles?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow.statistics.histogram import LATENCY_BINS, LATENCY_BINS_PER_DECADE, Histogram, latency_quantile
from shadow.statistics.pair_sums import PAIR_FIELDS, PairSums, pair_sums_of


def some_pairs(seed: int, n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "inclusion": rng.uniform(0.01, 1, n),
        "judged": rng.random(n) < 0.8,
        "judged_loss": rng.uniform(-1, 1, n),
        "labelled": rng.random(n) < 0.4,
        "label_loss": rng.integers(-1, 2, n).astype(float),
        "label_inclusion": rng.uniform(0.1, 1, n),
    }


def binned(seconds: np.ndarray) -> Histogram:
    bins = np.clip(np.floor(LATENCY_BINS_PER_DECADE * np.log10(seconds / 0.001)), 0, LATENCY_BINS - 1).astype(int)
    return Histogram(counts=np.bincount(bins, minlength=LATENCY_BINS))


def test_sums_of_three_pairs_are_what_one_computes_by_hand() -> None:
    sums = pair_sums_of(
        inclusion=np.array([0.5, 0.25, 0.1]),
        judged=np.array([True, True, False]),
        judged_loss=np.array([0.5, -1.0, np.nan]),
        labelled=np.array([True, False, True]),
        label_loss=np.array([-1.0, np.nan, 1.0]),
        label_inclusion=np.array([0.5, np.nan, 0.2]),
    )
    expected = dict.fromkeys(PAIR_FIELDS, 0.0) | {
        "pairs": 3, "judged": 2, "labelled": 2, "w": 6, "wd": -3, "wdd": 4.5, "v": 4, "vd": 2, "vdd": 1, "vy": -4, "vyy": 4,
        "ww": 20, "wwd": -14, "wwdd": 17, "wv": 8, "wvd": 4, "wvdd": 2, "wvy": -8, "wvdy": -4,
        "vv": 16, "vvd": 8, "vvdd": 4, "vvy": -16, "vvyy": 16, "vvdy": -8,
        "u_w": 10, "u_v": 50, "u_vy": 50, "u_vyy": 50, "u_ww": 100, "u_wv": 500, "u_wvy": 500,
        "u_vv": 2500, "u_vvy": 2500, "u_vvyy": 2500,
    }  # fmt: skip
    assert {name: getattr(sums, name) for name in PAIR_FIELDS} == pytest.approx(expected)
    with pytest.raises(ValueError, match="label_inclusion"):
        pair_sums_of(**some_pairs(1, 5) | {"label_inclusion": np.zeros(5), "labelled": np.ones(5, dtype=bool)})


@given(st.integers(0, 10_000), st.integers(0, 30), st.integers(0, 30))
@settings(max_examples=30)
def test_the_sums_of_parts_add_up_to_those_of_the_whole(seed: int, first: int, second: int) -> None:
    whole = some_pairs(seed, first + second)
    parts = [{name: values[rows] for name, values in whole.items()} for rows in (slice(first), slice(first, None))]
    added = [sum(getattr(pair_sums_of(**part), name) for part in parts) for name in PAIR_FIELDS]
    assert added == pytest.approx([getattr(pair_sums_of(**whole), name) for name in PAIR_FIELDS], rel=1e-9)
    assert PairSums.from_row(dict.fromkeys(PAIR_FIELDS)) == PairSums()


def test_the_interval_of_a_quantile_holds_the_true_one_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    truth = float(np.exp(1.6449 * 0.6))  # the 95th percentile of a lognormal
    for n in (20, 100, 400):
        found = [latency_quantile(binned(rng.lognormal(0, 0.6, n)), 0.95) for _ in range(400)]
        held = np.mean([one is not None and one.low <= truth <= (one.high or np.inf) for one in found])
        assert held >= 0.93, n  # whole bins make it wider, never narrower
    within = latency_quantile(binned(rng.lognormal(0, 0.6, 20_000)), 0.95)
    assert within is not None
    assert within.value == pytest.approx(truth, rel=0.06)
    assert latency_quantile(binned(np.array([])), 0.5) is None
    alone = latency_quantile(binned(np.array([0.2])), 0.99)
    assert alone is not None
    assert (alone.low, alone.high) == (0.0, None)
