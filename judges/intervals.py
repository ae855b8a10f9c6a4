"""Which set of numbers does an inequality describe? `2 \\le x < 5` written as the interval `[2,5)`."""

from __future__ import annotations

import itertools
import re

_SIGNS = (
    (re.compile(r"\\(?:leqslant|leq|le)(?![a-zA-Z])|≤|<=|=<"), "≤"),
    (re.compile(r"\\(?:geqslant|geq|ge)(?![a-zA-Z])|≥|>=|=>"), "≥"),
    (re.compile(r"\\(?:neq|ne)(?![a-zA-Z])|≠|!="), "≠"),
    (re.compile(r"\\lt(?![a-zA-Z])"), "<"),
    (re.compile(r"\\gt(?![a-zA-Z])"), ">"),
)
_HAS = re.compile(r"[<>≤≥≠]")
_OR = re.compile(r"\s*(?:\\text\s*\{\s*or\s*\}|\bor\b|\\cup|\\vee|\\lor)\s*")
_LETTER = re.compile(r"\s*([a-zA-Z]|\\[a-z]{2,8})\s*")
_ALL = re.compile(
    r"\\mathbb\s*\{?\s*R\s*\}?|\\R(?![a-zA-Z])|ℝ|(?:\\text\s*\{)?\s*all real(?: number)?s?(?: numbers)?\s*\}?",
    re.IGNORECASE,
)
_EMPTY = re.compile(
    r"(?:\\text\s*\{)?\s*(?:there (?:is|are) )?(?:\\emptyset|\\varnothing|∅|\{\s*\}"
    r"|(?:the )?empty set|no (?:real )?solutions?|none|does not exist|DNE)\s*(?:exists?)?\s*\}?\.?",
    re.IGNORECASE,
)
_TURNED = {"<": ">", "≤": "≥", ">": "<", "≥": "≤"}


def is_inequality(text: str) -> bool:
    """Whether the text has a sign of inequality."""
    return _HAS.search(_plain(text)) is not None


def as_interval(text: str) -> str:
    """The interval or union that an inequality in one letter describes, `\\emptyset` for no solution; else the text itself."""
    if _EMPTY.fullmatch(text.strip()):
        return "\\emptyset"
    text = _plain(text)
    parts = [part for part in re.split(r"\\(?:setminus|backslash)|\\smallsetminus", text) if part.strip()]
    if _ALL.fullmatch(parts[0].strip()) if parts else False:
        if len(parts) == 1:
            return "(-\\infty,\\infty)"
        left_out = parts[1].strip().strip("{}\\ ").split(",") if len(parts) == 2 else []
        return _without(left_out) if left_out else text
    if not _HAS.search(text):
        return text
    pieces = [_one(piece) for piece in _OR.split(text)]
    if not pieces or None in pieces:
        return text
    return " \\cup ".join(p for p in pieces if p)


def _plain(text: str) -> str:
    for pattern, sign in _SIGNS:
        text = pattern.sub(sign, text)
    return text


def _one(text: str) -> str | None:
    """`x < 3`, `3 > x`, `1 < x \\le 4`, `x \\ne 2`."""
    sides = re.split(r"([<>≤≥≠])", text)
    if any(not side.strip() for side in sides[::2]):
        return None
    if len(sides) == 3:
        left, sign, right = sides
        if _LETTER.fullmatch(right) and not _LETTER.fullmatch(left):
            left, sign, right = right, _TURNED.get(sign, sign), left
        if not _LETTER.fullmatch(left) or _LETTER.fullmatch(right):
            return None
        if sign == "≠":
            return _without([right])
        if sign in "<≤":
            return f"(-\\infty,{right.strip()}{']' if sign == '≤' else ')'}"
        return f"{'[' if sign == '≥' else '('}{right.strip()},\\infty)"
    if len(sides) == 5 and _LETTER.fullmatch(sides[2]):
        low, first, _, second, high = sides
        if first in ">≥" and second in ">≥":
            low, first, second, high = high, _TURNED[second], _TURNED[first], low
        if first in "<≤" and second in "<≤":
            return f"{'[' if first == '≤' else '('}{low.strip()},{high.strip()}{']' if second == '≤' else ')'}"
    return None


def _without(points: list[str]) -> str:
    """The line without these points, which are taken in the order given."""
    ends = ["-\\infty", *[p.strip() for p in points], "\\infty"]
    return " \\cup ".join(f"({a},{b})" for a, b in itertools.pairwise(ends))
