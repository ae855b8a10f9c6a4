"""Do two names mean the same person, place or thing? Articles, titles, initials, acronyms and order set aside."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

from judges.text import clean, fold, words

_LEFT_OUT = """
    a an the of and for in on at de la le el mr mrs ms miss dr prof professor sir dame lord lady saint st president king queen
    prince princess captain general colonel senator pope inc ltd llc corp corporation company co plc jr sr is was by it
"""
_DROPPED = frozenset(_LEFT_OUT.split())
_LEAD = re.compile(
    r"^\s*(?:it(?:'s| is| was)|that(?:'s| is| was)|this is|they (?:are|were)|he (?:is|was)|she (?:is|was)|answer:)\s+",
    re.I,
)
_ROMAN = re.compile(r"[ivx]{1,5}")
_MAX_NAME_WORDS = 8
_NEAR = 88


def name_words(text: str) -> list[str]:
    """The words of a name that tell it from others."""
    said = words(_LEAD.sub("", text.replace("&", " and ")))
    return [w for w in said if w not in _DROPPED] or said


def same_name(one: str, other: str) -> bool | None:
    """True for the same name or a part of it that stands for all; False where nothing is shared; None in between."""
    left, right = name_words(one), name_words(other)
    if not left or not right or max(len(left), len(right)) > _MAX_NAME_WORDS:
        return None
    if sorted(left) == sorted(right) or "".join(left) == "".join(right):
        return True
    if _acronym(one, right) or _acronym(other, left):
        return True
    short, long = sorted((left, right), key=len)
    if _digits(left) and _digits(right) and _digits(left) != _digits(right):
        return False
    matched = [max((_alike(w, v) for v in long), default=0.0) for w in short]
    if min(matched) >= 0.9:
        return True if len(short) > 1 or len(long) == 1 or short[0] in (long[0], long[-1]) else None
    return False if max(matched) < 0.5 else None


def _digits(said: list[str]) -> set[str]:
    """Numbers of a name, Roman ones too unless they come first: `Henry VIII` is not `Henry VII`."""
    return {w for i, w in enumerate(said) if w.isdigit() or (i and _ROMAN.fullmatch(w))}


def _alike(one: str, other: str) -> float:
    """1 for the same word or an initial of it, the share of equal letters where the spelling is near, 0 otherwise."""
    if one == other:
        return 1.0
    if min(len(one), len(other)) == 1:
        return 1.0 if one[0] == other[0] and not one.isdigit() else 0.0
    if one.isdigit() or other.isdigit() or min(len(one), len(other)) < 4:
        return 0.0
    ratio = fuzz.ratio(one, other)
    return ratio / 100 if ratio >= _NEAR else (0.5 if ratio >= 75 else 0.0)


def _acronym(text: str, spelled: list[str]) -> bool:
    """`USA` or `U.S.A.` for the initials of the other side's words."""
    letters = re.sub(r"[^A-Za-z]", "", clean(text))
    return bool(
        2 <= len(letters) == len(spelled) and letters.isupper() and fold(letters) == "".join(w[0] for w in spelled)
    )
