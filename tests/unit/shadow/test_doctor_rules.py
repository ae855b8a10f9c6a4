"""Does the doctor find rules that can't win and rules that contradict each other, and never accuse one that can?"""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from router.contracts import Features, Hints, Policy
from router.features import extract_features
from router.rules import Rules
from router.settings import RuleSettings
from shadow.doctor.rules.boxes import Box, left_over
from shadow.doctor.rules.findings import about_rules
from shadow.doctor.rules.reach import example_of, overlaps, unreachable
from shadow.doctor.thresholds import about_thresholds

TIERS = ("fast", "mid", "top")
WINDOWS = {"fast": 16_000, "mid": 64_000, "top": 128_000}


def rule(name: str, tier: str = "top", **when: Any) -> RuleSettings:
    return RuleSettings.model_validate({"name": name, "when": when, "tier": tier})


def said(*rules: RuleSettings) -> list[str]:
    found = about_rules(rules, WINDOWS)
    assert {finding.state for finding in found} <= {"warn"}
    assert all(finding.remedy for finding in found)
    return [finding.detail for finding in found]


@pytest.mark.parametrize(
    ("first", "second", "reached"),
    [
        ({"feature": "legal"}, {"feature": "legal"}, False),
        ({"feature": ["legal", "tax"]}, {"feature": "tax", "impact": "high"}, False),
        ({"max_words": 50}, {"max_words": 20}, False),
        ({"min_words": 5}, {"min_words": 9, "user": "mira"}, False),
        ({"contains_any": ["Contract"]}, {"contains_any": ["the contract", "CONTRACTS"]}, False),
        ({"contains_any": ["tract"]}, {"words_any": ["contract"]}, False),
        ({"words_any": ["contract"]}, {"words_any": ["this contract"]}, False),
        ({"words_any": ["this contract"]}, {"words_any": ["contract"]}, True),
        ({"words_any": ["contract"]}, {"contains_any": ["contract"]}, True),
        ({"mentions": ["legal", "money"]}, {"mentions": "money", "impact": "high"}, False),
        ({"mentions": "legal"}, {"words_any": ["lawsuit", "attorney"]}, False),
        ({"mentions": "legal"}, {"words_any": ["lawsuit", "poem"]}, True),
        ({"mentions": "legal"}, {"mentions": ["legal", "money"]}, True),
        ({"has_images": True}, {"has_images": True, "has_tools": False}, False),
        ({"has_images": True}, {"has_images": False}, True),
        ({"max_context_tokens": 500}, {"min_context_tokens": 100}, True),
        ({"min_context_tokens": 100}, {"min_words": 500}, False),  # so many words are so many tokens
        ({"min_words": 1}, {"contains_any": "x"}, False),
        ({"max_words": 20}, {"max_words": 50}, True),
        ({"feature": "legal"}, {"feature": ["legal", "tax"]}, True),
        ({"feature": "legal"}, {"impact": "high"}, True),
        ({"contains_any": ["contract"]}, {"contains_any": ["contract", "deed"]}, True),
        ({"impact": "high"}, {"impact": "low"}, True),
    ],
)
def test_a_rule_behind_a_wider_one_is_never_reached(first: Any, second: Any, reached: bool) -> None:
    found = said(rule("one", **first), rule("two", **second))
    assert (found == []) is reached
    if found:
        assert found[0].startswith("rule 'two' is never reached: 'one' before it ")


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ({"min_words": 30, "max_words": 20}, "min_words 30 is more than max_words 20"),
        ({"min_context_tokens": 9, "max_context_tokens": 8}, "min_context_tokens 9 is more than max_context_tokens 8"),
        ({"max_words": 0, "mentions": "legal"}, "takes more than 0 words"),
        ({"max_words": 1, "contains_any": "of the"}, "takes more than 1 words"),
        ({"min_words": 200, "max_context_tokens": 50}, "take more than 50 tokens"),
        ({"has_images": True, "max_context_tokens": 500}, "take more than 500 tokens"),
        ({"user": " mira"}, "none is ' mira'"),
        ({"feature": "x" * 201}, "cut to 200 characters"),
    ],
)
def test_a_rule_that_contradicts_itself_never_matches(when: Any, why: str) -> None:
    (found,) = said(rule("r", **when))
    assert found.startswith("rule 'r' can never match: ")
    assert why in found


def test_rules_that_only_together_are_in_the_way_are_named_and_no_others() -> None:
    found = said(
        rule("elsewhere", feature="tax"),
        rule("short", max_words=10),
        rule("high", impact="high"),
        rule("long", min_words=11, error_tolerance=None, impact="low"),
        rule("rest", min_words=5, impact="normal"),
        rule("dead", feature="legal", min_words=8),
    )
    assert found == [
        "rule 'dead' is never reached: 'short', 'high', 'long', 'rest' before it together match whatever it matches"
    ]


def test_the_same_conditions_with_another_tier_are_called_that() -> None:
    found = said(rule("one", "fast", feature="legal"), rule("two", "top", feature="legal"))
    assert found == ["rule 'two' is never reached: 'one' before it has the same conditions and tier 'fast', not 'top'"]


def test_rules_that_disagree_where_they_overlap_are_shown_with_a_request_that_both_match() -> None:
    (found,) = said(rule("legal", "top", feature="legal"), rule("short", "fast", max_words=8, words_any="thanks"))
    assert found == (
        "rules 'legal' (tier top) and 'short' (tier fast) both match a request (feature legal, 1 words, with 'thanks'):"
        " 'legal' wins, as it stands first"
    )


@pytest.mark.parametrize(
    "rules",
    [
        [rule("a", "fast", feature="x", max_words=9), rule("b", "top", feature="x")],  # the exception stands first
        [rule("a", "top", feature="x"), rule("b", "top", max_words=9)],  # one tier
        [rule("a", "top", impact="high"), rule("b", "fast", impact="low", max_words=9)],  # nothing in common
        [
            rule("both", "mid", feature="x", user="u", max_words=9),
            rule("a", "top", feature="x"),
            rule("b", "fast", user="u", max_words=9),
        ],
    ],
)
def test_what_is_no_contradiction_is_not_called_one(rules: list[RuleSettings]) -> None:
    assert overlaps(rules) == []


def test_a_window_that_cannot_hold_what_a_rule_sends_is_told() -> None:
    (found,) = said(rule("long", "fast", min_context_tokens=15_800))
    assert "'long' sends conversations of at least 15,800 tokens to fast, whose largest window of 16,000" in found
    assert said(rule("long", "mid", min_context_tokens=15_800)) == []


def test_query_types_that_nothing_gives_are_told_where_the_known_ones_are_known() -> None:
    rules = [rule("r", query_type=["code", "cod"])]
    (found,) = about_rules(rules, WINDOWS, {"code", "unknown"})
    assert "asks for the query type 'cod'" in found.detail
    assert about_rules(rules, WINDOWS) == []


names = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True)
levels = st.sampled_from([None, None, "low", "high"])
flags = st.sampled_from([None, None, True, False])
whens = st.fixed_dictionaries(
    {},
    optional={
        "feature": names,
        "user": names,
        "query_type": st.lists(st.sampled_from(["qa", "unknown"]), max_size=2),
        "impact": levels,
        "error_tolerance": levels,
        "max_words": st.integers(0, 6),
        "min_words": st.integers(0, 6),
        "min_context_tokens": st.integers(0, 20),
        "max_context_tokens": st.integers(0, 20),
        "contains_any": st.lists(st.sampled_from(["x", "xy", "Y", "z x", "suit"]), max_size=2),
        "words_any": st.lists(st.sampled_from(["x", "xy", "z-x", "lawsuit"]), max_size=2),
        "mentions": st.lists(st.sampled_from(["legal", "money"]), max_size=2),
        "has_images": flags,
        "wants_json": flags,
    },
)
requests = st.fixed_dictionaries(
    {
        "text": st.lists(
            st.sampled_from(["x", "xy", "z", "z-x", "Y", "lawsuit", "lawsuits", "money", "w"]), max_size=7
        ),
        "image": st.booleans(),
        "json": st.booleans(),
    }
)
hints = st.builds(
    Hints,
    feature=st.sampled_from([None, "a", "b", "d"]),
    user=st.sampled_from([None, "b", "c"]),
    impact=st.sampled_from(["low", "normal", "high"]),
    error_tolerance=st.sampled_from(["low", "normal", "high"]),
)


def rules_of(drawn: list[dict[str, Any]]) -> list[RuleSettings]:
    made = []
    for place, when in enumerate(drawn):
        try:
            made.append(rule(f"r{place}", TIERS[place % 3], **when))
        except ValidationError:  # without any condition
            continue
    return made


def features_of(request: dict[str, Any]) -> Features:
    parts: list[dict[str, Any]] = [{"type": "text", "text": " ".join(request["text"])}]
    if request["image"]:
        parts.append({"type": "image_url", "image_url": {"url": "data:"}})
    body: dict[str, Any] = {"messages": [{"role": "user", "content": parts}]}
    return extract_features(body | ({"response_format": {"type": "json_object"}} if request["json"] else {}))


@given(
    drawn=st.lists(whens, min_size=1, max_size=6),
    asked=st.lists(st.tuples(requests, hints, st.sampled_from(["qa", "unknown"])), min_size=1, max_size=30),
)
def test_a_rule_declared_unreachable_never_wins(drawn: list[dict[str, Any]], asked: list[Any]) -> None:
    rules = rules_of(drawn)
    dead = {finding.rule.name for finding in unreachable(rules)}
    compiled = Rules.of(rules)
    for request, hinted, query_type in asked:
        winner = compiled.first_match(features_of(request), hinted, query_type)
        assert winner is None or winner.name not in dead


@given(drawn=st.lists(whens, min_size=1, max_size=5))
def test_without_conditions_on_the_text_the_answer_is_exact(drawn: list[dict[str, Any]]) -> None:
    """Whatever is not declared unreachable wins the very request that is shown as an example."""
    texts = {"contains_any", "words_any", "mentions"}
    rules = rules_of([{name: value for name, value in when.items() if name not in texts} for when in drawn])
    assume(rules)
    dead = {finding.rule.name for finding in unreachable(rules)}
    compiled = Rules.of(rules)
    for place, one in enumerate(rules):
        if one.name in dead:
            continue
        example = example_of((one.when,), [other.when for other in rules[:place]])
        assert example is not None
        box = example.box
        features = Features(
            text="",
            words=box.words.low,
            conversation_tokens=max(box.context_tokens.low, box.fewest_tokens),
            turns=1,
            has_tools=box.has_tools.example() is True,
            has_images=box.has_images.example() is True,
            wants_json=box.wants_json.example() is True,
        )
        hinted: dict[str, Any] = {
            name: getattr(box, name).example() for name in ("feature", "user", "impact", "error_tolerance")
        }
        query_type = str(box.query_type.example())
        assert compiled.first_match(features, Hints(**hinted), query_type) is one


def test_many_rules_are_looked_at_in_bounded_time() -> None:
    rules = [
        rule(f"r{i}", TIERS[i % 3], feature=[f"f{j}" for j in range(i % 7 + 1)], min_words=i % 11, user=[f"u{i % 5}"],
             max_context_tokens=1000 + i, words_any=[f"w{j}" for j in range(i % 9)])
        for i in range(40)
    ]  # fmt: skip
    began = time.process_time()
    about_rules(rules, WINDOWS)
    assert time.process_time() - began < 5


def test_where_it_takes_too_long_to_tell_nothing_is_said_to_be_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shadow.doctor.rules.boxes.MOST_BOXES", 0)
    box = Box.of(rule("r", feature="a").when)
    assert left_over(box, [Box.of(rule("s", feature="a", impact="high").when)]) == box


@pytest.mark.parametrize(
    ("thresholds", "told"),
    [
        ({"fast": 0.85, "mid": 0.85}, []),
        ({"fast": 0.85, "mid": 0.2}, ["top"]),
        ({"fast": 0.2, "mid": 0.85}, ["mid", "top"]),
        ({"fast": 0.9, "mid": 0.995}, ["mid"]),
    ],
)
def test_a_tier_that_the_heuristic_can_never_choose_is_told(thresholds: dict[str, float], told: list[str]) -> None:
    policy = Policy(version=1, thresholds=thresholds, band=0.0)
    found = about_thresholds(policy, TIERS, scorer="heuristic")
    assert [finding.detail.split(" for ")[1].split(":")[0] for finding in found] == told
    assert about_thresholds(policy, TIERS, scorer="learned") == []
