"""Do two mathematical answers mean the same? Values, formulas, intervals, tuples, sets, equations and matrices."""

from __future__ import annotations

import cmath
import itertools
import math
import re
from collections.abc import Sequence

from judges.formula import NotAFormula, letters_of, undressed, value_of, whole_value
from judges.intervals import as_interval
from judges.quantities import grouped
from judges.text import fold

_TEXT = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|textit|rm|mathit)\s*\{([^{}]*)\}")
_UNIT_AFTER = re.compile(
    r"(?<=[\w})!])\s*(?:\\?%|\\(?:text|mathrm|textrm|mbox|rm)\s*\{(?!\s*(?:and|or)\b)[^{}]*\})\s*(?:\^\s*\{?\d\}?)?\s*$"
    r"|(?<=\d)\s+(?:[a-z]{2,20})(?:\s[a-z]{2,20}){0,3}\.?$|(?<=\d)\s+(?=[a-zA-Z/]{3})[a-zA-Z]{1,8}/[a-zA-Z]{1,8}$"
)
_APPROXIMATELY = re.compile(r"\\approx(?![a-zA-Z])|≈")
_ANGLE = re.compile(r"\\langle|\\rangle")
_NAMED = re.compile(r"\s*([a-zA-Z](?:_\{?\w+\}?)?)\s*=\s*(.+)", re.DOTALL)
_DECIMAL = re.compile(r"-?\d+\.(\d{3,})")
_VARIABLE = re.compile(r"^\s*(?:[a-zA-Z](?:_\{?\w+\}?)?(?:\([a-z]\))?|\\angle\s*\w+)\s*(?:=|\\in(?![a-z])|∈)\s*(?=\S)")
_BASE = re.compile(r"^(\w+?)_\{?(\d{1,2})\}?$")
_MATRIX = re.compile(r"\\begin\{[bpvBV]?matrix\}(.*?)\\end\{[bpvBV]?matrix\}", re.DOTALL)
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_PLACES = (0.7310 + 0j, 1.3197 + 0j, 2.6541 + 0j)
_MAX_PARTS = 24
_TOLERANCE = 1e-6


def same_mathematics(one: str, other: str) -> bool | None:
    """True or False where both are understood; None where they aren't, and their texts differ."""
    left, right = _prepared(one), _prepared(other)
    if not left or not right:
        return None
    if _plain(left) == _plain(right):
        return True
    if len(left) > 600 or len(right) > 600:
        return None
    if "\\emptyset" in (left, right):
        rest = right if left == "\\emptyset" else left
        return False if all(_understood(part) for part in _parts(rest) or [rest]) else None
    same = _same(left, right)
    if same is False and ("%" in one) != ("%" in other):
        percent, share = (left, right) if "%" in one else (right, left)
        return _same(f"({percent})/100", share)
    return same


def _prepared(text: str) -> str:
    """The answer without dollars, boxes, units and the name it is given."""
    text = text.strip().replace("\\$", "").strip("$")
    text = re.sub(r"\\[\[\]()]|\$", "", text).strip().rstrip(".,;").strip()
    boxed = re.fullmatch(r"\\(?:boxed|fbox)\s*\{(.*)\}", text, re.DOTALL)
    text = _ANGLE.sub(lambda m: "(" if "lang" in m[0] else ")", boxed[1] if boxed else text)
    exact = _APPROXIMATELY.split(text)
    if len(exact) == 2 and len(exact[0].strip()) > 1:
        text = exact[0]
    if "\\in" in text or "∈" in text:
        text = _VARIABLE.sub("", text, count=1)
    text = as_interval(grouped(text).replace("\\{", "{").replace("\\}", "}"))
    return _UNIT_AFTER.sub("", text.replace("\\%", "%")).rstrip("%").strip()


def _plain(text: str) -> str:
    return re.sub(r"[\s{}]+|\\(?:text|mathrm|mathbf|left|right)(?![a-zA-Z])|\\[,;! ]", "", fold(undressed(text)))


def _same(one: str, other: str) -> bool | None:
    matrices = [_MATRIX.search(t) for t in (one, other)]
    if any(matrices):
        if not all(matrices):
            return None
        return _each([_cells(m[1]) for m in matrices if m], ordered=True)
    if "=" not in one + other or one.count("=") != other.count("="):
        one, other = (_VARIABLE.sub("", t, count=1) if t.count("=") == 1 else t for t in (one, other))
    parted = [_parts(t) for t in (one, other)]
    if parted[0] is not None or parted[1] is not None:
        return _same_parts(one, other, parted)
    if one.count("=") == other.count("=") == 1:
        return _same_equation(one, other)
    verdict = _same_value(one, other)
    if verdict is None and _TEXT.search(one + other):
        return _same_value(_TEXT.sub(r"\1", one), _TEXT.sub(r"\1", other))
    return verdict


def _same_parts(one: str, other: str, parted: Sequence[list[str] | None]) -> bool | None:
    """Intervals and tuples keep their order and brackets; sets, unions and lists of values don't have one."""
    left, right = parted
    if left is None or right is None:
        single, several = (one, right) if left is None else (other, left)
        if several is not None and len(several) == 1:
            return _same(single, several[0])
        return False if _understood(single) and all(_understood(p) for p in several or ()) else None
    if "\\cup" in one or "\\cup" in other:
        return _each([_cut(t, r"\\cup") for t in (one, other)], ordered=False)
    named = [_names(side) for side in (left, right)]
    if all(named) and named[0].keys() == named[1].keys():
        return _each([list(named[0].values()), [named[1][k] for k in named[0]]], ordered=True)
    left, right = ([m[2].strip() if (m := _NAMED.fullmatch(p)) else p for p in side] for side in (left, right))
    brackets = [t[0] + t[-1] if _closes_at_end(t) else "" for t in (undressed(one), undressed(other))]
    ordered = all(b in ("()", "[]", "(]", "[)") for b in brackets)
    if ordered and brackets[0] != brackets[1]:
        return False if _each([left, right], ordered=True) else _each([left, right], ordered=True)
    return _each([left, right], ordered=ordered or bool(named[0]) != bool(named[1]))


def _names(parts: list[str]) -> dict[str, str]:
    """`a = 1, b = 2` by name; empty unless each part has a name of its own."""
    found = [_NAMED.fullmatch(part) for part in parts]
    names = {m[1]: m[2].strip() for m in found if m is not None}
    return names if len(names) == len(parts) else {}


def _parts(text: str) -> list[str] | None:
    """The members of a tuple, an interval, a set, a union, or values listed with commas or *and*; None for one value."""
    text = undressed(text)
    if "\\cup" in text or "\\pm" in text or "±" in text:
        if "\\cup" in text:
            return _cut(text, r"\\cup")
        return [re.sub(r"\\pm|±", sign, text) for sign in ("+", "-")]
    inner = text
    if text[:1] in _BRACKETS and text[-1:] in ")]}" and _closes_at_end(text):
        inner = text[1:-1]
        if text[0] == "{" and "," not in inner:
            return [inner] if inner.strip() else None
    parts = _cut(inner, r",|\s(?:and|or)\s|\\text\s*\{\s*(?:and|or)\s*\}")
    if len(parts) < 2 or len(parts) > _MAX_PARTS:
        return None
    return parts


def _closes_at_end(text: str) -> bool:
    depth = 0
    for i, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0:
            return i == len(text) - 1
    return False


def _cut(text: str, pattern: str) -> list[str]:
    """The text cut at a pattern, outside of brackets only."""
    pieces: list[str] = []
    depth = start = 0
    cuts = {m.start(): m.end() for m in re.finditer(pattern, text)}
    for i, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0 and i in cuts:
            pieces.append(text[start:i].strip())
            start = cuts[i]
    pieces.append(text[start:].strip())
    return [p for p in pieces if p]


def _cells(matrix: str) -> list[str]:
    return [cell.strip() for row in matrix.split("\\\\") for cell in (*row.split("&"), ";") if cell.strip()]


def _each(sides: Sequence[Sequence[str]], *, ordered: bool) -> bool | None:
    """Whether the members agree one by one, in order or as a set."""
    left, right = sides
    if len(left) != len(right):
        return False if all(_understood(p) for p in (*left, *right)) else None
    if ordered:
        found = [True if a == b else _same(a, b) for a, b in zip(left, right, strict=True)]
        return False if False in found else None if None in found else True
    open_places = list(right)
    doubt = False
    for part in left[:_MAX_PARTS]:
        found = [True if part == other else _same(part, other) for other in open_places]
        if True in found:
            open_places.pop(found.index(True))
        elif None in found:
            doubt = True
        else:
            return False
    return None if doubt else True


def _same_equation(one: str, other: str) -> bool | None:
    """Two equations with the same solutions: the difference of their sides agrees up to a factor."""
    try:
        letters = sorted(letters_of(one.replace("=", "-")) | letters_of(other.replace("=", "-")))
        ratios = []
        for shift in range(3):
            here = {x: _PLACES[(i + shift) % 3] * (1 + 0.37 * i) for i, x in enumerate(letters)}
            sides = [[value_of(side, here) for side in text.split("=")] for text in (one, other)]
            (a, b), (c, d) = sides
            ratios.append((a - b) / (c - d))
    except (NotAFormula, ValueError, ArithmeticError):
        return None
    return bool(abs(ratios[0]) > _TOLERANCE and all(_near(ratios[0], r) for r in ratios[1:]))


def _same_value(one: str, other: str) -> bool | None:
    bases = [_BASE.match(t.replace(" ", "").replace("\\_", "_")) for t in (one, other)]
    if any(bases):
        digits = [m[1] if m else t for m, t in zip(bases, (one, other), strict=True)]
        numbers = [m[2] if m else None for m in bases]
        if None in numbers or numbers[0] == numbers[1]:
            return digits[0].lower() == digits[1].lower()
    try:
        letters = sorted(letters_of(one) | letters_of(other))
        if letters_of(one) != letters_of(other) and len(letters) > 6:
            return None
        for shift in range(3 if letters else 1):
            here = {x: _PLACES[(i + shift) % 3] * (1 + 0.37 * i) for i, x in enumerate(letters)}
            values = value_of(one, here), value_of(other, here)
            if not _near(*values):
                return not letters and _rounds(one, other, abs(values[0] - values[1]))
    except NotAFormula:
        exact = [whole_value(t) for t in (one, other)]
        return None if None in exact else exact[0] == exact[1]
    return True


def _rounds(one: str, other: str, apart: float) -> bool:
    """Whether one side is the other rounded to the three places or more that it states."""
    stated = [_DECIMAL.fullmatch(undressed(t)) for t in (one, other)]
    places = [len(m[1]) for m in stated if m is not None]
    return bool(places) and apart <= 0.5001 * 10.0 ** -min(places)


def _understood(text: str) -> bool:
    try:
        value_of(text, dict(zip(letters_of(text), itertools.cycle(_PLACES), strict=False)))
    except NotAFormula:
        return False
    return True


def _near(one: complex, other: complex) -> bool:
    if math.isinf(one.real) or math.isinf(other.real):
        return one.real == other.real
    return cmath.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=1e-9)
