"""Does an answer say the same in both dialects, whole and as a stream, and is nothing odd fatal?"""

import itertools

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.answers import Usage
from router.dialects.anthropic_restream import event
from router.dialects.known import ANTHROPIC, OPENAI
from router.dialects.to_anthropic_answer import ToAnthropicStream, to_anthropic_answer
from router.dialects.to_openai_answer import ToOpenAIStream, to_openai_answer
from router.errors import UpstreamFailed
from router.sse import EventSplitter, data_of

TEXT = st.text(min_size=1, max_size=12)
INPUTS = st.dictionaries(st.text(max_size=5), st.integers(-9, 9) | st.text(max_size=5), max_size=3)
COUNTS = st.integers(0, 99)


@st.composite
def messages(draw):
    """An Anthropic message: thinking, text and parallel tool calls."""
    blocks = [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}] if draw(st.booleans()) else []
    if draw(st.booleans()):
        blocks.append({"type": "text", "text": draw(TEXT)})
    calls = draw(st.lists(INPUTS, max_size=3))
    blocks += [
        {"type": "tool_use", "id": f"toolu_{i}", "name": f"f{i}", "input": given} for i, given in enumerate(calls)
    ]
    reason = "tool_use" if calls else draw(st.sampled_from(["end_turn", "max_tokens", "refusal"]))
    usage = {
        "input_tokens": draw(COUNTS),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": draw(COUNTS),
        "output_tokens": draw(COUNTS),
    }
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-1", "content": blocks}
    return {**head, "stop_reason": reason, "stop_sequence": None, "usage": usage}


def spoken(message):
    return [block for block in message["content"] if block["type"] != "thinking"]


def said_or_bad(read, raw):
    """True when a body was read, or called bad."""
    try:
        read(raw)
    except UpstreamFailed as failure:
        return failure.kind == "bad_body"
    return True


def events_of(stream):
    splitter = EventSplitter()
    events = splitter.feed(stream)
    assert splitter.finish() == b""
    return events


def read_stream(dialect, stream, usage_wanted=True):
    reader = dialect.reader(usage_wanted=usage_wanted)
    payloads = [reader.take(event) for event in events_of(stream)]
    assert reader.done
    return reader.answer(), [payload for payload in payloads if payload is not None]


def translated(translator, payloads):
    return b"".join([*map(translator.take, payloads), translator.end()])


@given(message=messages())
def test_a_message_comes_back_from_a_completion_as_it_went(message):
    there = to_openai_answer(orjson.dumps(message), model="m", created=0)
    back = orjson.loads(to_anthropic_answer(there, model="m"))
    assert back == {**message, "id": "msg_msg_1", "content": spoken(message)}


@given(message=messages())
def test_facts_are_the_same_in_both_dialects_whole_and_streamed(message):
    body = orjson.dumps(message)
    completion = to_openai_answer(body, model="m", created=0)
    facts = ANTHROPIC.read_answer(body)
    assert OPENAI.read_answer(completion) == facts
    own, payloads = read_stream(ANTHROPIC, ANTHROPIC.streamed(body, usage_wanted=True))
    assert own == facts
    streamed, chunks = read_stream(
        OPENAI, translated(ToOpenAIStream(model="m", created=0, usage_wanted=True), payloads)
    )
    assert streamed == facts
    back, _ = read_stream(ANTHROPIC, translated(ToAnthropicStream(model="m", prompt_tokens=3), chunks))
    assert back == facts
    again, _ = read_stream(OPENAI, OPENAI.streamed(completion, usage_wanted=True))
    assert again == facts


@given(message=messages())
def test_a_translated_stream_is_a_well_formed_message(message):
    _, chunks = read_stream(
        OPENAI, OPENAI.streamed(to_openai_answer(orjson.dumps(message), model="m", created=0), usage_wanted=True)
    )
    events = events_of(translated(ToAnthropicStream(model="m", prompt_tokens=3), chunks))
    payloads = [orjson.loads(data_of(event)) for event in events]
    kinds = [payload["type"] for payload in payloads]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    open_block = None
    for payload in payloads[1:-2]:
        if payload["type"] == "content_block_start":
            assert open_block is None
            open_block = payload["index"]
        else:
            assert payload["index"] == open_block
            open_block = None if payload["type"] == "content_block_stop" else open_block
    assert open_block is None
    starts = [payload["index"] for payload in payloads if payload["type"] == "content_block_start"]
    assert starts == list(range(len(spoken(message))))


@given(order=st.permutations([0, 0, 0, 1, 1, 1, 2, 2, 2]))
def test_parallel_calls_that_are_streamed_side_by_side_are_told_apart(order):
    parts = {index: iter(['{"a"', ":", f"{index}}}"]) for index in range(3)}
    chunks = []
    for index in order:
        function = {"arguments": next(parts[index])}
        call = {"index": index, "id": f"call_{index}", "function": function}
        if not any(c["choices"][0]["delta"]["tool_calls"][0]["index"] == index for c in chunks):
            call["function"] = {"name": f"f{index}", **function}
        chunks.append({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]})
    answer, _ = read_stream(ANTHROPIC, translated(ToAnthropicStream(model="m", prompt_tokens=3), chunks))
    calls = {call["id"]: call["function"] for call in orjson.loads(answer.tool_calls)}
    assert calls == {f"call_{i}": {"name": f"f{i}", "arguments": f'{{"a":{i}}}'} for i in range(3)}
    assert answer.finish_reason == "tool_calls"


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["text", "tool_use", "text_delta", "m"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "id", "index", "input", "name", "usage", "function", "tool_calls", "content"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)
KINDS = st.sampled_from(
    [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "ping",
        "new",
        5,
    ]
)


@given(events=st.lists(st.tuples(KINDS, ODD, ODD, ODD), max_size=6))
def test_nothing_odd_in_a_message_stream_is_fatal(events):
    reader = ANTHROPIC.reader(usage_wanted=True)
    translator = ToOpenAIStream(model="m", created=0, usage_wanted=True)
    for kind, index, first, second in events:
        fields = {"index": index, "delta": first, "content_block": second, "message": first, "usage": second}
        payload = reader.take(b"data: " + orjson.dumps({"type": kind, **fields}) + b"\n\n")
        if payload is not None:
            translator.take(payload)
    reader.answer()
    answer, _ = read_stream(OPENAI, translator.end())
    assert answer.finish_reason is not None


@given(chunks=st.lists(st.tuples(ODD, ODD, ODD), max_size=6))
def test_nothing_odd_in_a_completion_stream_is_fatal(chunks):
    translator = ToAnthropicStream(model="m", prompt_tokens=3)
    said = [
        translator.take({"id": first, "model": second, "usage": third, "choices": [{"delta": first}, third, second]})
        for first, second, third in chunks
    ]
    answer, _ = read_stream(ANTHROPIC, b"".join([*said, translator.end()]))
    assert answer.finish_reason is not None


@given(body=ODD)
def test_an_odd_answer_is_read_or_called_bad_and_never_anything_else(body):
    for content in (body, {"content": [body]}, {"content": [{"type": "tool_use", "input": body}], "usage": body}):
        raw = orjson.dumps(content)
        for read in (ANTHROPIC.read_answer, lambda raw: ANTHROPIC.streamed(raw, usage_wanted=True)):
            assert said_or_bad(read, raw)
    for content in (body, {"choices": body}, {"choices": [{"message": body}], "usage": body, "id": body}):
        raw = orjson.dumps(content)
        for read in (
            lambda raw: to_anthropic_answer(raw, model="m"),
            lambda raw: OPENAI.streamed(raw, usage_wanted=True),
        ):
            assert said_or_bad(read, raw)


@given(message=messages(), data=st.data())
def test_an_answer_is_the_same_however_its_stream_is_cut(message, data):
    stream = ANTHROPIC.streamed(orjson.dumps(message), usage_wanted=True)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    splitter, reader = EventSplitter(), ANTHROPIC.reader(usage_wanted=True)
    for start, end in itertools.pairwise([0, *cuts, len(stream)]):
        for found in splitter.feed(stream[start:end]):
            reader.take(found)
    assert reader.done
    assert reader.answer() == ANTHROPIC.read_answer(orjson.dumps(message))


def test_the_usage_of_the_last_event_completes_that_of_the_first():
    reader = ANTHROPIC.reader(usage_wanted=True)
    usage = {"input_tokens": 10, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 2, "output_tokens": 1}
    reader.take(event("message_start", message={"model": "claude-1", "usage": usage}))
    assert not reader.began
    reader.take(event("ping"))
    assert not reader.began
    assert reader.answer().usage == Usage(prompt_tokens=42, completion_tokens=0, estimated=True)
    reader.take(event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 7}))
    assert reader.answer().usage == Usage(prompt_tokens=42, completion_tokens=7, cached_tokens=30)


def test_a_stream_says_that_it_is_overloaded_by_raising():
    reader = ANTHROPIC.reader(usage_wanted=True)
    with pytest.raises(UpstreamFailed) as failure:
        reader.take(event("error", error={"type": "overloaded_error", "message": "Overloaded"}))
    assert (failure.value.kind, failure.value.detail) == ("error_event", "Overloaded")
    with pytest.raises(UpstreamFailed):
        ANTHROPIC.reader(usage_wanted=True).take(event("message_stop"))


def test_a_usage_chunk_is_for_those_who_asked():
    chunk = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'
    for wanted in (True, False):
        reader = OPENAI.reader(usage_wanted=wanted)
        assert reader.is_for_client(reader.take(chunk)) is wanted
    body = b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}'
    assert b'"usage"' in OPENAI.streamed(body, usage_wanted=True)
    assert b'"usage"' not in OPENAI.streamed(body, usage_wanted=False)


def test_a_usage_that_nobody_told_is_an_estimate_and_says_so():
    body = b'{"choices":[{"message":{"content":"Paris is the capital."},"finish_reason":"stop"}]}'
    whole = ANTHROPIC.read_answer(to_anthropic_answer(body, model="m", prompt_tokens=9))
    _, chunks = read_stream(OPENAI, OPENAI.streamed(body, usage_wanted=False))
    streamed, _ = read_stream(ANTHROPIC, translated(ToAnthropicStream(model="m", prompt_tokens=9), chunks))
    assert whole.usage == streamed.usage == Usage(prompt_tokens=9, completion_tokens=6, estimated=True)


def test_a_stream_that_breaks_off_is_counted_by_what_it_said():
    reader = ANTHROPIC.reader(usage_wanted=True)
    reader.take(event("message_start", message={"model": "c", "usage": {"input_tokens": 10, "output_tokens": 1}}))
    reader.take(event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Paris is the capital."}))
    assert reader.answer().usage == Usage(prompt_tokens=10, completion_tokens=6, estimated=True)


def test_arguments_that_are_no_object_cannot_be_said_in_a_message():
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":'}}
    body = orjson.dumps({"choices": [{"message": {"content": None, "tool_calls": [call]}}]})
    with pytest.raises(UpstreamFailed) as failure:
        to_anthropic_answer(body, model="m")
    assert failure.value.kind == "bad_body"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
    ],
)
def test_an_error_has_the_type_of_its_status(status, kind):
    body = orjson.loads(ANTHROPIC.error_body(status, "Why.", kind="upstream_error", code="x"))
    assert body == {"type": "error", "error": {"type": kind, "message": "Why."}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"type":"error","error":{"type":"not_found_error","message":"No."}}', ("No.", "not_found_error")),
        (b'{"error":{"message":"No.","type":"invalid","code":"model_not_found"}}', ("No.", "model_not_found")),
        (b'{"error":{"message":"No.","code":429}}', ("No.", None)),
        (b'{"error":"No."}', ("No.", None)),
        (b'{"message":"No."}', ("No.", None)),
        (b"[1]", ("The provider gave no reason.", None)),
        (b"<html>", ("<html>", None)),
    ],
)
def test_what_a_provider_complains_about_is_found_in_any_error_body(body, words):
    assert OPENAI.error_message(body) == ANTHROPIC.error_message(body) == words
