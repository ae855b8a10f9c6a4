"""Is a request read without stumbling, and does the heuristic put it into the right order?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.features import estimated_tokens, extract_features
from router.scorers.heuristic import HeuristicScorer, demand

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)
MESSAGES = st.lists(
    JSON
    | st.fixed_dictionaries(
        {}, optional={"role": JSON | st.just("user"), "content": JSON, "tool_calls": JSON, "name": JSON}
    )
)


def asked(text, **fields):
    return extract_features({"messages": [{"role": "user", "content": text}], **fields})


@given(messages=JSON | MESSAGES, tools=JSON, response_format=JSON)
def test_no_body_makes_it_stumble(messages, tools, response_format):
    listed = messages if isinstance(messages, list) else [messages]
    features = extract_features({"messages": listed, "tools": tools, "response_format": response_format})
    assert features.words >= 0
    assert features.conversation_tokens >= 0
    scores = HeuristicScorer.of(("fast", "mid", "top")).scores(features)
    assert all(0 <= score <= 1 for score in scores.values())


def test_text_is_the_last_user_message_and_counts_cover_the_conversation():
    features = extract_features(
        {
            "messages": [
                {"role": "system", "content": "Be brief. " * 40},
                {"role": "user", "content": "first"},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
                {"role": "tool", "content": "sunny"},
                {"role": "user", "content": [{"type": "text", "text": "and"}, {"type": "text", "text": "now here?"}]},
                {"role": "assistant", "content": "prefill"},
            ]
        }
    )
    assert (features.text, features.words, features.turns) == ("and\nnow here?", 3, 2)
    assert features.conversation_tokens > 100
    assert not features.has_images


def test_images_tools_and_json_are_noticed():
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:..."}}]
    features = asked(parts, tools=[{"type": "function"}], response_format={"type": "json_schema", "json_schema": {}})
    assert (features.has_images, features.has_tools, features.wants_json) == (True, True, True)
    assert features.conversation_tokens > 500


def test_other_scripts_count_more_tokens_per_character():
    assert estimated_tokens("x" * 40) == 10
    assert estimated_tokens("語" * 40) == 30
    assert estimated_tokens("") == 0


EASY = [
    "Hi",
    "What is the capital of France?",
    "Where is my order 12345?",
    "Translate 'good morning' into Spanish",
    "Classify the sentiment of this review as positive or negative: I loved it",
]
HARD = [
    "Tom has 5 apples, buys 7 more for $2 each and sells half of them. How much money did he spend in total?",
    "Write a python function that merges two sorted lists, and explain why it runs in linear time",
    "Prove step by step that the square root of 2 is irrational, then compare with 3",
    "Design a strategy to debug this: ```def f(x): return f(x)``` and refactor it",
]


@pytest.mark.parametrize("text", EASY)
def test_short_simple_requests_are_trusted_to_the_cheap_tier(text):
    assert HeuristicScorer.of(("fast", "mid", "top")).scores(asked(text))["fast"] >= 0.9


@pytest.mark.parametrize("text", HARD)
def test_calculation_code_and_proof_are_not(text):
    assert HeuristicScorer.of(("fast", "mid", "top")).scores(asked(text))["fast"] < 0.85


def test_demand_grows_with_length_numbers_turns_and_context():
    short, long = asked("tell me about the town"), asked("tell me about the town " * 60)
    assert demand(short) < demand(long)
    talk = [{"role": "user", "content": "and?"}, {"role": "assistant", "content": "word " * 900}] * 12
    assert demand(extract_features({"messages": [*talk, {"role": "user", "content": "and?"}]})) > demand(asked("and?"))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_scores_rise_with_the_tier_and_end_at_one(count):
    tiers = tuple(f"t{number}" for number in range(count))
    for text in EASY + HARD:
        scores = HeuristicScorer.of(tiers).scores(asked(text))
        assert list(scores) == list(tiers)
        assert list(scores.values()) == sorted(scores.values())
        assert scores[tiers[-1]] == 1.0
