"""When does a pair of an upgrade enter, and as what? And does what is bet on have the mean of the truth?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.store.upgrade_pairs import PairRow, Side, Waiting
from shadow.upgrades.pairs import digest, gain
from shadow.upgrades.resolving import Patience, resolve

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PATIENCE = Patience(verdict=timedelta(hours=6), label=timedelta(days=14))
GOOD = Side(obtained=True, probability=0.9, label=1, skips=0, cost_usd=0.2, seconds=1.0, markers=0, panel="panel@1")
FAILED = Side(obtained=False, probability=None, label=None, skips=0, cost_usd=0.0, seconds=None, markers=0, panel=None)
ROW = PairRow(
    request_id="r1",
    upgrade_id=1,
    phase="shadow",
    started_at=NOW - timedelta(hours=1),
    query_type="qa",
    feature="",
    pi=0.2,
    eta=0.25,
    label_drawn=True,
    served_candidate=False,
)
CANARY = replace(ROW, phase="canary", eta=0.0, label_drawn=False)


def waiting(row: PairRow = ROW, **changes: Any) -> Waiting:
    known: dict[str, Any] = {"row": row, "state": "judged", "candidate": GOOD, "pinned": GOOD} | changes
    return Waiting(**known)


@pytest.mark.parametrize(
    ("found", "hours", "expected"),
    [
        (waiting(state="mirrored"), 1, None),  # may still be judged: those behind it wait
        (waiting(candidate=replace(GOOD, label=None)), 1, None),  # a reviewer was drawn for it
        (waiting(), 1, (0.0, None)),
        (waiting(candidate=replace(GOOD, probability=0.4, label=0)), 1, (-0.5 + (-1 + 0.5) / 0.25, None)),
        (waiting(candidate=replace(GOOD, probability=None)), 1, (0.0, None)),  # undecided: 0, put right by labels
        (waiting(candidate=FAILED), 1, (-0.9 + (-1 + 0.9) / 0.25, None)),  # no answer is no acceptable answer
        (waiting(candidate=None), 1, (None, "the other model was not asked: budget, or a worker that was down")),
        (waiting(candidate=FAILED, pinned=FAILED), 1, (None, "neither model answered")),
        (waiting(candidate=replace(GOOD, label=None, skips=2)), 1, (None, "reviewers could not tell")),
        (waiting(candidate=replace(GOOD, label=None)), 24 * 15, (None, "no reviewer looked at it in time")),
        (waiting(replace(ROW, label_drawn=False), candidate=replace(GOOD, label=None)), 1, (0.0, None)),
        (waiting(CANARY, candidate=replace(GOOD, probability=0.1)), 1, (-0.8, None)),
        (waiting(CANARY, candidate=replace(GOOD, probability=None)), 1, (None, "the panel is undecided")),
        (waiting(CANARY, state=None, candidate=FAILED, pinned=None), 1, (-1.0, None)),  # failed at the top
    ],
)
def test_what_enters_and_what_is_waited_for(
    found: Waiting, hours: int, expected: tuple[float | None, str | None] | None
) -> None:
    pair = resolve(found, PATIENCE, now=found.row.started_at + timedelta(hours=hours))
    assert (None if pair is None else (pair.z, pair.missing)) == (
        expected if expected is None or expected[0] is None else (pytest.approx(expected[0]), expected[1])
    )


@given(st.floats(-1, 1), st.sampled_from([-1, 0, 1]), st.floats(0.25, 1))
def test_whatever_the_judge_says_the_mean_of_what_is_bet_on_is_the_truth(judged: float, truth: int, eta: float) -> None:
    looked_at = gain(judged=judged, label_drawn=True, label=truth, eta=eta)
    not_looked_at = gain(judged=judged, label_drawn=False, label=None, eta=eta)
    assert eta * looked_at + (1 - eta) * not_looked_at == pytest.approx(truth, abs=1e-9)
    assert abs(looked_at) <= 2 / eta - 1 + 1e-9


def test_any_change_of_a_pair_changes_the_digest() -> None:
    pair = resolve(waiting(), PATIENCE, now=NOW)
    assert pair is not None
    others = [replace(pair, z=1e-12), replace(pair, label=-1), replace(pair, missing="x"), replace(pair, judged=None)]
    assert len({digest([pair]), digest([pair, pair]), *(digest([other]) for other in others)}) == 6
