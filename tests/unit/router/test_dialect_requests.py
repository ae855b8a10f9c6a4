"""Does a request say the same in both dialects, and is everything that cannot be said named?"""

import itertools

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.dialects.known import ANTHROPIC, OPENAI, dialect_named
from router.dialects.to_anthropic_request import to_anthropic_request
from router.dialects.to_openai_request import to_openai_request
from router.errors import RequestRejected

PNG = "data:image/png;base64,iVBORw0KGgo="
TEXT = st.text(min_size=1, max_size=12)
IDS = st.integers(0, 999).map(lambda number: f"call_{number}")
ARGUMENTS = st.dictionaries(st.text(max_size=5), st.integers(-9, 9) | st.text(max_size=5) | st.none(), max_size=3)
IMAGES = st.sampled_from([PNG, "https://example.test/cat.png"])
PARTS = st.lists(
    TEXT.map(lambda text: {"type": "text", "text": text})
    | IMAGES.map(lambda url: {"type": "image_url", "image_url": {"url": url}}),
    min_size=2,
    max_size=4,
)
USERS = (TEXT | PARTS).map(lambda content: {"role": "user", "content": content})
ANSWERS = TEXT.map(lambda text: {"role": "assistant", "content": text})


@st.composite
def tool_turns(draw):
    """Parallel calls, and a result for each."""
    ids = draw(st.lists(IDS, min_size=1, max_size=3, unique=True))
    calls = [
        {
            "id": call_id,
            "type": "function",
            "function": {"name": "look_up", "arguments": orjson.dumps(draw(ARGUMENTS)).decode()},
        }
        for call_id in ids
    ]
    said = {"role": "assistant", "content": draw(st.none() | TEXT), "tool_calls": calls}
    results = [{"role": "tool", "tool_call_id": call_id, "content": draw(TEXT)} for call_id in ids]
    return [said, *results]


@st.composite
def conversations(draw):
    """An alternating OpenAI conversation, as the dialects share it."""
    messages = [{"role": "system", "content": draw(TEXT)}] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        messages.append(draw(USERS))
        if draw(st.booleans()):
            messages += draw(tool_turns())
        messages.append(draw(ANSWERS))
    return [*messages, draw(USERS)]


REQUESTS = st.fixed_dictionaries(
    {"messages": conversations(), "max_tokens": st.integers(1, 99)},
    optional={
        "temperature": st.floats(0, 1),
        "top_p": st.floats(0, 1),
        "stop": st.lists(TEXT, min_size=1, max_size=3),
        "user": TEXT,
        "tools": st.just(
            [
                {
                    "type": "function",
                    "function": {
                        "name": "look_up",
                        "description": "Looks it up.",
                        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                        "strict": True,
                    },
                }
            ]
        ),
    },
)
CHOICES = st.sampled_from(["auto", "none", "required", {"type": "function", "function": {"name": "look_up"}}])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["text", "tool_use", "user", "assistant", "tool"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "source", "input", "function", "tool_calls", "x"]),
            inner,
        )
    ),
    max_leaves=12,
)
FIELDS = [
    "messages",
    "system",
    "tools",
    "tool_choice",
    "stop",
    "metadata",
    "thinking",
    "response_format",
    "user",
    "odd",
]


@given(request=REQUESTS, choice=CHOICES, parallel=st.booleans())
def test_a_request_comes_back_from_the_other_dialect_as_it_went(request, choice, parallel):
    if "tools" in request:
        request |= {"tool_choice": choice} | ({} if parallel or choice == "none" else {"parallel_tool_calls": False})
    there = to_anthropic_request({**request, "model": "auto"})
    back = to_openai_request(there.fields)
    assert there.lost == back.lost == ()
    assert back.fields == request


@given(request=REQUESTS)
def test_anthropic_hears_alternating_roles_and_the_results_of_calls_first(request):
    messages = to_anthropic_request(request).fields["messages"]
    roles = [message["role"] for message in messages]
    assert all(one != other for one, other in itertools.pairwise(roles))
    for before, message in itertools.pairwise(messages):
        kinds = [block["type"] for block in message["content"]]
        assert kinds == sorted(kinds, key=lambda kind: kind != "tool_result")
        asked = [block["id"] for block in before["content"] if block["type"] == "tool_use"]
        answered = [block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"]
        assert asked == answered


@given(fields=st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_nothing_in_a_request_makes_a_translation_fail(fields):
    for translate in (to_anthropic_request, to_openai_request):
        translated = translate(fields)
        assert isinstance(translated.fields["messages"], list)
        assert len(set(translated.lost)) == len(translated.lost)


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("n", 2, "n"),
        ("logprobs", True, "logprobs"),
        ("seed", 7, "seed"),
        ("frequency_penalty", 0.5, "frequency_penalty"),
        ("response_format", {"type": "json_object"}, "response_format"),
        ("reasoning_effort", "high", "reasoning_effort"),
        ("metadata", {"team": "a"}, "metadata"),
        ("functions", [{"name": "f"}], "functions"),
        ("tools", [{"type": "custom", "custom": {"name": "f"}}], "tools[0]"),
        ("messages", [{"role": "user", "content": "x", "name": "Bo"}], "messages[0].name"),
        ("messages", [{"role": "user", "content": [{"type": "input_audio"}]}], "messages[0].content[0]"),
        (
            "messages",
            [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}],
            "messages[0].content[0]",
        ),
        (
            "messages",
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG, "detail": "high"}}]}],
            "messages[0].content[0].image_url.detail",
        ),
        (
            "messages",
            [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{"}}]}],
            "messages[0].tool_calls[0].function.arguments",
        ),
    ],
)
def test_what_anthropic_has_no_word_for_is_named(field, value, path):
    request = {"messages": [{"role": "user", "content": "x"}], field: value}
    assert to_anthropic_request(request).lost == (path,)


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("top_k", 5, "top_k"),
        ("thinking", {"type": "enabled", "budget_tokens": 1024}, "thinking"),
        ("tools", [{"type": "web_search_20250305", "name": "web_search"}], "tools[0]"),
        ("tools", [{"name": "f", "input_schema": {}, "defer_loading": True}], "tools[0].defer_loading"),
        ("output_config", {"effort": "low"}, "output_config.effort"),
        ("container", "container_1", "container"),
        ("mcp_servers", [{"name": "m"}], "mcp_servers"),
        ("service_tier", "standard_only", "service_tier"),
        ("messages", [{"role": "assistant", "content": [{"type": "thinking"}]}], "messages[0].content[0]"),
        ("messages", [{"role": "assistant", "content": [{"type": "redacted_thinking"}]}], "messages[0].content[0]"),
        (
            "messages",
            [{"role": "user", "content": [{"type": "tool_result", "content": [{"type": "image"}]}]}],
            "messages[0].content[0].content[0]",
        ),
    ],
)
def test_what_openai_has_no_word_for_is_named(field, value, path):
    request = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 5, field: value}
    assert to_openai_request(request).lost == (path,)


def test_what_changes_nothing_is_left_out_without_a_word():
    idle = {
        **{"n": 1, "logprobs": False, "logit_bias": {}, "store": False, "seed": None, "frequency_penalty": 0},
        **{"service_tier": "auto", "modalities": ["text"], "response_format": {"type": "text"}, "tools": []},
        **{"metadata": {"x-shadow-user": "ann"}, "stream_options": {"include_usage": True}, "stop": None},
    }
    translated = to_anthropic_request({"messages": [{"role": "user", "content": "x"}], **idle})
    assert translated.lost == ()
    assert translated.fields == {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}
    idle = {
        **{"thinking": {"type": "disabled"}, "service_tier": "auto", "metadata": {"x-shadow-user": "ann"}},
        **{"system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]},
    }
    translated = to_openai_request({"messages": [{"role": "user", "content": "x"}], "max_tokens": 3, **idle})
    assert translated.lost == ()
    assert translated.fields["messages"][0] == {"role": "system", "content": "Be brief."}


def test_a_schema_asked_for_is_asked_for_there_as_well():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    messages = [{"role": "user", "content": "x"}]
    there = to_anthropic_request({"messages": messages, "response_format": wanted})
    assert there.fields["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    assert to_openai_request(there.fields).fields["response_format"] == wanted
    older = to_openai_request({"messages": messages, "output_format": {"type": "json_schema", "schema": schema}})
    assert older.fields["response_format"] == wanted


def test_a_document_and_an_error_of_a_tool_are_carried():
    pdf = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}
    messages = [{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "file", "file": pdf}]}]
    there = to_anthropic_request({"messages": messages})
    assert there.fields["messages"][0]["content"][1]["title"] == "a.pdf"
    assert to_openai_request(there.fields).fields["messages"] == messages
    failed = {"type": "tool_result", "tool_use_id": "1", "is_error": True, "content": [{"type": "text", "text": "no"}]}
    said = to_openai_request({"messages": [{"role": "user", "content": [failed, {"type": "text", "text": "Well?"}]}]})
    assert said.lost == ()
    assert said.fields["messages"] == [
        {"role": "tool", "tool_call_id": "1", "content": "Error: no"},
        {"role": "user", "content": "Well?"},
    ]


def test_a_temperature_that_anthropic_does_not_know_becomes_its_highest():
    assert to_anthropic_request({"messages": [], "temperature": 1.7}).fields["temperature"] == 1


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"messages":[{}],"max_tokens":1}', "model"),
        (b'{"model":"auto","messages":[{}]}', "max_tokens"),
        (b'{"model":"auto","messages":[{}],"max_tokens":true}', "max_tokens"),
        (b'{"model":"auto","messages":[],"max_tokens":1}', "messages"),
        (b'{"model":"auto","messages":[1],"max_tokens":1}', "messages[0]"),
        (b'{"model":"auto","messages":[{}],"max_tokens":1,"stream":"yes"}', "stream"),
        (b'{"model":"auto","messages":[{}],"max_tokens":1,"metadata":[]}', "metadata"),
        (b"[]", None),
    ],
)
def test_a_bad_messages_request_is_refused_by_name(body, param):
    with pytest.raises(RequestRejected) as rejected:
        ANTHROPIC.read_request(body)
    assert rejected.value.status == 400
    assert rejected.value.param == param


def test_a_dialect_is_found_by_the_name_in_its_exchanges():
    assert dialect_named("openai.chat") is OPENAI
    assert dialect_named("anthropic.messages") is ANTHROPIC
