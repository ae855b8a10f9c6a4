"""Does a text keep to the JSON schema that the client asked for?

The schema is the client's and the text is a model's, so neither is trusted. Nothing is ever fetched, patterns run in linear
time, and a schema that is large, or that could take long on some text, is not used at all: the outcome is then "unknown",
which is no failure. Compiled validators are kept by the bytes of their schema.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import orjson

MAX_SCHEMA_BYTES = 65_536
MAX_TEXT_BYTES = 1_048_576
MAX_PATTERNS = 64
MAX_WORK = 5_000_000  # visits of a part of the schema to a part of the text, some 15 ns each
_MAX_EXPANDED = 20_000
_KEPT = 256
#: Their values are parts of an instance, not of a schema.
_INSTANCES = frozenset({"enum", "const", "default", "examples", "required", "type"})
#: Their keys are names, whatever they look like.
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"})
_UNBOUNDED = frozenset({"$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor", "id"})
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=200_000, dfa_size_limit=1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A validator and how much work it may make. expanded: parts of the schema with all references followed once.
    fan_out: how often a recursive schema can come back to itself at one step down the text; 0: it is not recursive."""

    is_valid: Callable[[Any], bool]
    expanded: int
    fan_out: int


class SchemaCache:
    """Validators by the bytes of their schema, the least recently used dropped first. One per process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Compiled | None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def check(self, schema: object, text: str) -> bool | None:
        """True: `text` is JSON that keeps to `schema`. False: it does not. None: unknown, as the schema is not usable.

        Cost: below a microsecond for a usual answer, tens of microseconds for a new schema; at most some 0.1 s.
        """
        try:
            value = orjson.loads(text)
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            return False
        try:
            key = orjson.dumps(schema)
        except TypeError:  # an unpaired surrogate, or a number beyond 64 bits
            return None
        if key in self._kept:
            self._kept.move_to_end(key)
            compiled = self._kept[key]
        else:
            compiled = self._kept[key] = compile_schema(schema, len(key))
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        if compiled is None or len(text) > MAX_TEXT_BYTES:
            return None
        parts, depth = _extent(value)
        work = parts * compiled.expanded
        if compiled.fan_out > 1:
            work *= compiled.fan_out ** min(depth, 64)
        if work > MAX_WORK:
            return None
        return compiled.is_valid(value)


def compile_schema(schema: object, size_bytes: int) -> Compiled | None:
    """A validator; None for a schema that is invalid, too large, refers elsewhere, or may take too long."""
    if size_bytes > MAX_SCHEMA_BYTES or not isinstance(schema, dict | bool):
        return None
    try:
        expanded, fan_out = _Expansion(schema).measure()
        validator = jsonschema_rs.validator_for(schema, offline=True, validate_formats=False, pattern_options=_PATTERNS)
    except (jsonschema_rs.ValidationError, ValueError, RecursionError):
        return None
    return Compiled(is_valid=validator.is_valid, expanded=expanded, fan_out=fan_out)


class _Expansion:
    """Follows every reference of a schema, to learn how much there is before anything is validated."""

    def __init__(self, schema: dict[str, Any] | bool) -> None:
        self._root = schema
        self._expanded = 0
        self._patterns = 0
        self._returns: dict[str, int] = {}  # step down the text -> how often the schema comes back to itself there
        self._open: list[str] = []  # references being followed

    def measure(self) -> tuple[int, int]:
        """(parts, fan-out). Raises: ValueError."""
        self._visit(self._root, "")
        return self._expanded, max(self._returns.values(), default=0)

    def _visit(self, schema: object, step: str) -> None:
        if isinstance(schema, list):
            for part in schema:
                self._visit(part, step)
            return
        if not isinstance(schema, dict):
            return
        self._expanded += 1
        self._patterns += "pattern" in schema
        self._patterns += len(schema.get("patternProperties") or ())
        if self._expanded > _MAX_EXPANDED or self._patterns > MAX_PATTERNS:
            raise ValueError("the schema is too large")
        for key, value in schema.items():
            if key in _UNBOUNDED and isinstance(value, str):
                raise ValueError(f"{key} is not followed")
            if key == "$ref" and isinstance(value, str):
                self._follow(value, step)
            elif key in _NAMED and isinstance(value, dict):
                if key not in ("$defs", "definitions"):  # those count where they are referred to
                    for name, part in value.items():
                        self._visit(part, f"{key}/{name}")
            elif key not in _INSTANCES:
                self._visit(value, f"{key}/*" if key in ("items", "additionalProperties", "prefixItems") else step)

    def _follow(self, reference: str, step: str) -> None:
        if reference in self._open or reference == "#":
            self._returns[step] = self._returns.get(step, 0) + 1
            return
        self._open.append(reference)
        self._visit(self._resolve(reference), step)
        self._open.pop()

    def _resolve(self, reference: str) -> object:
        if not reference.startswith("#/"):
            raise ValueError("a reference beyond the schema")
        found: object = self._root
        for part in reference[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise ValueError("a reference to nothing")
        return found


def _extent(value: object) -> tuple[int, int]:
    """(parts, depth) of a JSON value."""
    parts, depth = 0, 0
    level: list[Any] = [value]
    while level:
        parts += len(level)
        depth += 1
        level = [child for part in level for child in _children(part)]
    return parts, depth


def _children(part: object) -> Iterator[Any]:
    if isinstance(part, dict):
        yield from part.values()
    elif isinstance(part, list):
        yield from part
