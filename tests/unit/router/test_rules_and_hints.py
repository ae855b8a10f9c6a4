"""Which rule matches, and which hints are heard?"""

import re

import pytest
from pydantic import ValidationError

from router.contracts import Features, Hints
from router.hints import read_hints, wants_hold
from router.rules import Rules
from router.settings import RuleSettings

REQUEST = Features(
    text="Please check this CONTRACT for Straße 5", words=7, conversation_tokens=900, turns=1, has_tools=True
)
HINTS = Hints(user="ana", feature="legal", impact="high", error_tolerance="low")


def first(*whens):
    rules = [RuleSettings.model_validate({"name": str(i), "when": when, "tier": "t"}) for i, when in enumerate(whens)]
    found = Rules.of(rules).first_match(REQUEST, HINTS, "review")
    return found.name if found else None


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ({"feature": ["search", "legal"]}, True),
        ({"feature": "search"}, False),
        ({"user": "ana"}, True),
        ({"user": "bob"}, False),
        ({"query_type": "review"}, True),
        ({"impact": "high"}, True),
        ({"impact": "normal"}, False),
        ({"error_tolerance": "low"}, True),
        ({"error_tolerance": "high"}, False),
        ({"max_words": 7}, True),
        ({"max_words": 6}, False),
        ({"min_words": 7}, True),
        ({"min_words": 8}, False),
        ({"min_context_tokens": 900}, True),
        ({"min_context_tokens": 901}, False),
        ({"contains_any": ["invoice", "contract"]}, True),
        ({"contains_any": "STRASSE"}, True),
        ({"contains_any": ["invoice"]}, False),
        ({"max_context_tokens": 900}, True),
        ({"max_context_tokens": 899}, False),
        ({"contains_any": "tract"}, True),
        ({"words_any": "tract"}, False),
        ({"words_any": ["invoice", "Contract"]}, True),
        ({"words_any": "this contract"}, True),
        ({"words_any": "check-this"}, True),
        ({"words_any": "contract this"}, False),
        ({"words_any": "5"}, True),
        ({"mentions": "legal"}, True),
        ({"mentions": ["money", "personal_data"]}, False),
        ({"mentions": ["money", "legal"]}, True),
        ({"has_tools": True}, True),
        ({"has_tools": False}, False),
        ({"has_images": False}, True),
        ({"has_images": True}, False),
        ({"wants_json": True}, False),
        ({"wants_json": False, "has_tools": True}, True),
        ({"feature": "legal", "user": "ana", "min_words": 5, "contains_any": "check"}, True),
        ({"feature": "legal", "user": "ana", "min_words": 5, "contains_any": "refund"}, False),
    ],
)
def test_all_conditions_must_hold(when, matches):
    assert first(when) == ("0" if matches else None)


def test_the_query_type_is_what_the_decision_says_not_what_was_hinted():
    rules = Rules.of([RuleSettings.model_validate({"name": "r", "when": {"query_type": "unknown"}, "tier": "t"})])
    assert rules.first_match(REQUEST, Hints(query_type="qa"), "unknown")
    assert rules.first_match(REQUEST, Hints(query_type="unknown"), "qa") is None


def test_the_text_is_searched_only_where_a_rule_comes_to_ask_and_then_once(monkeypatch):
    searched = []
    monkeypatch.setattr("router.rules.DETECTORS", {"legal": lambda said: searched.append(said) or False})
    assert first({"user": "bob", "mentions": "legal"}) is None
    assert searched == []
    assert first({"mentions": "legal"}, {"mentions": "legal", "impact": "high"}, {"user": "ana"}) == "2"
    assert len(searched) == 1


@pytest.mark.parametrize(
    ("when", "problem"),
    [
        ({"mentions": "weather"}, "'legal', 'money' or 'personal_data'"),
        ({"words_any": ["ok", "?!"]}, "'?!' holds no word"),
        ({"contains_any": ""}, "an empty text"),
        ({"feature": [""]}, "an empty text"),
        ({"max_context_tokens": -1}, "greater than or equal to 0"),
        ({}, "at least one condition"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(when, problem):
    with pytest.raises(ValidationError, match=re.escape(problem)):
        RuleSettings.model_validate({"name": "r", "when": when, "tier": "t"})


def test_the_first_match_wins():
    assert first({"user": "bob"}, {"user": "ana"}, {"feature": "legal"}) == "1"
    assert first() is None


def test_a_header_wins_over_metadata_and_spelling_of_case_and_dash_is_free_there():
    metadata = {"x-shadow-user": "body", "X-Shadow-Query_Type": "qa", "user": "other", "x-shadow-session": 7}
    hints = read_hints([(b"x-shadow-user", b"head"), (b"user", b"no")], {"metadata": metadata})
    assert (hints.user, hints.query_type, hints.session) == ("head", "qa", "7")


def test_the_body_user_counts_where_no_hint_names_one():
    assert read_hints([], {"user": "u-1"}).user == "u-1"
    assert read_hints([(b"x-shadow-user", b"ana")], {"user": "u-1"}).user == "ana"


@pytest.mark.parametrize("value", [b"HIGH", b" high "])
def test_levels_are_read_in_any_case(value):
    assert read_hints([(b"x-shadow-impact", value)], {}).impact == "high"


def test_what_cannot_be_read_is_as_good_as_nothing():
    odd = [(b"x-shadow-impact", b"enormous"), (b"x-shadow-error-tolerance", b""), (b"x-shadow-user", b"  ")]
    assert read_hints([*odd, (b"x-shadow-else", b"1")], {"metadata": "text", "user": 5}) == Hints()
    assert read_hints([(b"x-shadow-feature", b"\xff" * 500)], {}).feature == "\ufffd" * 200


@pytest.mark.parametrize(
    ("headers", "metadata", "held"),
    [
        ([], {}, None),
        ([(b"x-shadow-hold", b"full")], {}, True),
        ([(b"x-shadow-hold", b" Full ")], {}, True),
        ([(b"x-shadow-hold", b"off")], {}, False),
        ([(b"x-shadow-hold", b"maybe")], {}, None),
        ([], {"x-shadow-hold": "full"}, True),
        ([(b"x-shadow-hold", b"off")], {"x-shadow-hold": "full"}, False),
        ([], {"x-shadow-hold": 1}, None),
        ([], None, None),
    ],
)
def test_holding_is_asked_for_by_header_or_metadata(headers, metadata, held):
    assert wants_hold(headers, {"metadata": metadata}) is held
