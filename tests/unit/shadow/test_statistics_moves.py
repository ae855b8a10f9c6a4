"""Do loss and saving of a move hold what they say? A known value, an invariance, and coverage by simulation."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.moves import MoveSums, loss_beyond, mean_loss, saved_share

Floats = npt.NDArray[np.float64]


def sums_of(d: Floats, w: Floats, s: Floats | None = None, c: Floats | None = None) -> MoveSums:
    """The sums of arrays over pairs."""
    s, c = (np.ones_like(d) if x is None else x for x in (s, c))
    products = (w, w * d, w * w, w * w * d, w * w * d * d, w * s, w * c, w * w * s * s, w * w * s * c, w * w * c * c)
    names = ("w", "wd", "ww", "wwd", "wwdd", "ws", "wc", "wwss", "wwsc", "wwcc")
    return MoveSums(pairs=float(len(d)), **{n: float(x.sum()) for n, x in zip(names, products, strict=True)})


def test_a_known_mean_and_a_known_ratio() -> None:
    sums = sums_of(np.array([1.0, 0.0, 0.0, -1.0, 1.0]), np.full(5, 20.0), np.full(5, 2.0), np.full(5, 0.5))
    loss, saved = mean_loss(sums), saved_share(sums)
    assert loss is not None
    assert saved is not None
    assert loss.value == pytest.approx(0.2)
    assert loss.effective_n == pytest.approx(5)
    assert not loss.corrected
    assert (saved.value, saved.low, saved.high) == pytest.approx((0.75, 0.75, 0.75))  # always a quarter: certain


def test_without_pairs_nothing_is_known() -> None:
    one = sums_of(np.array([0.5]), np.array([10.0]))
    assert mean_loss(one) is None
    assert saved_share(one) is None
    assert loss_beyond(one, one) is None


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(1, 100), st.floats(0.001, 1)), min_size=2, max_size=50),
    st.floats(0.01, 100),
)
def test_the_unit_of_the_weights_does_not_matter(rows: list[tuple[float, float, float]], factor: float) -> None:
    d, w, c = (np.array(column) for column in zip(*rows, strict=True))
    one, other = sums_of(d, w, np.ones_like(d), c), sums_of(d, w * factor, np.ones_like(d), c)
    for figure in (mean_loss, saved_share):
        found, scaled = figure(one), figure(other)
        assert found is not None
        assert scaled is not None
        for name in ("value", "low", "high"):
            assert getattr(scaled, name) == pytest.approx(getattr(found, name), rel=1e-6, abs=1e-6)


def test_sums_add_up_over_buckets() -> None:
    rng = np.random.default_rng(3)
    d, w = rng.uniform(-1, 1, 40), rng.uniform(1, 9, 40)
    parts = (sums_of(d[:11], w[:11]), sums_of(d[11:], w[11:]))
    added = MoveSums(**{f.name: sum(getattr(part, f.name) for part in parts) for f in fields(MoveSums)})
    whole = mean_loss(sums_of(d, w))
    found = mean_loss(added)
    assert found is not None
    assert whole is not None
    assert (found.value, found.high) == pytest.approx((whole.value, whole.high))


@pytest.mark.parametrize("lost", [0.0, 0.02, 0.05, 0.2])
@pytest.mark.parametrize("pairs", [30, 100, 400])
def test_the_interval_of_the_loss_holds_the_truth(lost: float, pairs: int) -> None:
    rng, runs = np.random.default_rng(5), 800
    won = lost / 4
    held = 0
    for _ in range(runs):
        u = rng.random(pairs)
        d = (u < lost).astype(np.float64) - (u > 1 - won)
        loss = mean_loss(sums_of(d, np.where(rng.random(pairs) < 0.5, 50.0, 100.0)))
        assert loss is not None
        held += loss.covers(lost - won)
    assert held / runs >= 0.95 - 2.33 * (0.95 * 0.05 / runs) ** 0.5


def test_the_interval_of_the_saving_holds_the_truth() -> None:
    rng, runs = np.random.default_rng(6), 800
    held = 0
    for _ in range(runs):
        s = rng.gamma(4.0, 0.25, 120)
        c = 0.2 * s * rng.gamma(10.0, 0.1, 120)
        saved = saved_share(sums_of(np.zeros(120), np.where(rng.random(120) < 0.5, 50.0, 100.0), s, c))
        assert saved is not None
        held += saved.covers(0.8)
    assert held / runs >= 0.92
