"""Does the simulated provider write what OpenAI's clients read, and does it fail as told?"""

import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.lab.clients import CutError, read_stream, read_whole
from shadow.lab.faults import FaultPlan
from shadow.lab.wire import Completion, cut_to, split_text

MODELS = frozenset({"a", "b"})


def completion(*texts, **fields):
    defaults = {
        "completion_id": "chatcmpl-1",
        "created": 1,
        "model": "m",
        "system_fingerprint": "fp",
        "texts": texts,
        "finish_reason": "stop",
        "prompt_tokens": 3,
        "completion_tokens": 4,
    }
    return Completion(**{**defaults, **fields})


@given(text=st.text(max_size=200), pieces=st.integers(1, 12))
def test_the_pieces_of_a_text_add_up_to_it_unless_it_is_white_space_all_through(text, pieces):
    parts = split_text(text, pieces)
    assert len(parts) <= pieces
    assert "".join(parts) == text or not "".join(parts).strip()


@given(text=st.text(min_size=1, max_size=200).filter(str.strip))
def test_a_stream_and_a_whole_answer_say_the_same(text):
    answer = completion(text)
    assert read_stream(b"".join(answer.events(8, include_usage=True))) == (text, "m") == read_whole(answer.body())


def test_the_usage_chunk_comes_last_and_only_when_asked_for():
    events = list(completion("hello there").events(8, include_usage=True))
    last = orjson.loads(events[-2][6:])
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 7)
    assert all(b"usage" not in event for event in completion("hello").events(8, include_usage=False))


def test_each_choice_has_its_index():
    body = orjson.loads(completion("one", "two").body())
    assert [(c["index"], c["message"]["content"]) for c in body["choices"]] == [(0, "one"), (1, "two")]
    assert read_stream(b"".join(completion("one", "two").events(8, include_usage=False)))[0] == "one"


def test_logprobs_spell_out_the_text():
    body = orjson.loads(completion("one two", with_logprobs=True).body())
    assert "".join(entry["token"] for entry in body["choices"][0]["logprobs"]["content"]) == "one two"


def test_a_stream_without_its_end_mark_is_cut():
    events = list(completion("hello there").events(8, include_usage=False))
    with pytest.raises(CutError):
        read_stream(b"".join(events[:-1]))


def test_a_cut_text_is_a_beginning_of_it():
    assert cut_to("one two three four", 4, 2) == "one two"
    assert cut_to("one", 1, 0) == ""


def test_a_fault_strikes_its_model_at_its_rate():
    plan = FaultPlan()
    plan.update({"a": {"mode": "down", "rate": 0.25}}, MODELS)
    rng = random.Random(1)
    struck = sum(plan.strike("a", rng) is not None for _ in range(2000))
    assert 400 < struck < 600
    assert plan.strike("b", rng) is None


def test_the_star_holds_for_all_and_mends_all():
    plan, rng = FaultPlan(), random.Random(1)
    plan.update({"a": {"mode": "down"}, "b": {"mode": "hang", "seconds": 5}}, MODELS)
    plan.update({"b": {"mode": "http429"}}, MODELS)
    assert (plan.strike("a", rng).mode, plan.strike("b", rng).mode) == ("down", "http429")
    plan.update({"*": {"mode": "none"}}, MODELS)
    assert plan.strike("a", rng) is None
    plan.update({"*": {"mode": "error500"}, "a": {"mode": "none"}}, MODELS)
    assert (plan.strike("a", rng), plan.strike("b", rng).mode) == (None, "error500")
    assert plan.as_json()["*"] == {"mode": "error500", "rate": 1.0, "seconds": 60.0}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ([], "must be an object"),
        ({"c": {"mode": "down"}}, "unknown model c; known: a, b"),
        ({"a": "down"}, "mode must be one of"),
        ({"a": {"mode": "slow"}}, "mode must be one of none, down"),
        ({"a": {"mode": "down", "rate": 2}}, "rate must be"),
        ({"a": {"mode": "down", "rate": True}}, "rate must be"),
        ({"a": {"mode": "hang", "seconds": -1}}, "seconds must be"),
        ({"a": {"mode": "down", "rte": 1}}, "unknown key rte"),
    ],
)
def test_a_wrong_fault_is_refused_with_one_line_and_changes_nothing(body, complaint):
    plan = FaultPlan()
    with pytest.raises(ValueError, match=complaint):
        plan.update({"b": {"mode": "down"}, **body} if isinstance(body, dict) else body, MODELS)
    assert plan.as_json() == {}
