"""Is a user who asks again, or is fed up, noticed; is nobody else; and is memory bounded?"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.chat import read_chat_request
from router.contracts import Hints, Policy
from router.decider import Decider
from router.features import extract_features
from router.gate import Gate
from router.rules import Rules
from router.sessions.frustration import is_frustrated
from router.sessions.memory import MOST_REPHRASED, Sessions, Signal
from router.sessions.wording import likeness, wording_of

ASKED = "How can I reset the password of my account?"
REWORDED = "I want to reset my account password, how?"
ELSE = "What does the premium plan cost each month?"
ME = Hints(session="s1", user="ana")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sessions(clock: Clock | None = None, capacity: int = 10) -> Sessions:
    return Sessions(likeness=0.7, seconds=60, capacity=capacity, clock=clock or Clock())


def conversation(*said: str) -> dict[str, Any]:
    """Turns of user and assistant, the user first."""
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(said)]}


def read(
    within: Sessions,
    fields: dict[str, Any],
    hints: Hints | None = None,
    request_id: str = "now",
    key_id: str | None = None,
) -> Signal | None:
    return within.read(fields, extract_features(fields), hints or Hints(), request_id=request_id, key_id=key_id)


def test_asking_again_in_other_words_is_noticed_in_the_conversation() -> None:
    assert read(sessions(), conversation(ASKED, "Go to settings.", REWORDED)) == Signal(
        kind="rephrased", about_request_id=None
    )


def test_another_question_is_no_rephrasing() -> None:
    assert read(sessions(), conversation(ASKED, "Go to settings.", ELSE)) is None
    assert (
        read(sessions(), conversation("What is 3 + 4 of these apples?", "7", "What is 5 + 6 of these apples?")) is None
    )


def test_two_messages_of_the_user_without_an_answer_between_them_are_one_turn() -> None:
    fields = {"messages": [{"role": "user", "content": ASKED}, {"role": "user", "content": REWORDED}]}
    assert read(sessions(), fields) is None


def test_after_the_result_of_a_tool_the_user_has_said_nothing_new() -> None:
    fields = conversation(ASKED, "Go to settings.", REWORDED, "")
    fields["messages"].append({"role": "tool", "content": "ok", "tool_call_id": "1"})
    assert read(sessions(), fields) is None


def test_with_a_session_the_request_before_is_named() -> None:
    within = sessions()
    assert read(within, conversation(ASKED), ME, "first") is None
    assert read(within, conversation(REWORDED), ME, "second") == Signal(kind="rephrased", about_request_id="first")
    assert read(within, conversation("That's wrong."), ME) == Signal(kind="frustrated", about_request_id="second")


def test_a_conversation_with_a_session_names_it_too() -> None:
    within = sessions()
    read(within, conversation(ASKED), ME, "first")
    found = read(within, conversation(ASKED, "Go to settings.", REWORDED), ME)
    assert found == Signal(kind="rephrased", about_request_id="first")


@pytest.mark.parametrize(
    ("hints", "key_id"),
    [(Hints(session="s2", user="ana"), None), (Hints(session="s1", user="ben"), None), (ME, "key"), (Hints(), None)],
)
def test_sessions_of_others_are_never_mixed(hints: Hints, key_id: str | None) -> None:
    within = sessions()
    read(within, conversation(ASKED), ME, "first")
    assert read(within, conversation(REWORDED), hints, key_id=key_id) is None


def test_a_session_is_forgotten_after_its_time() -> None:
    clock = Clock()
    within = sessions(clock)
    read(within, conversation(ASKED), ME)
    clock.now += 61
    assert read(within, conversation(REWORDED), ME) is None


def test_the_oldest_session_makes_room() -> None:
    within = sessions(capacity=2)
    for name in ("s1", "s2", "s3"):
        read(within, conversation(ASKED), Hints(session=name, user="ana"))
    assert len(within) == 2
    assert read(within, conversation(REWORDED), ME) is None
    assert read(within, conversation(REWORDED), Hints(session="s3", user="ana")) is not None


def test_the_same_request_once_more_is_a_client_that_tries_again() -> None:
    within = sessions()
    read(within, conversation(ASKED), ME)
    assert read(within, conversation(ASKED), ME) is None


def test_a_program_that_fills_in_a_form_is_not_moved_up_for_ever() -> None:
    within = sessions()
    words = ["amber", "birch", "cedar", "dahlia", "elder", "fern", "ginger", "hazel", "iris"]
    found = [read(within, conversation(f"Write one short friendly sentence about {word} trees"), ME) for word in words]
    assert sum(signal is not None for signal in found) == MOST_REPHRASED


def test_a_single_turn_without_a_session_is_not_even_looked_at() -> None:
    within = sessions()
    assert read(within, conversation("That's wrong. " + ASKED)) is None
    assert len(within) == 0


def test_nothing_is_remembered_where_there_is_no_room() -> None:
    within = sessions(capacity=0)
    read(within, conversation(ASKED), ME)
    assert len(within) == 0


@pytest.mark.parametrize(
    "text",
    [
        "That's wrong.",
        "No, that’s not what I asked!",
        "you didn't answer my question",
        "this is useless",
        "It still doesn't work, try again",
        "Das ist falsch.",
        "Das war nicht meine Frage",
        "Ce n'est pas ce que j'ai demandé",
        "Eso no es lo que pedí",
        "Non hai capito la domanda",
        "Isso está errado",
    ],
)
def test_frustration_is_heard_in_six_languages(text: str) -> None:
    assert is_frustrated(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, that was helpful!",
        "What is wrong with the second paragraph?",
        "Which of these answers is incorrect?",
        "Das ist richtig, danke.",
        "Translate: the clock is not right",
        "That is wrong. " + "This is a long text about other things. " * 20,
        "",
    ],
)
def test_ordinary_messages_are_not_frustrated(text: str) -> None:
    assert not is_frustrated(text)


@given(st.text(max_size=200), st.text(max_size=200))
def test_likeness_is_a_share_the_same_both_ways(one: str, other: str) -> None:
    value = likeness(wording_of(one), wording_of(other))
    assert 0 <= value <= 1
    assert value == likeness(wording_of(other), wording_of(one))


ROLES = st.sampled_from(["user", "assistant", "tool", "system", None])
CONTENT = st.one_of(
    st.none(), st.text(max_size=30), st.integers(), st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=9)))
)


@given(st.lists(st.fixed_dictionaries({"role": ROLES, "content": CONTENT}), max_size=6), st.sampled_from([None, "s1"]))
def test_any_conversation_can_be_read(messages: list[dict[str, Any]], session: str | None) -> None:
    within = sessions()
    for _ in range(2):
        found = read(within, {"messages": messages}, Hints(session=session))
        assert found is None or found.kind in ("rephrased", "frustrated")


class Fixed:
    """Scores and a policy that choose the cheap tier."""

    def scores(self, features: object) -> dict[str, float]:
        return {"fast": 0.99, "mid": 1.0, "top": 1.0}

    def current(self) -> Policy:
        return Policy(version=0, thresholds={"fast": 0.5, "mid": 0.5}, band=0.0)


async def test_a_discontented_user_gets_the_next_tier_and_the_record_says_what_it_is_about() -> None:
    tiers = ("fast", "mid", "top")
    gate = Gate.of(tiers, dict.fromkeys(tiers, 100_000), Rules.of([]))
    decider = Decider(gate=gate, scorer=Fixed(), policy=Fixed(), sessions=sessions())

    async def decide(text: str, request_id: str) -> Any:
        body = orjson.dumps({"model": "auto", **conversation(text)})
        return await decider.decide(read_chat_request(body), ME, None, request_id=request_id)

    first = await decide(ASKED, "first")
    assert (first.decision.chosen, first.decision.reason, first.noted) == ("fast", None, {})
    second = await decide(REWORDED, "second")
    assert (second.decision.chosen, second.decision.reason) == ("mid", "session")
    assert second.noted == {"session_signal": "rephrased", "about_request_id": "first"}
