"""Which answers are sent up a tier, and which are left alone?"""

import orjson
import pytest

from router.answers import Answer
from router.chat import read_chat_request
from router.inspection import Inspector, is_refusal
from router.schemas import SchemaCache

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WANTS_SCHEMA = {"response_format": {"type": "json_schema", "json_schema": {"name": "c", "schema": SCHEMA}}}
WANTS_JSON = {"response_format": {"type": "json_object"}}
ALL = ("schema", "empty", "truncated", "refusal")


def inspect(text="Paris.", *, causes=ALL, body=None, **facts):
    request = read_chat_request(
        orjson.dumps({"model": "auto", "messages": [{"role": "user", "content": "?"}], **(body or {})})
    )
    said = {"model": "m", "tool_calls": "", "finish_reason": "stop", "usage": None, **facts}
    return Inspector(causes, SchemaCache()).inspect(request, Answer(text=text, **said))


def test_a_usual_answer_has_no_flaw_and_nothing_is_said_about_json():
    assert inspect() == (None, None)


@pytest.mark.parametrize(
    ("body", "text", "found"),
    [
        (WANTS_SCHEMA, '{"city": "Paris"}', (None, "passed")),
        (WANTS_SCHEMA, '{"town": "Paris"}', ("schema", "failed")),
        (WANTS_SCHEMA, "Paris", ("schema", "failed")),
        (WANTS_JSON, "{}", (None, "passed")),
        (WANTS_JSON, "[]", ("schema", "failed")),
        ({"response_format": {"type": "text"}}, "Paris", (None, None)),
        ({"response_format": {"type": "json_schema"}}, "Paris", (None, "skipped")),
        ({"response_format": "json"}, "Paris", (None, None)),
        ({"response_format": None}, "Paris", (None, None)),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "http://x.test/"}}}},
            "{}",
            (None, "skipped"),
        ),
    ],
)
def test_json_that_was_asked_for_is_looked_at(body, text, found):
    assert inspect(text, body=body) == found


def test_what_is_no_text_is_not_held_to_a_schema():
    assert inspect("", body=WANTS_SCHEMA, tool_calls="[{}]") == (None, None)
    assert inspect("", body=WANTS_SCHEMA, refusal="I won't.") == ("refusal", None)


def test_nothing_at_all_is_empty_but_a_tool_call_audio_or_a_stop_sequence_is_not():
    assert inspect("") == ("empty", None)
    assert inspect("", tool_calls="[{}]") == (None, None)
    assert inspect("", other_content=True) == (None, None)
    assert inspect("", body={"stop": ["\n"]}) == (None, None)


def test_a_truncated_answer_is_a_flaw_only_if_the_limit_was_not_the_clients():
    assert inspect(finish_reason="length") == ("truncated", None)
    assert inspect(finish_reason="length", body={"max_tokens": 5}) == (None, None)


@pytest.mark.parametrize("text", ["", "{", "I cannot help with that."])
def test_what_a_content_filter_stopped_is_never_routed_around(text):
    assert inspect(text, body=WANTS_SCHEMA, finish_reason="content_filter") == (None, None)


def test_only_the_causes_that_were_asked_for_count_but_json_is_looked_at_with_any():
    assert inspect("I can't help with that.", causes=("schema", "empty")) == (None, None)
    assert inspect(finish_reason="length", causes=("schema", "empty")) == (None, None)
    assert inspect("no", causes=("empty",), body=WANTS_JSON) == (None, "failed")
    assert inspect("", causes=("schema",), body=WANTS_JSON) == ("schema", "failed")
    assert inspect("", causes=(), body=WANTS_JSON) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m sorry, but I can’t help with that.",
        "Sorry, I cannot provide medical advice.",
        "I cannot help with this.",
        "I am unable to answer that question.",
        "I'm not able to discuss this.",
        "I won't write that.",
        "Unfortunately, I can't complete this task.",
        "As an AI language model, I cannot provide opinions.",
        "I'm really sorry, I can't do that.",
    ],
)
def test_a_refusal_is_recognised(text):
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "Paris.",
        'The sentence "I can\'t help with that" is a typical refusal.',
        "I can't recommend this hotel enough!",
        "I cannot say that it rains in Spain, but it does in Norway.",
        "I'm sorry to hear that. You can reset the password under Settings.",
        "You can't help it.",
        "If I can't help with that, call the office.",
        "I can help with that.",
        "I'm sorry, but I can't assist with that." + " Here is what you can do instead: step by step." * 20,
        "",
    ],
)
def test_an_answer_that_only_sounds_like_one_is_left_alone(text):
    assert not is_refusal(text)
