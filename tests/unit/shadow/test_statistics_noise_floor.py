"""Does the noise floor hold what it says? Known values, invariances, and coverage by simulation."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.noise_floor import MIN_PAIRS, NoiseSums, noise_floor
from shadow.statistics.noise_simulation import NoiseWorld, covered, sums_of
from shadow.statistics.simulation import JUDGES, SimulatedJudge


def test_a_known_excess() -> None:
    # 40 requests; the tier differs on eight of them, the reference from itself on four of those.
    d, r = np.zeros((1, 40)), np.zeros((1, 40))
    d[0, :8], r[0, :4] = 1.0, 1.0
    found = noise_floor(sums_of(d, r, np.full((1, 40), 200.0))[0])
    assert found.divergence is not None
    assert found.floor is not None
    assert found.excess is not None
    assert (found.divergence.value, found.floor.value, found.excess.value) == pytest.approx((0.2, 0.1, 0.1))
    # By hand: centre 4 / 41, squares 4 + 1 / 2 less centre^2 * 41, over 41^2, t with 40 degrees of freedom.
    half = 2.0210754 * (4.5 - (4 / 41) ** 2 * 41) ** 0.5 / 41
    assert (found.excess.low, found.excess.high) == pytest.approx((4 / 41 - half, 4 / 41 + half), abs=1e-6)
    assert (found.excess.n, found.excess.corrected, found.excess.effective_n) == (40, False, pytest.approx(40.0))
    assert found.undefined == {}


def test_without_evidence_each_figure_says_why_there_is_none() -> None:
    one = sums_of(np.array([[0.3]]), np.array([[0.1]]), np.array([[20.0]]))[0]
    few = sums_of(np.full((1, 12), 0.3), np.full((1, 12), 0.1), np.ones((1, 12)))[0]
    for sums, reason in (
        (NoiseSums(), "no_control_samples"),
        (NoiseSums(control=7, failed=7), "control_failed"),
        (NoiseSums(control=7, failed=3, abstained=4), "no_verdicts"),
        (one, "one_sample"),
    ):
        found = noise_floor(sums)
        assert (found.divergence, found.floor, found.excess) == (None, None, None)
        assert {name: why.reason for name, why in found.undefined.items()} == dict.fromkeys(
            ("divergence", "floor", "excess"), reason
        )
    found = noise_floor(few)
    assert found.floor is not None
    assert found.excess is None
    assert found.undefined["excess"].detail == f"12 of {MIN_PAIRS}"
    half = noise_floor(NoiseSums(control=8, failed=4, abstained=4)).coverage
    assert half is not None
    assert half.value == 0.0


rows = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(1, 100)), min_size=MIN_PAIRS, max_size=60)


@given(rows, st.floats(0.01, 100), st.integers(1, 29))
def test_weights_have_no_unit_buckets_add_up_and_exchanging_the_pairs_turns_the_sign(
    drawn: list[tuple[float, float, float]], factor: float, cut: int
) -> None:
    d, r, w = (np.array([column]) for column in zip(*drawn, strict=True))
    whole, scaled, turned = sums_of(d, r, w)[0], sums_of(d, r, w * factor)[0], sums_of(r, d, w)[0]
    parts = [sums_of(d[:, s], r[:, s], w[:, s])[0] for s in (slice(None, cut), slice(cut, None))]
    first = noise_floor(whole).excess
    assert first is not None
    assert -1 <= first.low <= first.value <= first.high <= 1  # type: ignore[operator]
    for other, sign in ((scaled, 1), (NoiseSums.total(parts), 1), (turned, -1)):
        found = noise_floor(other).excess
        assert found is not None
        ends = sorted((sign * found.low, sign * (found.high or 0.0)))
        assert (sign * found.value, *ends) == pytest.approx((first.value, first.low, first.high), rel=1e-6, abs=1e-6)
    assert {f.name for f in fields(NoiseSums)} >= {"control", "pairs"}


@pytest.mark.parametrize(
    ("pairs", "floor", "excess", "ratio", "errs"),
    [
        (100, 0.05, 0.0, 1.0, False),
        (100, 0.05, 0.10, 4.0, False),
        (200, 0.02, 0.03, 4.0, False),
        (200, 0.15, 0.05, 1.0, True),
        (400, 0.10, -0.05, 4.0, False),
    ],
)
def test_the_interval_of_the_excess_holds_the_truth(
    pairs: int, floor: float, excess: float, ratio: float, errs: bool
) -> None:
    judge = SimulatedJudge(sensitivity=0.85, specificity=0.6, spread=0.15) if errs else JUDGES["good"]
    world = NoiseWorld(pairs=pairs, floor=floor, excess=excess, judge=judge, inclusion_ratio=ratio)
    assert 0.93 <= covered(world, runs=4000, rng=np.random.default_rng(11)) <= 0.97
