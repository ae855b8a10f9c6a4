"""Which move of an upgrade is legal, and why is this one not? A pure state machine; the store enforces the same moves.

    proposed -> shadowing -> ready -> approved -> canary -> promoted -> rolled_back
                    |          |         |           `-> rolled_back
                    |          |         `-> rejected, expired
                    |          `-> rejected, expired
                    `-> harmed, inconclusive, rejected

A proposal begins to be shadowed when the scheduler takes it up. Evidence is frozen by the move to ready, and nothing that
comes later can change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from shadow.access.identity import AUTOMATIC
from shadow.errors import RefusedError

State = Literal[
    "proposed",
    "shadowing",
    "ready",
    "harmed",
    "inconclusive",
    "approved",
    "rejected",
    "expired",
    "canary",
    "promoted",
    "rolled_back",
]
STATES: tuple[State, ...] = get_args(State)

MOVES: Mapping[State, frozenset[State]] = {
    "proposed": frozenset({"shadowing", "rejected"}),
    "shadowing": frozenset({"ready", "harmed", "inconclusive", "rejected"}),
    "ready": frozenset({"approved", "rejected", "expired"}),
    "approved": frozenset({"canary", "rejected", "expired"}),
    "canary": frozenset({"promoted", "rolled_back"}),
    "promoted": frozenset({"rolled_back"}),
    "harmed": frozenset(),
    "inconclusive": frozenset(),
    "rejected": frozenset(),
    "expired": frozenset(),
    "rolled_back": frozenset(),
}
#: Something is under way: a tier can have one such upgrade at a time.
ACTIVE: tuple[State, ...] = ("proposed", "shadowing", "ready", "approved", "canary")
#: Requests are mirrored for its sake.
WATCHED: tuple[State, ...] = ("shadowing", "canary")

_HINTS: Mapping[State, str] = {
    "approved": "only one that is ready can be approved",
    "canary": "it must be approved first, by somebody who did not propose it: `shadow upgrade approve`",
    "promoted": "only one that serves its canary share can be promoted in full",
    "rolled_back": "only one whose candidate serves requests can be rolled back",
    "rejected": "it is over, or serves requests already (`shadow upgrade rollback`)",
}


def check_move(upgrade_id: int, current: State, wanted: State) -> None:
    """Raises: RefusedError that says why this move is none."""
    if wanted in MOVES[current]:
        return
    if wanted == current:
        raise RefusedError(f"upgrade {upgrade_id} is {spoken(current)} already")
    hint = _HINTS.get(wanted)
    raise RefusedError(
        f"upgrade {upgrade_id} is {spoken(current)} and can't become {spoken(wanted)}" + (f": {hint}" if hint else "")
    )


def check_approver(proposed_by: str, approver: str) -> None:
    """Four eyes: the name of a person, and not the proposer's. Raises: RefusedError."""
    if not approver.strip() or approver.strip().lower() in AUTOMATIC:
        raise RefusedError("an approval needs the name of a person")
    if same_person(proposed_by, approver):
        raise RefusedError(f"{approver.strip()} has proposed it: somebody else has to approve it")


def same_person(one: str, other: str) -> bool:
    """Whether two names are the same but for case and outer blanks."""
    return one.strip().lower() == other.strip().lower()


def spoken(state: State) -> str:
    """The state in words."""
    return {"harmed": "stopped for harm", "rolled_back": "rolled back"}.get(state, state)
