"""Which rule matches, and which hints are heard?"""

import pytest

from router.contracts import Features, Hints
from router.hints import read_hints
from router.rules import Rules
from router.settings import RuleSettings

REQUEST = Features(text="Please check this CONTRACT for Straße 5", words=7, conversation_tokens=900, turns=1)
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
        ({"feature": "legal", "user": "ana", "min_words": 5, "contains_any": "check"}, True),
        ({"feature": "legal", "user": "ana", "min_words": 5, "contains_any": "refund"}, False),
    ],
)
def test_all_conditions_must_hold(when, matches):
    assert first(when) == ("0" if matches else None)


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
