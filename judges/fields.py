"""Field by field, is this JSON value the same as that one?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from judges.json_difference import changed_types, reordered
from judges.quantities import same_quantity, to_quantity
from judges.text import normalise, same_text

_MAX_FIELDS = 500
_PROSE_WORDS = 8
_MAX_PROMPT = 8_000
_SENTENCE_WORDS = 3
_RETYPED = 0.3  # what a field loses that is a number on one side and text on the other, though they say the same


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldComparison:
    """share: mean agreement of the fields, in [0, 1], less for changed types.

    wrong: paths of plain values that differ; doubtful: of prose.
    """

    share: float
    compared: int
    wrong: tuple[str, ...]
    doubtful: tuple[str, ...]


def compare_fields(
    answer: Any, reference: Any, *, prompt: str = "", schema: Mapping[str, Any] | None = None
) -> FieldComparison:
    """Compare the leaves of two JSON values. A field on one side only is wrong unless it says nothing (null, "", []).

    Where schema or prompt name most of the reference's fields, those that they do not name are extras and don't count.
    """
    asked = _asked_keys(answer, reference, prompt, schema)
    retyped = changed_types(answer, reference)
    answer = reordered(answer, reference)
    left, right = (
        {path: v for path, v in _leaves(value) if asked is None or path.partition(".")[0].partition("[")[0] in asked}
        for value in (answer, reference)
    )
    paths = list(dict.fromkeys([*right, *left]))[:_MAX_FIELDS]
    agreement: list[float] = []
    wrong: list[str] = []
    doubtful: list[str] = []
    for path in paths:
        one, other = left.get(path), right.get(path)
        if _says_nothing(one) and _says_nothing(other):
            same: float | None = 1.0
        elif _says_nothing(one) or _says_nothing(other):
            same = 0.0
        else:
            same = _same(one, other)
        agreement.append(0.5 if same is None else same)
        if same is None:
            doubtful.append(path)
        elif same == 0.0:
            wrong.append(path)
    share = math.fsum(agreement) / len(agreement) if agreement else 1.0
    share = max(0.0, share - _RETYPED * len(retyped) / max(1, len(paths)))
    return FieldComparison(share=share, compared=len(paths), wrong=tuple(wrong), doubtful=tuple(doubtful))


def _asked_keys(answer: Any, reference: Any, prompt: str, schema: Mapping[str, Any] | None) -> frozenset[str] | None:
    """The top-level keys that were asked for, None where that can't be told: then all count."""
    if not isinstance(reference, Mapping) or not isinstance(answer, Mapping):
        return None
    keys = {_key(k) for k in (*answer, *reference)}
    inner = (schema or {}).get("schema") if isinstance((schema or {}).get("schema"), Mapping) else schema
    properties = inner.get("properties") if isinstance(inner, Mapping) else None
    if isinstance(properties, Mapping) and properties:
        named = {_key(k) for k in properties}
    else:
        said = f" {normalise(prompt[-_MAX_PROMPT:])} "
        named = {k for k in keys if f" {k.replace('_', ' ')} " in said}
    known = {_key(k) for k in reference}
    return frozenset(named) if 2 * len(named & known) > len(known) else None


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{path}.{_key(key)}".lstrip("."))]
    if isinstance(value, list):
        plain = all(not isinstance(v, Mapping | list) for v in value)
        items = sorted(value, key=lambda v: normalise(str(v))) if plain else value
        return [leaf for i, inner in enumerate(items) for leaf in _leaves(inner, f"{path}[{i}]")]
    return [(path, value)]


def _key(key: Any) -> str:
    return "_".join(normalise(str(key)).split()) or str(key)


def _says_nothing(value: Any) -> bool:
    return (
        value is None
        or value == ""
        or (isinstance(value, str) and value.strip().lower() in {"null", "none", "n/a", "unknown"})
    )


def _same(one: Any, other: Any) -> float | None:
    """1.0 the same, 0.0 not, None where two pieces of prose differ: that is for others to read."""
    if isinstance(one, bool) or isinstance(other, bool):
        return float(str(one).strip().lower() == str(other).strip().lower())
    if same_text(str(one), str(other)) or (normalise(str(one)) == normalise(str(other)) != ""):
        return float(_same_sign(one, other))
    left, right = to_quantity(str(one)), to_quantity(str(other))
    if left is not None and right is not None:
        return float(same_quantity(left, right))
    if left is not None or right is not None:
        return 0.0
    if _is_prose(str(one)) and _is_prose(str(other)):
        return None
    return float(sorted(normalise(str(one)).split()) == sorted(normalise(str(other)).split()))


def _is_prose(text: str) -> bool:
    """A sentence or more, which may say the same in other words; a name, a code or a label may not."""
    count = len(text.split())
    return count >= _PROSE_WORDS or (count >= _SENTENCE_WORDS and text.rstrip().endswith((".", "!", "?")))


def _same_sign(one: Any, other: Any) -> bool:
    left, right = to_quantity(str(one)), to_quantity(str(other))
    return left is None or right is None or same_quantity(left, right)
