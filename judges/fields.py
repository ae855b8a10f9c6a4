"""Field by field, is this JSON value the same as that one?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from judges.quantities import same_quantity, to_quantity
from judges.text import normalise, same_text

_MAX_FIELDS = 500
_PROSE_WORDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldComparison:
    """share: mean agreement of the fields, in [0, 1]. wrong: paths of plain values that differ. doubtful: of prose."""

    share: float
    compared: int
    wrong: tuple[str, ...]
    doubtful: tuple[str, ...]


def compare_fields(answer: Any, reference: Any) -> FieldComparison:
    """Compare the leaves of two JSON values. A field on one side only is wrong unless it says nothing (null, "", [])."""
    left, right = dict(_leaves(answer)), dict(_leaves(reference))
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
    return FieldComparison(share=share, compared=len(paths), wrong=tuple(wrong), doubtful=tuple(doubtful))


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
    """1.0 the same, 0.0 not, None where two pieces of prose are alike but not equal."""
    if isinstance(one, bool) or isinstance(other, bool):
        return float(str(one).strip().lower() == str(other).strip().lower())
    if same_text(str(one), str(other)) or (normalise(str(one)) == normalise(str(other)) != ""):
        return float(_same_sign(one, other))
    left, right = to_quantity(str(one)), to_quantity(str(other))
    if left is not None and right is not None:
        return float(same_quantity(left, right))
    if left is not None or right is not None:
        return 0.0
    if min(len(str(one).split()), len(str(other).split())) >= _PROSE_WORDS:
        return None
    return float(fuzz.ratio(normalise(str(one))[:500], normalise(str(other))[:500]) >= 90.0)


def _same_sign(one: Any, other: Any) -> bool:
    left, right = to_quantity(str(one)), to_quantity(str(other))
    return left is None or right is None or same_quantity(left, right)
