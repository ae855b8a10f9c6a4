"""Do two completions agree in their working, not only in what they end with?"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from judges.quantities import number_values, strip_latex
from judges.text import words

_NOTHING_WORKED_OUT = 0.5


def agreement(one: str, other: str, *, ignore: str = "") -> float:
    """How far two workings go the same way, in [0, 1]: half by the numbers they work out, half by their words.

    Numbers of `ignore`, the question, are in every working and tell nothing; the words say which steps were taken.
    """
    given = _rounded(ignore)
    left, right = _rounded(one) - given, _rounded(other) - given
    numbers = _overlap(left, right) if left or right else _NOTHING_WORKED_OUT
    return (numbers + _overlap(frozenset(words(one)), frozenset(words(other)))) / 2


def _overlap(one: frozenset[Any], other: frozenset[Any]) -> float:
    """Jaccard overlap; 0 for two empty sets."""
    return len(one & other) / len(one | other) if one or other else 0.0


@lru_cache(maxsize=512)
def _rounded(text: str) -> frozenset[float]:
    return frozenset(float(f"{v:.4g}") for v in number_values(strip_latex(text)))
