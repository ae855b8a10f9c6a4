"""Do labels say what a move to a cheaper tier loses, whatever judges say, and is *certified* as seldom wrong as promised?"""

from __future__ import annotations

from decimal import Decimal
from math import sqrt

import numpy as np
import pytest

from shadow.money.cheaper_types import query_types
from shadow.money.findings_text import _move
from shadow.statistics.move_loss import labelled_loss, loss_p_value, loss_sums
from shadow.statistics.pair_sums import PairSums, pair_sums_of
from shadow.statistics.sums import Sums
from shadow.store.rollups import PairSlice, Slice
from shadow.store.spend import SpendCell

MARGIN = 0.03


def arm(rng, *, pairs, loss, labels, judge_bias, chance=0.05, eta_factor=1.0) -> PairSums:  # type: ignore[no-untyped-def]
    """Pairs of an arm. loss: true mean loss of the other answer; judge_bias: what judges add to it; labels: share labelled."""
    draw = rng.random(pairs)
    lost, won = draw < loss + 0.02, draw > 1 - 0.02
    y = won.astype(float) - lost.astype(float)
    return pair_sums_of(
        inclusion=np.full(pairs, chance),
        judged=np.ones(pairs, dtype=np.bool_),
        judged_loss=np.clip(0.8 * y - judge_bias + rng.normal(0, 0.05, pairs), -1, 1),
        labelled=rng.random(pairs) < labels,
        label_loss=y,
        label_inclusion=np.full(pairs, min(1.0, labels * eta_factor)),
    )


def test_labels_take_the_judges_bias_off_though_arms_are_labelled_at_different_rates() -> None:
    covered, judged_alone = 0, 0
    for run in range(300):
        rng = np.random.default_rng(run)
        down = arm(rng, pairs=1500, loss=0.05, labels=0.3, judge_bias=0.2)
        up = arm(rng, pairs=700, loss=0.05, labels=0.1, judge_bias=-0.1, eta_factor=5.0)
        found = loss_sums([[(900.0, down)], [(900.0, up)]])
        assert found is not None
        estimate = labelled_loss(found)
        assert estimate is not None
        assert estimate.corrected
        assert estimate.labelled == found.labelled
        covered += estimate.covers(0.05)
        judged_alone += estimate.covers(-(down.wd + up.wd) / (down.w + up.w))
    assert covered / 300 >= 0.95 - 2.33 * sqrt(0.95 * 0.05 / 300)
    assert judged_alone < 30  # the verdicts alone are elsewhere


def test_a_move_that_loses_the_margin_is_certified_no_more_often_than_promised() -> None:
    wrong = 0
    for run in range(400):
        rng = np.random.default_rng(run)
        found = loss_sums([[(1.0, arm(rng, pairs=1200, loss=MARGIN, labels=0.35, judge_bias=0.1))]])
        assert found is not None
        wrong += loss_p_value(found, margin=MARGIN) <= 0.1
    assert wrong / 400 <= 0.1 + 2.33 * sqrt(0.1 * 0.9 / 400)


def test_nothing_is_said_without_labels() -> None:
    rng = np.random.default_rng(1)
    assert loss_sums([[(1.0, arm(rng, pairs=50, loss=0.0, labels=0.0, judge_bias=0.0))], []]) is None
    assert loss_sums([]) is None
    assert loss_p_value(PairSums(), margin=MARGIN) == 1.0


def findings(sums: PairSums, kinds: tuple[str, ...], *, delta: float):  # type: ignore[no-untyped-def]
    return query_types(
        [SpendCell(name="", tier="top", query_type=kind, requests=9000, cost_usd=Decimal(9)) for kind in kinds],
        [],
        tiers=("fast", "top"),
        days=30.0,
        margin=MARGIN,
        delta=delta,
        pairs=[
            PairSlice(tier="top", other_tier="fast", arm="down", query_type=kind, band="high", sums=sums)
            for kind in kinds
        ],
        slices=[
            Slice(tier="top", query_type=kind, band="high", model=None, feature=None, sums=Sums(requests=9000.0))
            for kind in kinds
        ],
    )


def test_the_error_allowed_is_shared_among_the_moves_that_are_tested() -> None:
    sums = arm(np.random.default_rng(3), pairs=1500, loss=0.005, labels=0.4, judge_bias=0.1)
    alone = findings(sums, ("chat",), delta=0.1)[0].moves[0]
    assert alone.p_value is not None
    assert 0.0 < alone.p_value < 0.1
    assert (alone.status, alone.bound, alone.labels) == ("certified", "studentised", round(sums.labelled))
    assert "certified nearly as good" in _move(alone, MARGIN)
    assert "studentised" in _move(alone, MARGIN)
    delta = alone.p_value * 1.5
    assert findings(sums, ("chat",), delta=delta)[0].moves[0].status == "certified"
    both = [one.moves[0] for one in findings(sums, ("chat", "code"), delta=delta)]
    assert [move.status for move in both] == ["not_shown", "not_shown"]
    assert all(move.p_value == pytest.approx(alone.p_value) for move in both)


@pytest.mark.parametrize(("pairs", "expected"), [(150, "uncertified"), (40, "not_shown")])
def test_fewer_than_200_labels_certify_nothing(pairs: int, expected: str) -> None:
    rng = np.random.default_rng(5)
    ties = np.zeros(pairs)
    everyone = np.ones(pairs, dtype=np.bool_)
    sums = pair_sums_of(
        inclusion=np.full(pairs, 0.1),
        judged=everyone,
        judged_loss=rng.normal(0, 0.01, pairs),
        labelled=everyone,
        label_loss=ties,
        label_inclusion=np.ones(pairs),
    )
    move = findings(sums, ("chat",), delta=0.1)[0].moves[0]
    assert (move.status, move.p_value) == (expected, None)
    assert "certified nearly" not in _move(move, MARGIN)
