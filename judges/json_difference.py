"""Do two JSON values hold the same records in another order, and which of their fields changed type?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from judges.quantities import to_quantity
from judges.text import normalise

_MAX_LEAVES = 120  # comparing without order grows with the square of a list
_MAX_TEXT = 40


def reordered(answer: Any, reference: Any) -> Any:
    """The answer with its lists of records in the reference's order, where every record of both has its equal."""
    if not _has_records(reference) or _leaves(answer) > _MAX_LEAVES or _leaves(reference) > _MAX_LEAVES:
        return answer
    from deepdiff import DeepDiff

    ours, theirs = _plain(answer), _plain(reference)
    difference = DeepDiff(
        theirs, ours, ignore_order=True, report_repetition=True, ignore_numeric_type_changes=True, max_passes=20_000
    )
    return reference if not difference else answer


def changed_types(answer: Any, reference: Any) -> list[str]:
    """Paths of fields that are a number here and text there, though they say the same."""
    if answer == reference or _types_agree(answer, reference):
        return []
    if _leaves(answer) > _MAX_LEAVES or _leaves(reference) > _MAX_LEAVES:
        return []
    from deepdiff import DeepDiff

    found = DeepDiff(reference, answer, ignore_numeric_type_changes=True).get("type_changes", {})
    return [
        path for path, change in found.items() if change["old_value"] is not None and change["new_value"] is not None
    ]


def _types_agree(one: Any, other: Any) -> bool:
    """Whether no field that both have is of another type: what is mostly so, and quickly seen."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(_types_agree(value, other[key]) for key, value in one.items() if key in other)
    if isinstance(one, list) and isinstance(other, list):
        return all(_types_agree(a, b) for a, b in zip(one, other, strict=False))
    return type(one) is type(other)


def _has_records(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_records(v) for v in value.values())
    return isinstance(value, list) and any(isinstance(v, Mapping | list) for v in value)


def _leaves(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(_leaves(v) for v in value.values()) + 1
    return sum(_leaves(v) for v in value) + 1 if isinstance(value, list) else 1


def _plain(value: Any) -> Any:
    """Spelling of keys and short values set aside, numbers as numbers."""
    if isinstance(value, Mapping):
        return {normalise(str(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, str) and len(value) <= _MAX_TEXT:
        quantity = to_quantity(value)
        if quantity is not None and len(value.split()) <= 2:
            return (round(quantity.value, 6), quantity.unit)
        return normalise(value) or value
    return value
