"""Does an exchange come back from its line as it went in?"""

import json
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contracts import Attempt, Decision, Exchange, Hints
from router.errors import LineUnreadable
from router.wire import exchange_from_json, exchange_to_json


def paired(text):
    """The text with surrogate pairs joined: the only change that a line makes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


TEXT = st.text(st.characters(codec=None)).map(paired)  # NUL and unpaired surrogates included
SHORT = st.none() | TEXT
TIER = st.sampled_from(["fast", "mid", "top"])
REASON = st.sampled_from([None, "rule", "low_confidence", "fallback"])
LEVEL = st.sampled_from(["low", "normal", "high"])
TOKENS = st.integers(0, 10**9)
SECONDS = st.floats(0, 1e6)
MONEY = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=10)
HINTS = st.builds(
    Hints, user=SHORT, feature=SHORT, query_type=SHORT, impact=LEVEL, error_tolerance=LEVEL, session=SHORT
)
DECISIONS = st.builds(
    Decision,
    scores=st.dictionaries(TIER, st.floats(0, 1)),
    predicted=TIER,
    chosen=TIER,
    confidence=st.floats(0, 1),
    reason=REASON,
    rule=SHORT,
)
ATTEMPTS = st.builds(
    Attempt,
    tier=TIER,
    provider=TEXT,
    model=TEXT,
    latency_seconds=SECONDS,
    outcome=TEXT,
    http_status=st.none() | st.integers(100, 599),
    prompt_tokens=TOKENS,
    completion_tokens=TOKENS,
    cached_tokens=TOKENS,
    cost_usd=MONEY,
)
EXCHANGES = st.builds(
    Exchange,
    request_id=TEXT,
    started_at=st.datetimes(timezones=st.just(UTC)),
    policy_version=TOKENS,
    dialect=st.just("openai.chat"),
    hints=HINTS,
    query_type=TEXT,
    query_type_source=TEXT,
    requested_model=TEXT,
    decision=DECISIONS,
    served_tier=st.none() | TIER,
    served_model=SHORT,
    reason=REASON,
    status=st.sampled_from(["answered", "failed", "cancelled"]),
    http_status=st.integers(100, 599),
    error_kind=SHORT,
    streamed=st.booleans(),
    latency_seconds=SECONDS,
    first_token_seconds=st.none() | SECONDS,
    finish_reason=SHORT,
    prompt_tokens=TOKENS,
    completion_tokens=TOKENS,
    cost_usd=MONEY,
    attempts=st.lists(ATTEMPTS, max_size=3).map(tuple),
    key_id=SHORT,
    request_body=TEXT,
    completion=TEXT,
    tool_calls=TEXT,
    words=TOKENS,
    conversation_tokens=TOKENS,
    mode=st.sampled_from(["route", "observe"]),
    extra=st.dictionaries(TEXT, TEXT, max_size=3),
)


def plain(**changes):
    values = {
        "request_id": "r",
        "started_at": datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        "policy_version": 0,
        "dialect": "openai.chat",
        "hints": Hints(),
        "query_type": "unknown",
        "query_type_source": "none",
        "requested_model": "auto",
        "decision": Decision(scores={"fast": 0.9}, predicted="fast", chosen="fast", confidence=0.9, reason=None),
        "served_tier": "fast",
        "served_model": "m",
        "reason": None,
        "status": "answered",
        "http_status": 200,
        "error_kind": None,
        "streamed": False,
        "latency_seconds": 0.1,
        "first_token_seconds": None,
        "finish_reason": "stop",
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "cost_usd": Decimal("0.0000000001"),
    }
    return Exchange(**{**values, **changes})


@given(exchange=EXCHANGES)
def test_the_round_trip_is_exact(exchange):
    line = exchange_to_json(exchange)
    assert b"\n" not in line
    assert exchange_from_json(line) == exchange


def test_nul_and_surrogates_survive():
    exchange = plain(completion="a\x00b\ud800c", request_body="\udfff", extra={"k": "\ud83d\ude00"})
    back = exchange_from_json(exchange_to_json(exchange))
    assert (back.completion, back.request_body, back.extra) == ("a\x00b\ud800c", "\udfff", {"k": "😀"})


def test_unknown_keys_are_ignored_and_missing_ones_take_their_defaults():
    record = json.loads(exchange_to_json(plain()))
    record |= {"from_the_future": 1}
    record["hints"] |= {"mood": "good"}
    for name in ("attempts", "key_id", "mode", "extra"):
        del record[name]
    assert exchange_from_json(json.dumps(record)) == plain()


@pytest.mark.parametrize("name", [field.name for field in fields(Exchange)][:22])
def test_a_line_without_a_field_that_has_no_default_is_unreadable(name):
    record = json.loads(exchange_to_json(plain()))
    del record[name]
    with pytest.raises(LineUnreadable):
        exchange_from_json(json.dumps(record))


@given(cut=st.integers(0, 700))
def test_a_torn_line_is_unreadable_and_never_half_an_exchange(cut):
    line = exchange_to_json(plain())
    with pytest.raises(LineUnreadable):
        exchange_from_json(line[: min(cut, len(line) - 1)])


@pytest.mark.parametrize("line", [b"", b"[]", b"5", b"null", b'{"hints": 5}', b"\xff", b"[" * 100_000])
def test_anything_else_is_unreadable(line):
    with pytest.raises(LineUnreadable):
        exchange_from_json(line)


def test_a_time_without_offset_is_unreadable():
    record = json.loads(exchange_to_json(plain()))
    record["started_at"] = "2026-01-02T03:04:05"
    with pytest.raises(LineUnreadable, match="offset"):
        exchange_from_json(json.dumps(record))
