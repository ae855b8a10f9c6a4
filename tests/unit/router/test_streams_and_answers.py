"""Are events and answers read the same, however they are cut, and is nothing odd fatal?"""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.answers import Answer, AnswerBuilder, Usage, read_answer, read_usage
from router.errors import UpstreamFailed
from router.sse import EventSplitter, data_of, error_event

LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.binary(min_size=1, max_size=12).map(lambda raw: b"data: " + raw.replace(b"\n", b"").replace(b"\r", b""))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(lines=st.lists(st.tuples(LINES, LINE_ENDS), max_size=8), data=st.data())
def test_events_are_the_same_however_the_bytes_are_cut(lines, data):
    events = [line + end + end for line, end in lines]
    stream = b"".join(events)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    splitter = EventSplitter()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += splitter.feed(stream[start:end])
    assert found == events
    assert splitter.finish() == b""


def test_what_has_no_blank_line_behind_it_is_left_over():
    splitter = EventSplitter()
    assert splitter.feed(b"data: 1\n\ndata: 2\n") == [b"data: 1\n\n"]
    assert splitter.finish() == b"data: 2\n"
    assert splitter.finish() == b""


def test_an_endless_event_is_refused():
    splitter = EventSplitter()
    with pytest.raises(UpstreamFailed):
        splitter.feed(b"data: " + b"x" * 9_000_000)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: 5\n\n", b"5"),
        (b"data:5\r\n\r\n", b"5"),
        (b"event: message\nid: 1\ndata: 5\n\n", b"5"),
        (b"data: {\ndata: }\n\n", b"{\n}"),
        (b": keep-alive\n\n", None),
        (b"event: ping\n\n", None),
        (b"data:\n\n", b""),
        (b"\n\n", None),
    ],
)
def test_the_payload_of_an_event(event, data):
    assert data_of(event) == data


def test_an_error_event_is_one_event_with_an_openai_error():
    event = error_event('He said "no"\n\nand left', "cut")
    assert EventSplitter().feed(event) == [event]
    assert orjson.loads(data_of(event))["error"]["code"] == "cut"


@given(fields=JSON | st.fixed_dictionaries({"choices": st.lists(JSON)}, optional={"usage": JSON, "model": JSON}))
def test_a_body_is_an_answer_or_a_bad_body_and_never_a_crash(fields):
    body = orjson.dumps(fields)
    if isinstance(fields, dict) and isinstance(fields.get("choices"), list):
        assert isinstance(read_answer(body), Answer)
    else:
        with pytest.raises(UpstreamFailed, match="bad_body"):
            read_answer(body)


@given(
    chunks=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "model": JSON,
                "usage": JSON,
                "choices": JSON
                | st.lists(
                    st.fixed_dictionaries(
                        {},
                        optional={
                            "index": st.just(0) | JSON,
                            "finish_reason": JSON,
                            "delta": JSON
                            | st.fixed_dictionaries(
                                {}, optional={"content": JSON, "tool_calls": JSON | st.lists(JSON)}
                            ),
                        },
                    )
                ),
            },
        )
    )
)
def test_no_chunk_is_fatal(chunks):
    builder = AnswerBuilder()
    for chunk in chunks:
        builder.add(chunk)
    assert isinstance(builder.answer().text, str)


def test_tool_calls_are_put_together_by_index_and_only_the_first_choice_counts():
    builder = AnswerBuilder()
    for index, part in [(0, '{"a"'), (1, "{"), (0, ":1}"), (1, "}")]:
        call = {"index": index, "id": f"call_{index}", "function": {"name": "f" if part[0] == "{" else None}}
        call["function"]["arguments"] = part
        builder.add({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})
    builder.add({"choices": [{"index": 1, "delta": {"content": "other choice"}, "finish_reason": "length"}]})
    answer = builder.answer()
    calls = orjson.loads(answer.tool_calls)
    assert [(call["id"], call["function"]) for call in calls] == [
        ("call_0", {"name": "f", "arguments": '{"a":1}'}),
        ("call_1", {"name": "f", "arguments": "{}"}),
    ]
    assert (answer.text, answer.finish_reason) == ("", None)


def test_the_older_function_call_is_recorded_as_a_tool_call():
    function = {"name": "f", "arguments": "{}"}
    whole = read_answer(orjson.dumps({"choices": [{"message": {"content": None, "function_call": function}}]}))
    builder = AnswerBuilder()
    for part in ({"name": "f", "arguments": "{"}, {"arguments": "}"}):
        builder.add({"choices": [{"delta": {"function_call": part}}]})
    for answer in (whole, builder.answer()):
        assert orjson.loads(answer.tool_calls)[0]["function"] == function


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({}, None),
        ("many", None),
        ({"prompt_tokens": 3}, Usage(prompt_tokens=3, completion_tokens=0)),
        (
            {"prompt_tokens": 9, "completion_tokens": 2.0, "prompt_tokens_details": {"cached_tokens": 4}},
            Usage(prompt_tokens=9, completion_tokens=2, cached_tokens=4),
        ),
        (
            {"prompt_tokens": -1, "completion_tokens": 10**30, "prompt_tokens_details": None},
            Usage(prompt_tokens=0, completion_tokens=10**9),
        ),
        ({"prompt_tokens": True, "completion_tokens": "5"}, None),
    ],
)
def test_usage_is_read_within_bounds(usage, expected):
    assert read_usage(usage) == expected


@pytest.mark.parametrize("event", [b": comment\n\n", b"event: ping\n\n", b"id: 7\nretry: 100\r\n\r\n", b"\n\n"])
def test_an_event_without_data_says_nothing(event):
    assert data_of(event) is None


@pytest.mark.parametrize(
    "event", [b'{"error": {"message": "overloaded"}}\n\n', b"<html>\n\n", b"\xff\x00data: [DONE]\n\n"]
)
def test_what_is_no_event_is_no_comment_either(event):
    with pytest.raises(UpstreamFailed, match="bad_body"):
        data_of(event)
