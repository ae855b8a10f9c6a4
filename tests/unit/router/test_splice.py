"""Is only the model exchanged, whatever the body looks like?"""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.splice import splice, top_level_spans, with_model

KEYS = st.one_of(st.sampled_from(["model", "stream", "messages", '"model"', "a\\b", "{", ""]), st.text())
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=6)


def spelt(fields, ascii_only, indent):
    separators = (" , ", "\t:\n ") if indent is None else None
    return json.dumps(fields, ensure_ascii=ascii_only, indent=indent, separators=separators).encode(
        "utf-8", "surrogatepass"
    )


@given(fields=OBJECTS, model=st.text(min_size=1), ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2]))
def test_the_model_is_replaced_and_all_else_reads_the_same(fields, model, ascii_only, indent):
    body = spelt({**fields, "model": model}, ascii_only, indent)
    assert json.loads(with_model(body, b'"other"')) == {**fields, "model": "other"}


@given(fields=OBJECTS, value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
def test_any_top_level_value_is_replaced_or_put_in_front(fields, value, ascii_only, indent):
    body = spelt(fields, ascii_only, indent)
    replacements = {"model": json.dumps(value).encode(), "stream_options": b'{"include_usage":true}'}
    expected = {**fields, "model": value, "stream_options": {"include_usage": True}}
    assert json.loads(splice(body, replacements)) == expected


@given(fields=OBJECTS, model=st.text(min_size=1), indent=st.sampled_from([None, 2]))
def test_no_byte_outside_the_value_changes(fields, model, indent):
    body = spelt({**fields, "model": model}, False, indent)
    [(_, start, end)] = top_level_spans(body, frozenset({"model"}))
    assert json.loads(body[start:end]) == model
    assert with_model(body, b'"x"') == body[:start] + b'"x"' + body[end:]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb'{"mod\u0065l": "auto"}', rb'{"mod\u0065l": "X"}'),
        (rb'{"model":"a","model" : "auto"}', rb'{"model":"X","model" : "X"}'),
        (rb'{"metadata":{"model":"keep"},"model":"auto"}', rb'{"metadata":{"model":"keep"},"model":"X"}'),
        (rb'{"messages":[{"model":"keep"}],"model":"auto"}', rb'{"messages":[{"model":"keep"}],"model":"X"}'),
        (rb'{"user":"\"model\":\"keep\"","model":"auto"}', rb'{"user":"\"model\":\"keep\"","model":"X"}'),
        (rb'{"user":"model","model":"auto"}', rb'{"user":"model","model":"X"}'),
        (rb'{"model":"au\"to\\","n":1.50}', rb'{"model":"X","n":1.50}'),
        (b'\n{ "n" : 1e3 ,\t"model"\r\n:\n"auto"\n}\n', b'\n{ "n" : 1e3 ,\t"model"\r\n:\n"X"\n}\n'),
        (rb'{"lone \ud800": 1, "model":"auto"}', rb'{"lone \ud800": 1, "model":"X"}'),
    ],
    ids=[
        "escaped-key",
        "duplicate",
        "nested-before",
        "in-list",
        "in-string",
        "as-value",
        "escaped-value",
        "spaced",
        "lone",
    ],
)
def test_awkward_spellings(body, expected):
    assert with_model(body, b'"X"') == expected


def test_a_missing_value_goes_into_an_empty_object():
    assert orjson.loads(splice(b" { } ", {"a": b"1", "b": b"2"})) == {"a": 1, "b": 2}
