"""What kind of answer is asked for: a number, a choice, a label, yes or no, JSON fields, or free text?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from judges.choices import asks_yes_or_no, options, picked, polarity
from judges.contracts import Comparison
from judges.final import FinalAnswer
from judges.labels import given_label, offered_labels
from judges.quantities import to_quantity
from judges.text import words

Kind = Literal["number", "choice", "label", "yes_no", "json", "free"]

_COUNTS = re.compile(
    r"\b(?:how (?:many|much|long|far|old|fast|tall|heavy|wide)|calculate|compute|evaluate|solve|what (?:is|are|was|were|will be) "
    r"the (?:total|sum|product|difference|average|mean|number|amount|value|cost|price|ratio|remainder|area|volume"
    r"|probability|percentage|perimeter)|"
    r"what percent(?:age)?|what fraction|sum of)\b|\d\s*(?:[+*=]|\s[-/x]\s)\s*\d",
    re.IGNORECASE,
)
_ASKS_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
_NUMERIC_TYPES = frozenset({"math", "arithmetic", "numeric", "number", "calculation"})
_LABEL_TYPES = frozenset({"classification", "label", "intent", "routing", "sentiment", "triage"})
_MAX_LABEL_WORDS = 6


def kind_of(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Kind:
    """The kind of answer; `free` wherever it isn't clear. Both answers and the request have to fit."""
    prompt = comparison.prompt[-8_000:]
    schema_kind = _from_schema(comparison.schema)
    if _is_data(reference) and (_is_data(answer) or schema_kind == "json" or _ASKS_JSON.search(prompt)):
        return "json"
    if schema_kind in {"number", "label"} and reference.text:
        return schema_kind
    offered = options(prompt)
    if offered and picked(reference.text, offered):
        return "choice"
    if given_label(whole_text(reference), labels_for(comparison)) is not None:
        return "label"
    query_type = (comparison.query_type or "").lower()
    yes_no = polarity(reference.text) is not None and polarity(answer.text) is not None
    if yes_no and (asks_yes_or_no(prompt) or (_short(reference) and _short(answer))):
        return "yes_no"
    if _is_number(comparison, reference, answer):
        return "number"
    if _short(reference) and query_type in _LABEL_TYPES:
        return "label"
    return "free"


def _is_data(final: FinalAnswer) -> bool:
    return final.fields is not None and final.source == "whole"


def whole_text(final: FinalAnswer) -> str:
    """Where a label may be named: the marked final answer, else everything said."""
    return final.text if final.source in {"field", "marked"} else f"{final.working}\n{final.text}"


def _short(final: FinalAnswer) -> bool:
    return 0 < len(words(final.text)) <= _MAX_LABEL_WORDS


def labels_for(comparison: Comparison) -> list[tuple[str, ...]]:
    """The labels to choose from, as folded words: those of the schema, else those that the prompt lists."""
    schema = comparison.schema or {}
    inner = schema.get("schema") if isinstance(schema.get("schema"), Mapping) else schema
    listed = inner.get("enum") if isinstance(inner, Mapping) else None
    if isinstance(listed, list):
        return [label for value in listed if (label := tuple(words(str(value))))]
    return offered_labels(comparison.prompt[-8_000:])


def is_arithmetic(comparison: Comparison) -> bool:
    """Whether the request says that a number has to be worked out."""
    return (comparison.query_type or "").lower() in _NUMERIC_TYPES


def _is_number(comparison: Comparison, reference: FinalAnswer, answer: FinalAnswer) -> bool:
    """The reference ends in a number, and the request asks for one or nothing else is said where it counts."""
    if is_arithmetic(comparison) or _COUNTS.search(comparison.prompt[-8_000:]):
        stated = f"{reference.working} {reference.text}" if reference.source == "last" else reference.text
        return any(c.isdigit() for c in stated) or to_quantity(stated) is not None
    alone = to_quantity(reference.text), to_quantity(answer.text)
    return None not in alone and all(len(words(f.text)) <= 4 for f in (reference, answer))


def _from_schema(schema: Mapping[str, Any] | None) -> Kind | None:
    """What a JSON schema says about the answer: an object with several fields, or a bare label or number."""
    if not schema:
        return None
    inner = schema.get("schema") if isinstance(schema.get("schema"), Mapping) else schema
    if not isinstance(inner, Mapping):
        return None
    properties = inner.get("properties")
    if isinstance(properties, Mapping) and properties:
        return "json"
    if isinstance(inner.get("enum"), list):
        return "label"
    return {"number": "number", "integer": "number", "object": "json", "array": "json"}.get(str(inner.get("type")))  # type: ignore[return-value]
