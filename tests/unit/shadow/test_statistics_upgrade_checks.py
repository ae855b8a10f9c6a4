"""Do the figures beside an upgrade's e-process agree with the literature, and with their own symmetries?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow.statistics.paired_ratio import ratio_of_means
from shadow.statistics.tango import score_interval


def test_tangos_interval_of_a_published_table() -> None:
    """Airway reactivity of 21 children before and after a transplantation (Bentur 2009; Fagerland, Lydersen, Laake 2014)."""
    found = score_interval(1, 7, 21)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(-0.517, abs=5e-4), pytest.approx(-0.026, abs=5e-4))
    assert score_interval(0, 0, 0) is None
    with pytest.raises(ValueError, match="must fit"):
        score_interval(3, 3, 5)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 200))
def test_exchanging_the_sides_turns_the_interval_round(better: int, worse: int, more: int) -> None:
    pairs = better + worse + more
    one, other = score_interval(better, worse, pairs), score_interval(worse, better, pairs)
    assert one is not None
    assert other is not None
    assert (one.low, one.high) == (pytest.approx(-(other.high or 0), abs=1e-7), pytest.approx(-other.low, abs=1e-7))


def test_the_score_interval_and_the_ratio_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    held = {"score": 0, "ratio": 0}
    for _ in range(600):
        kinds = rng.multinomial(150, (0.05, 0.10, 0.85))
        found = score_interval(int(kinds[0]), int(kinds[1]), 150)
        assert found is not None
        held["score"] += found.covers(-0.05)
        theirs = rng.gamma(4.0, 1.0, size=150)
        ratio = ratio_of_means(0.5 * theirs * rng.gamma(4.0, 0.25, size=150), theirs)
        assert ratio is not None
        held["ratio"] += ratio.covers(0.5)
    assert 0.925 <= held["score"] / 600 <= 0.98
    assert 0.925 <= held["ratio"] / 600 <= 0.98
