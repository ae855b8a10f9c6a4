"""Does an answer keep to a schema, and does no schema hang, fetch or crash anything?"""

import json
import time

import pytest

from router.schemas import MAX_PATTERNS, MAX_SCHEMA_BYTES, SchemaCache

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "pattern": "^[A-Z]"}, "people": {"type": ["integer", "null"]}},
    "required": ["city"],
    "additionalProperties": False,
}
NODE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["name"],
        }
    },
    "$ref": "#/$defs/node",
}


def doubling(levels):
    """Every level asks the next one twice: two to the power of `levels` looks at one value."""
    levels_ = {f"l{i}": {"anyOf": [{"$ref": f"#/$defs/l{i + 1}"}] * 2} for i in range(levels)}
    return {"$defs": {**levels_, f"l{levels}": {"type": "string"}}, "$ref": "#/$defs/l0"}


@pytest.fixture
def schemas():
    return SchemaCache()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"city": "Paris"}', True),
        (' {"city": "Paris", "people": null}\n', True),
        ('{"city": "paris"}', False),
        ('{"people": 3}', False),
        ('{"city": "Paris", "more": 1}', False),
        ('```json\n{"city": "Paris"}\n```', False),
        ('{"city": "Par', False),
        ("", False),
        ("Paris", False),
        ("\ud800", False),
    ],
)
def test_a_text_keeps_to_its_schema_or_it_does_not(schemas, text, kept):
    for _ in range(2):  # compiled, then remembered
        assert schemas.check(CITY, text) is kept


def test_recursive_schemas_are_followed(schemas):
    tree = {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]}
    assert schemas.check(NODE, json.dumps(tree)) is True
    tree["children"][0]["children"][0] = {}
    assert schemas.check(NODE, json.dumps(tree)) is False


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/$defs/none"},
        {"$ref": "other.json#/x"},
        {"$schema": "http://127.0.0.1:9/meta", "type": "string"},
        {"$id": "http://127.0.0.1:9/x", "type": "string"},
        {"type": "strin"},
        {"pattern": "("},
        {"pattern": "(a{1000}){1000}"},
        {"properties": {f"p{i}": {"pattern": "a"} for i in range(MAX_PATTERNS + 1)}},
        {"description": "x" * MAX_SCHEMA_BYTES},
        doubling(40),
        [],
        None,
        7,
    ],
    ids=lambda schema: str(schema)[:40],
)
def test_a_schema_that_cannot_be_used_is_unknown_at_once_and_nothing_is_fetched(schemas, schema):
    began = time.monotonic()
    assert schemas.check(schema, '"text"') is None
    assert time.monotonic() - began < 1


def nested(depth):
    return json.dumps([]) if depth == 0 else f"[{nested(depth - 1)}]"


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string", "pattern": "^(a+)+$"}, json.dumps("a" * 50_000 + "b")),
        ({"anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}, "minItems": 9}, False]}, nested(200)),
        ({"allOf": [{"$ref": "#"}]}, "1"),
        ({"type": "array", "uniqueItems": True}, json.dumps([[i] for i in range(20_000)])),
        (doubling(12), "1"),
    ],
    ids=["backtracking", "recursion-twice", "itself", "unique", "doubling"],
)
def test_no_schema_takes_long_on_any_text(schemas, schema, text):
    began = time.process_time()
    schemas.check(schema, text)
    assert time.process_time() - began < 1


def test_only_so_many_validators_are_kept(schemas):
    for number in range(400):
        assert schemas.check({"minimum": number}, "1000") is True
    assert len(schemas) == 256
