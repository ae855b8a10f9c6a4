"""Is feedback checked, remembered and written as it should be?"""

import json
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contracts import Hints
from router.errors import LineUnreadable, RequestRejected
from router.feedback import MAX_COMMENT_CHARACTERS, Feedback, read_feedback
from router.feedback_memory import ENTRY_BYTES, RequestMemory
from router.wire import entry_from_json, exchange_from_json, feedback_to_json

ID = "0190a1b2-0000-7000-8000-000000000001"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def read(**fields):
    return read_feedback(orjson.dumps(fields), feedback_id=ID, at=NOW, key_id=None)


def test_a_rating_and_a_comment_are_read():
    found = read(request_id=ID.upper(), rating="down", comment="It is Lyon.")
    assert found == Feedback(feedback_id=ID, request_id=ID, at=NOW, rating="down", comment="It is Lyon.")


def test_a_retry_needs_no_rating():
    assert read(request_id=ID, retry=True).rating is None
    assert read(request_id=ID, retry=True, rating="down").rating == "down"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"rating": "up"}, "request_id"),
        ({"request_id": "abc", "rating": "up"}, "request_id"),
        ({"request_id": 7, "rating": "up"}, "request_id"),
        ({"request_id": "{" + ID + "}", "rating": "up"}, "request_id"),
        ({"request_id": ID}, "rating"),
        ({"request_id": ID, "retry": False}, "rating"),
        ({"request_id": ID, "rating": "meh"}, "rating"),
        ({"request_id": ID, "rating": ["up"]}, "rating"),
        ({"request_id": ID, "rating": "up", "retry": "yes"}, "retry"),
        ({"request_id": ID, "rating": "up", "comment": 5}, "comment"),
        ({"request_id": ID, "rating": "up", "comment": "x" * (MAX_COMMENT_CHARACTERS + 1)}, "comment"),
        ({"request_id": ID, "rating": "up", "stars": 5}, "stars"),
    ],
)
def test_what_is_wrong_is_named(fields, param):
    with pytest.raises(RequestRejected) as caught:
        read(**fields)
    assert (caught.value.status, caught.value.param) == (400, param)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"up"'])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(RequestRejected) as caught:
        read_feedback(body, feedback_id=ID, at=NOW, key_id=None)
    assert caught.value.status == 400


@given(comment=st.text(), rating=st.sampled_from(["up", "down", None]), key=st.none() | st.text())
def test_feedback_comes_back_from_its_line_as_it_went_in(comment, rating, key):
    given_ = Feedback(
        feedback_id=ID, request_id=ID, at=NOW, rating=rating, comment=comment, retry=rating is None, key_id=key
    )
    line = feedback_to_json(given_)
    assert b"\n" not in line
    assert entry_from_json(line) == given_


def test_a_line_of_a_newer_router_with_more_fields_is_read():
    line = {**json.loads(feedback_to_json(read(request_id=ID, rating="up"))), "version": 2, "mood": "sunny"}
    assert entry_from_json(json.dumps(line)).rating == "up"


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "weather", "version": 1},
        {"kind": "feedback", "version": 1},
        {"kind": "feedback", "feedback_id": ID, "request_id": ID, "at": "2026-11-22T12:00:00", "rating": "up"},
        {"kind": "feedback", "feedback_id": ID, "request_id": ID, "at": NOW.isoformat(), "rating": "sideways"},
    ],
)
def test_a_kind_or_shape_that_is_not_known_is_an_unreadable_line_and_no_crash(line):
    with pytest.raises(LineUnreadable):
        entry_from_json(json.dumps(line))


def test_an_older_reader_takes_feedback_for_an_unreadable_line():
    with pytest.raises(LineUnreadable):
        exchange_from_json(feedback_to_json(read(request_id=ID, rating="up")))


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def remember(memory, request_id, size=10):
    memory.remember(request_id, body=b"x" * size, dialect="openai.chat", hints=Hints(), key_id=None, served_tier="fast")


def test_a_request_is_remembered_until_its_time_is_up():
    clock = Clock()
    memory = RequestMemory(max_bytes=10**6, seconds=60, clock=clock)
    remember(memory, "a")
    clock.now += 60
    assert memory.find("a").served_tier == "fast"
    clock.now += 1
    assert memory.find("a") is None
    remember(memory, "b")
    assert len(memory) == 1  # what has expired takes no room


@given(sizes=st.lists(st.integers(0, 5000), max_size=60))
def test_the_memory_never_holds_more_than_its_bytes_and_keeps_the_newest(sizes):
    limit = 8000
    memory = RequestMemory(max_bytes=limit, seconds=60, clock=Clock())
    for number, size in enumerate(sizes):
        remember(memory, str(number), size)
    kept = [size for number, size in enumerate(sizes) if memory.find(str(number))]
    assert sum(size + ENTRY_BYTES for size in kept) <= limit
    assert not sizes or memory.find(str(len(sizes) - 1)) is not None


def test_a_body_larger_than_the_memory_is_not_remembered_and_forgets_nobody():
    memory = RequestMemory(max_bytes=5000, seconds=60, clock=Clock())
    remember(memory, "a")
    remember(memory, "b", 5000)
    assert memory.find("a") is not None
    assert memory.find("b") is None
