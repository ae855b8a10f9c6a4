"""Can an upgrade get anywhere without the steps that have to come before?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.errors import RefusedError
from shadow.upgrades.states import MOVES, STATES, State, check_approver, check_move


@given(st.lists(st.sampled_from(STATES), max_size=25))
def test_nobody_serves_a_candidate_without_evidence_and_approval(wanted: list[State]) -> None:
    current: State = "proposed"
    been = [current]
    for to in wanted:
        if to in MOVES[current]:
            check_move(1, current, to)
            current = to
            been.append(to)
        else:
            with pytest.raises(RefusedError, match="upgrade 1 is"):
                check_move(1, current, to)
    if "canary" in been:
        before = been[: been.index("canary")]
        assert before == ["proposed", "shadowing", "ready", "approved"]
    for last in ("harmed", "inconclusive", "rejected", "expired", "rolled_back"):
        assert last not in been[:-1]


def test_a_refusal_says_what_is_missing() -> None:
    with pytest.raises(RefusedError, match="is ready and can't become canary: it must be approved first"):
        check_move(7, "ready", "canary")
    with pytest.raises(RefusedError, match="is approved already"):
        check_move(7, "approved", "approved")


@pytest.mark.parametrize("name", ["mira", " MIRA "])
def test_the_proposer_is_no_second_pair_of_eyes(name: str) -> None:
    with pytest.raises(RefusedError, match="somebody else has to approve"):
        check_approver("Mira", name)
    check_approver("Mira", "jon")
