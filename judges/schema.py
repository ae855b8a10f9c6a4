"""Does this answer keep to the JSON schema that the request asked for?

Only what can't be argued about is checked: that it is JSON, types, required fields, enumerations, and members of lists. Formats
and patterns are left alone: a pattern from a request can take for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from judges.loose_json import find_json

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,),
    "null": (type(None),),
}  # fmt: skip
_MAX_DEPTH = 20
_MAX_ITEMS = 200


def broken_schema(answer: str, schema: Mapping[str, Any]) -> str | None:
    """What is wrong first, as a path and a reason; None where nothing is."""
    inner = schema.get("schema") if isinstance(schema.get("schema"), Mapping) else schema
    if not isinstance(inner, Mapping) or not inner:
        return None
    wanted = inner.get("type")
    if "properties" not in inner and wanted not in ("object", "array"):
        return None
    value = find_json(answer)
    return "no JSON" if value is None else _fault(value, inner, "", 0)


def _fault(value: Any, schema: Mapping[str, Any], path: str, depth: int) -> str | None:
    if depth > _MAX_DEPTH:
        return None
    place = path or "the answer"
    wanted = schema.get("type")
    kinds = [k for k in (wanted if isinstance(wanted, list) else [wanted]) if k in _TYPES]
    if kinds and not any(_is(value, kind) for kind in kinds):
        return f"{place} is no {' or '.join(kinds)}"
    listed = schema.get("enum")
    if isinstance(listed, list) and value not in listed:
        return f"{place} is none of the values allowed"
    if isinstance(value, Mapping):
        required = schema.get("required")
        for name in required if isinstance(required, list) else ():
            if name not in value:
                return f"{path}.{name} is missing".lstrip(".")
        properties = schema.get("properties")
        for name, part in properties.items() if isinstance(properties, Mapping) else ():
            if name in value and isinstance(part, Mapping):
                fault = _fault(value[name], part, f"{path}.{name}".lstrip("."), depth + 1)
                if fault is not None:
                    return fault
    members = schema.get("items")
    if isinstance(value, list) and isinstance(members, Mapping):
        faults = (_fault(v, members, f"{path}[{i}]", depth + 1) for i, v in enumerate(value[:_MAX_ITEMS]))
        return next((fault for fault in faults if fault is not None), None)
    return None


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, float) and value.is_integer())
