"""Are two printed values the same value? Python or JSON literals: strings, lists, dictionaries, sets, numbers."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from typing import Any

_MAX_CHARS = 20_000
_MAX_DEPTH = 40
_ASSERTION = re.compile(r"^\s*(?:assert\s+)?[\w.]+\(.*\)\s*==\s*(.+)$", re.DOTALL)
_FENCE = re.compile(r"^```\w*\s*\n?(.*?)\n?```$", re.DOTALL)
_JSON_NAMES = {"true": True, "false": False, "null": None}


class Unread:
    """Stands for a text that is no literal."""


UNREAD = Unread()


def literal_of(text: str) -> Any:
    """The value that a text prints, `UNREAD` where it is none. The right side of `f(x) == value` counts as the value."""
    text = text.strip()
    fenced = _FENCE.match(text)
    text = (fenced[1] if fenced else text).strip().strip("`").strip()
    if not text or len(text) > _MAX_CHARS or _depth(text) > _MAX_DEPTH:
        return UNREAD
    if text in _JSON_NAMES:
        return _JSON_NAMES[text]
    asserted = _ASSERTION.match(text) if "==" in text[:2_000] else None
    for candidate in (asserted[1].strip() if asserted else None, text):
        if candidate:
            value = _read(candidate)
            if not isinstance(value, Unread):
                return value
    return UNREAD


def _read(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        if text == "set()":
            return set()
        for reader in (ast.literal_eval, json.loads):
            try:
                return reader(text)
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError, OverflowError):
                continue
    return UNREAD


def _depth(text: str) -> int:
    depth = deepest = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    return deepest


def same_literal(one: Any, other: Any, *, depth: int = 0) -> bool:
    """Whether two values are the same. Tuples and lists are (JSON has no tuples), 1 and 1.0 are, True and 1 are not."""
    if depth > _MAX_DEPTH:
        return False
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(same_literal(a, b, depth=depth + 1) for a, b in pairs)
    if isinstance(one, dict) and isinstance(other, dict):
        return len(one) == len(other) and all(
            key in other and same_literal(value, other[key], depth=depth + 1) for key, value in one.items()
        )
    return bool(type(one) is type(other) and one == other)
