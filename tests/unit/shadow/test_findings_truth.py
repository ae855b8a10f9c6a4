"""Where the truth is known, as in the lab's world, do findings about query types tell it?"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from shadow.lab.world import KINDS, World
from shadow.money.cheaper_types import TypeFinding, query_types
from shadow.money.findings_text import _move
from shadow.statistics.moves import MoveSums
from shadow.store.moves import Move
from shadow.store.spend import SpendCell

MARGIN = 0.03
TIERS = ("fast", "mid", "frontier")


@pytest.fixture(scope="module")
def tables():  # type: ignore[no-untyped-def]
    return World(seed=1, items=400).tables()


def sums(d, s, c, weight):  # type: ignore[no-untyped-def]
    w = np.full(len(d), weight)
    return MoveSums(
        pairs=float(len(d)),
        w=w.sum(),
        wd=(w * d).sum(),
        ww=(w * w).sum(),
        wwd=(w * w * d).sum(),
        wwdd=(w * w * d * d).sum(),
        ws=(w * s).sum(),
        wc=(w * c).sum(),
        wwss=(w * w * s * s).sum(),
        wwsc=(w * w * s * c).sum(),
        wwcc=(w * w * c * c).sum(),
    )


def a_month(tables, rng, *, pairs: int) -> tuple[TypeFinding, ...]:  # type: ignore[no-untyped-def]
    """Every kind served by the top tier and by the middle one, mirrored, and judged by who knows the truth."""
    top, moves, cells = len(TIERS) - 1, [], []
    for index, kind in enumerate(KINDS):
        items = np.flatnonzero(tables.kind == index)

        def right(tier: int, of):  # type: ignore[no-untyped-def]
            return (rng.random(len(of)) < tables.probability[of, tier]).astype(float)

        for served in (1, 2):
            own = tables.cost_usd[items, served].mean() * 10_000
            cells.append(
                SpendCell(name="", tier=TIERS[served], query_type=kind, requests=10_000, cost_usd=Decimal(str(own)))
            )
            for other in range(served):
                of = rng.choice(items, pairs)
                s, c = tables.cost_usd[of, served], tables.cost_usd[of, other]
                if served == top:
                    found = {"down": sums(1 - right(other, of), s, c, 100.0)}
                    again = rng.choice(items, pairs)
                    cost = tables.cost_usd[again, top]
                    floor = sums(1 - right(top, again), cost, cost, 100.0)
                    moves.append(
                        Move(query_type=kind, served_tier=TIERS[top], other_tier=TIERS[top], arm="control", sums=floor)
                    )
                else:
                    found = {"up": sums(right(served, of) - right(other, of), s, c, 100.0)}
                moves += [
                    Move(query_type=kind, served_tier=TIERS[served], other_tier=TIERS[other], arm=arm, sums=one)
                    for arm, one in found.items()
                ]
    return query_types(cells, moves, tiers=TIERS, days=30.0, margin=MARGIN)


def true_loss(tables, kind: str, served: str, other: str) -> float:  # type: ignore[no-untyped-def]
    items = tables.kind == KINDS.index(kind)  # type: ignore[arg-type]
    by_tier = tables.probability[items].mean(axis=0)
    return float(by_tier[TIERS.index(served)] - by_tier[TIERS.index(other)])


def true_saving_a_day(tables, kind: str, served: str, other: str) -> float:  # type: ignore[no-untyped-def]
    items = tables.kind == KINDS.index(kind)  # type: ignore[arg-type]
    by_tier = tables.cost_usd[items].mean(axis=0)
    return float(by_tier[TIERS.index(served)] - by_tier[TIERS.index(other)]) * 10_000 / 30


def test_losses_and_savings_hold_the_truth_and_no_costly_move_is_called_cheap(tables) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(2)
    losses, savings, costly, called = [], [], [], 0
    for _ in range(60):
        for one in a_month(tables, rng, pairs=300):
            for move in one.moves:
                truth = true_loss(tables, move.query_type, move.from_tier, move.to_tier)
                assert move.loss is not None
                assert move.saving_usd_per_day is not None
                losses.append(move.loss.covers(truth))
                day = true_saving_a_day(tables, move.query_type, move.from_tier, move.to_tier)
                savings.append(move.saving_usd_per_day.covers(day))
                called += move.verdict == "cheap_enough"
                if truth > MARGIN:
                    costly.append(move.verdict == "cheap_enough")
    assert np.mean(losses) >= 0.94
    assert np.mean(savings) >= 0.93
    assert called > 0, "the lab has kinds at which a cheaper tier is as good"
    assert np.mean(costly) <= 0.025 + 2.33 * (0.025 * 0.975 / len(costly)) ** 0.5


def test_the_dearest_come_first_and_few_pairs_decide_nothing(tables) -> None:  # type: ignore[no-untyped-def]
    found = a_month(tables, np.random.default_rng(3), pairs=20)
    assert [one.cost_usd for one in found] == sorted((one.cost_usd for one in found), reverse=True)
    assert {move.verdict for one in found for move in one.moves} == {"too_few_pairs"}
    assert sum(one.share_of_spend for one in found) == pytest.approx(1.0)


def test_a_finding_says_who_judged_and_never_that_it_is_certified(tables) -> None:  # type: ignore[no-untyped-def]
    [best, *_] = a_month(tables, np.random.default_rng(4), pairs=300)[0].moves
    said = _move(best, MARGIN)
    assert "judges only" in said
    assert "certified" not in said
    assert "300 pairs" in said
