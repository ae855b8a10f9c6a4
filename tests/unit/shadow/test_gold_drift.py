"""Daily looks at the gold set: exact p-values, few false alarms in ninety days, and a judge that gets worse is noticed."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.gold.figures import figures_of
from shadow.statistics.gold_drift import ALPHA, look, spent, upper_tail
from shadow.statistics.reviewer_agreement import agreement
from shadow.store.gold import GoldItem, GoldVerdict


@pytest.mark.parametrize(("worse", "changed"), [(0, 0), (0, 5), (1, 1), (3, 4), (9, 12), (20, 20), (7, 30)])
def test_the_p_value_is_that_of_fair_coins(worse: int, changed: int) -> None:
    assert upper_tail(worse, changed) == pytest.approx(
        sum(comb(changed, k) for k in range(worse, changed + 1)) / 2**changed
    )


def test_looks_share_what_may_be_spent_and_items_of_one_run_are_left_out() -> None:
    assert spent(np.arange(1, 100_000)).sum() == pytest.approx(ALPHA, rel=1e-3)
    first = {f"i{n}": True for n in range(40)} | {"gone": True}
    today = {f"i{n}": n >= 14 for n in range(40)} | {"new": False}
    found = look(first, today, number=1, streams=6)
    assert (found.compared, found.worse, found.better) == (40, 14, 0)
    assert (found.p, found.bar) == (pytest.approx(2.0**-14), pytest.approx(spent(1) / 6))
    assert found.has_drifted
    assert not look(first, first, number=1, streams=1).has_drifted
    with pytest.raises(ValueError, match="at least 1"):
        look(first, today, number=0, streams=1)


def alarms(
    rng: np.random.Generator, *, runs: int, items: int, days: int, streams: int, lost: float, sharing: int
) -> np.ndarray:
    """Whether each run raised an alarm. Items have their own chance of a right verdict, which falls by `lost`."""
    chances = rng.beta(9, 1, size=(runs, streams, items))
    first = rng.random(chances.shape) < chances
    fired = np.zeros(runs, dtype=bool)
    for day in range(1, days + 1):
        today = rng.random(chances.shape) < chances - lost
        worse, better = (first & ~today).sum(axis=2), (today & ~first).sum(axis=2)
        fired |= (upper_tail(worse, worse + better) <= spent(day) / sharing).any(axis=1)
    return fired


def test_an_unchanged_judge_is_left_alone_for_ninety_days() -> None:
    runs = 400
    observed = alarms(np.random.default_rng(3), runs=runs, items=60, days=90, streams=3, lost=0.0, sharing=3).mean()
    assert observed <= ALPHA + 2.33 * (ALPHA * (1 - ALPHA) / runs) ** 0.5


def test_a_judge_that_loses_fifteen_points_is_noticed_within_a_week() -> None:
    observed = alarms(np.random.default_rng(4), runs=400, items=100, days=7, streams=2, lost=0.15, sharing=10).mean()
    assert observed >= 0.86


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(0, 1, allow_subnormal=False),
    st.floats(0, 1, allow_subnormal=False),
)
def test_kappa_on_the_gold_set_is_cohens_and_rises_with_either_share(
    good: int, bad: int, first: float, second: float
) -> None:
    items = {f"{i}": GoldItem(item_id=f"{i}", prompt="q", answer="a", label=int(i < good)) for i in range(good + bad)}

    def said(accepted: int, rejected: int) -> dict[str, Any]:
        kept = (
            ["accept"] * accepted
            + ["reject"] * (good - accepted)
            + ["reject"] * rejected
            + ["accept"] * (bad - rejected)
        )
        made = [GoldVerdict(judge="j", item_id=f"{i}", verdict=v, score=None) for i, v in enumerate(kept)]
        return figures_of(made, items)["figures"]["kappa"]  # type: ignore[no-any-return]

    accepted, rejected = round(first * good), round(second * bad)
    found = said(accepted, rejected)
    ours, truth = (
        [1] * accepted + [0] * (good - accepted) + [0] * rejected + [1] * (bad - rejected),
        [1] * good + [0] * bad,
    )
    known = agreement(ours, truth, [str(i) for i in range(good + bad)]).kappa.value
    assert found["value"] == pytest.approx(known)
    assert -1.0 <= found["low"] <= found["value"] <= found["high"] <= 1.0 + 1e-9
    if accepted < good:
        assert said(accepted + 1, rejected)["value"] > found["value"]
    if rejected < bad:
        assert said(accepted, rejected + 1)["value"] > found["value"]
