"""Do the sums in this working come out? Equations between plain numbers are worked out again."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from judges.quantities import strip_latex

#: Two numbers or more joined by signs, then an equals sign and a number. Words between end the run.
_EQUATION = re.compile(
    r"(?<![\w.,/*+^-])([($€£]{0,4}[\d.][\d.,$€£%()+*/x\s-]{1,80}?)\s*=\s*[$€£]?\s?(-?\d[\d,]*(?:\.\d+)?)(?!\s*[%\d/*x+^]|\w)"
)
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)(%?)|([()+*/-]))")
_SIGNS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
_MAX_EQUATIONS = 60
_MAX_TOKENS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """checked: equations that could be worked out; wrong: those that do not come out."""

    checked: int
    wrong: int


def check_sums(text: str) -> Sums:
    """The equations of a text. Rounding to the places stated, or to two in a hundred, is no mistake."""
    checked = wrong = 0
    plain = strip_latex(text).replace("×", "*").replace("÷", "/").replace("−", "-").replace("·", "*")
    for left, right in _EQUATION.findall(plain)[:_MAX_EQUATIONS]:
        value = evaluate(left)
        if value is None:
            continue
        stated = float(right.replace(",", ""))
        places = len(right.partition(".")[2])
        checked += 1
        near = abs(value - stated) <= 0.51 * 10.0**-places and math.isclose(value, stated, rel_tol=0.02)
        wrong += not (near or math.isclose(value, stated, rel_tol=1e-3, abs_tol=1e-9))
    return Sums(checked=checked, wrong=wrong)


def evaluate(expression: str) -> float | None:
    """The value of numbers joined by signs; None where it is anything else, or a number alone."""
    cleaned = re.sub(r"[$€£]|,(?=\d{3}(?!\d))", "", expression)
    cleaned = re.sub(r"(?<=[\d)%\s])x(?=[\s\d(])", "*", cleaned)
    tokens: list[float | str] = []
    place = 0
    while place < len(cleaned):
        match = _TOKEN.match(cleaned, place)
        if match is None:
            if cleaned[place:].strip():
                return None
            break
        number, percent, sign = match.groups()
        tokens.append(sign or float(number) / (100 if percent else 1))
        place = match.end()
        if len(tokens) > _MAX_TOKENS:
            return None
    if not any(isinstance(t, str) and t in _SIGNS for t in tokens):
        return None
    try:
        value, rest = _sum(tokens, 0)
    except (IndexError, ZeroDivisionError, OverflowError, ValueError):
        return None
    return value if rest == len(tokens) and math.isfinite(value) else None


def _sum(tokens: list[float | str], place: int) -> tuple[float, int]:
    value, place = _product(tokens, place)
    while place < len(tokens) and tokens[place] in ("+", "-"):
        sign = str(tokens[place])
        other, place = _product(tokens, place + 1)
        value = _SIGNS[sign](value, other)
    return value, place


def _product(tokens: list[float | str], place: int) -> tuple[float, int]:
    value, place = _factor(tokens, place)
    while place < len(tokens) and tokens[place] in ("*", "/"):
        sign = str(tokens[place])
        other, place = _factor(tokens, place + 1)
        value = _SIGNS[sign](value, other)
    return value, place


def _factor(tokens: list[float | str], place: int) -> tuple[float, int]:
    part = tokens[place]
    if part == "-":
        value, place = _factor(tokens, place + 1)
        return -value, place
    if part == "(":
        value, place = _sum(tokens, place + 1)
        if tokens[place] != ")":
            raise ValueError("unbalanced")
        return value, place + 1
    if isinstance(part, str):
        raise ValueError(part)
    return part, place + 1
