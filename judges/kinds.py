"""What kind of answer is asked for: number, formula, choice, label, yes or no, JSON, code, date, list, name, or free text?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from judges.choices import asks_yes_or_no, options, picked, polarity
from judges.code import code_of
from judges.contracts import Comparison
from judges.dates import dates
from judges.final import FinalAnswer
from judges.labels import given_label, offered_labels
from judges.lists import asks_for_list, items_of
from judges.literals import Unread, literal_of
from judges.quantities import to_quantity
from judges.text import words

Kind = Literal[
    "number", "math", "choice", "label", "yes_no", "json", "literal", "code", "date", "list", "entity", "free"
]

_COUNTS = re.compile(
    r"\b(?:how (?:many|much|long|far|old|fast|tall|heavy|wide)|calculate|compute|evaluate|solve|what (?:is|are|was|were|will be) "
    r"the (?:total|sum|product|difference|average|mean|number|amount|value|cost|price|ratio|remainder|area|volume"
    r"|probability|percentage|perimeter)|"
    r"what percent(?:age)?|what fraction|sum of)\b|\d\s*(?:[+*=]|\s[-/x]\s)\s*\d",
    re.IGNORECASE,
)
_ASKS_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
_ASKS_OUTPUT = re.compile(
    r"\b(?:output|prints?|printed|returns?|evaluates? to|result of (?:running|executing|calling)"
    r"|complete the assertion|literal)\b",
    re.IGNORECASE,
)
_HAS_CODE = re.compile(
    r"\bdef \w+\(|\bassert \w+\(|```(?:python|py|javascript|js|java|cpp|c\+\+|c|go|rust|ruby|bash|sh)\b|^[ \t]+return\b"
    r"|>>> |\bprint\(|console\.log\(|function \w+\(|System\.out\.|\bprintf\(|#include\b",
    re.MULTILINE,
)
_ASKS_CODE = re.compile(
    r"\b(?:write|implement|create|code|complete|fix|refactor|rewrite|generate)\b[^.\n]{0,80}"
    r"\b(?:function|program|script|code|class|method|query|snippet|regex|python|javascript|sql)\b|```",
    re.IGNORECASE,
)
_WRITES_CODE = re.compile(
    r"\b(?:write|implement|create|refactor|rewrite|generate|fix)\b[^.\n]{0,80}\b(?:function|program|script|code|class|method|query)\b",
    re.IGNORECASE,
)
_ASKS_DATE = re.compile(
    r"\b(?:when|what (?:date|day)|which (?:date|day)|on what date|date of|deadline|due)\b", re.IGNORECASE
)
_ASKS_NAME = re.compile(r"\b(?:who|whose|whom|which|what|where|name)\b", re.IGNORECASE)
_MATH = re.compile(
    r"\\(?:[dt]?frac|sqrt|pi|boxed|infty|begin|left|cdot|text|pm|cup|emptyset|varnothing|mathbb|[lgn]eq?|overline|vec|binom|angle"
    r"|theta|sin|cos|tan|log|ln|times)(?![a-zA-Z])|\$[^$\n]{1,80}\$"
)
_CODE_TYPES = frozenset({"code", "coding", "programming", "sql"})
_NUMERIC_TYPES = frozenset({"math", "arithmetic", "numeric", "number", "calculation"})
_LABEL_TYPES = frozenset({"classification", "label", "intent", "routing", "sentiment", "triage"})
_MAX_LABEL_WORDS = 6


def kind_of(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Kind:
    """The kind of answer; `free` wherever it isn't clear. Both answers and the request have to fit."""
    prompt = comparison.prompt[-8_000:]
    schema_kind = _from_schema(comparison.schema)
    if schema_kind is None and _is_output(prompt, answer, reference):
        return "literal"
    if _is_data(reference, comparison) and (
        _is_data(answer, comparison) or schema_kind == "json" or _ASKS_JSON.search(prompt)
    ):
        return "json"
    if schema_kind in {"number", "label"} and reference.text:
        return schema_kind
    query_type = (comparison.query_type or "").lower()
    offered = options(prompt)
    if offered and picked(reference.text, offered):
        return "choice"
    if given_label(whole_text(reference), labels_for(comparison)) is not None:
        return "label"
    if _is_code(query_type, prompt, answer, reference):
        return "code"
    yes_no = polarity(reference.text) is not None and polarity(answer.text) is not None
    if yes_no and (asks_yes_or_no(prompt) or (_short(reference) and _short(answer))):
        return "yes_no"
    if _is_date(prompt, answer, reference):
        return "date"
    if _is_number(comparison, reference, answer):
        return "number"
    if _short(reference) and query_type in _LABEL_TYPES:
        return "label"
    return _kind_of_text(comparison, prompt, answer, reference)


def _kind_of_text(comparison: Comparison, prompt: str, answer: FinalAnswer, reference: FinalAnswer) -> Kind:
    """A formula, a list, a name, or nothing of that."""
    if any(_MATH.search(side.text) for side in (answer, reference)) and all(
        side.source != "last" and len(side.text) <= 200 for side in (answer, reference)
    ):
        return "math"
    if (is_arithmetic(comparison) or _COUNTS.search(prompt)) and all(
        side.source in ("field", "marked") and 0 < len(side.text) <= 200 for side in (answer, reference)
    ):
        return "math"
    if asks_for_list(prompt) and all(items_of(side.text) or items_of(side.working) for side in (answer, reference)):
        return "list"
    if _short(reference) and _short(answer) and _ASKS_NAME.search(prompt):
        return "entity"
    return "free"


def _is_output(prompt: str, answer: FinalAnswer, reference: FinalAnswer) -> bool:
    """The request shows code and asks what it yields."""
    if not (_HAS_CODE.search(prompt) and _ASKS_OUTPUT.search(prompt)):
        return False
    return all(
        not isinstance(literal_of(side.text), Unread)
        or (side.source in {"field", "marked", "phrase"} and len(side.text) <= 2_000)
        or not _WRITES_CODE.search(prompt)
        for side in (answer, reference)
    )


def _is_code(query_type: str, prompt: str, answer: FinalAnswer, reference: FinalAnswer) -> bool:
    if query_type not in _CODE_TYPES and not _ASKS_CODE.search(prompt):
        return False
    has_code = [code_of(side.working or side.text) is not None for side in (answer, reference)]
    return has_code[1] and (has_code[0] or query_type in _CODE_TYPES or _WRITES_CODE.search(prompt) is not None)


def _is_date(prompt: str, answer: FinalAnswer, reference: FinalAnswer) -> bool:
    """A date with a month on both sides, and a question for one, or hardly anything beside it."""
    stated = [[d for d in dates(side.text) if d.month] for side in (answer, reference)]
    if not all(stated):
        return False
    return bool(_ASKS_DATE.search(prompt[-600:])) or all(len(words(side.text)) <= 5 for side in (answer, reference))


def _is_data(final: FinalAnswer, comparison: Comparison) -> bool:
    """An object or a list; in mathematics brackets around numbers are an interval, a point or a set."""
    if final.fields is None or final.source != "whole":
        return False
    return not (isinstance(final.fields, list) and is_arithmetic(comparison))


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
