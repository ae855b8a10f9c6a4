"""Which hard facts does this text state: numbers, dates, names? And which of them does another text state, too?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from judges.dates import Date, dates, same_date
from judges.quantities import number_values, quantities, same_value, spelled_numbers
from judges.text import STOP_WORDS, fold, stem, words

FactKind = Literal["number", "date", "name"]

_CAPITAL = "[A-Z\u00c0-\u00d6\u00d8-\u00de\u0391-\u03a9\u0410-\u042f]"  # Latin, Greek, Cyrillic
_ABBREVIATED = (
    r"(?:(?<=\b[A-Z])\.|(?<=\b(?:Dr|Mr|St|Jr|Sr|Ms|Lt))\.|(?<=\bMrs)\.)?"  # a full stop that ends no sentence
)
_NAME = re.compile(
    rf"(?<![\w@/.]){_CAPITAL}[\w'’&-]*(?:{_ABBREVIATED}[ \t]+(?:(?:of|the|of the|de|van|von|la|du|der|&)[ \t]+)?"
    rf"{_CAPITAL}[\w'’&-]*(?:\.{_CAPITAL}\b)*){{0,5}}"
)
_SENTENCE_START = re.compile(r"(?:[.!?:\n\]][\s\"'(*\-•\d.)#>]*|^[\s\"'(*\-•\d.)#>]*)$")
_DIGIT = re.compile(r"\d")
_SCALED = re.compile(r"\d\s?(?:k|m|bn|b|thousand|million|billion|trillion)\b|\d/\d|\d[eE]", re.IGNORECASE)
_SPELLED = (
    "two",
    "three",
    "four",
    "five",
    "fift",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twe",
    "thirt",
    "hundred",
    "thousand",
    "million",
)
_COMMON_WORDS = """
    i im ive id the a an it he she they we you this that these those there here in on at for from to by with and but or so if when
    while after before since however also yes no not sure please note overall additionally furthermore therefore thus hello hi
    dear ill thank thanks good great certainly ok okay well oh wow dr mr mrs ms human assistant user answer question
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
    october november december english
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_MAX_FACTS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """start, end: its place in the text. value: of a number; date: of a date; stems: of a name."""

    kind: FactKind
    start: int
    end: int
    text: str
    value: float = 0.0
    date: Date | None = None
    stems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a text offers to be looked up: numbers, dates and the stems of all its words."""

    numbers: frozenset[float]
    dates: tuple[Date, ...]
    stems: frozenset[str]
    text: str = ""

    def has(self, fact: Fact) -> bool:
        """Whether the text states the fact.

        A name counts by its last word, unless the text puts another name before that last word.
        """
        if fact.kind == "number":
            return fact.value in self.numbers or any(same_value(fact.value, n) for n in self.numbers)
        if fact.kind == "date":
            return any(fact.date is not None and same_date(fact.date, d) for d in self.dates)
        if fact.stems[-1] not in self.stems:
            return False
        return len(fact.stems) == 1 or not self._others(fact.stems)

    def _others(self, stems: tuple[str, ...]) -> bool:
        """Whether the text knows people of this last name, and only others: Emma for Emily McLaughlin."""
        alike = [name for name in _names(self.text) if name[-1] == stems[-1] and len(name) > 1]
        return bool(alike) and not any(_same_person(name, stems) for name in alike)


@lru_cache(maxsize=1024)
def known(text: str) -> Known:
    """What this text states. Cost: about 0.1 ms for 60 words; the last thousand texts are kept."""
    digits = _DIGIT.search(text) is not None
    values = {abs(v) for v in number_values(text)} if digits else set()
    if digits and _SCALED.search(text):
        values |= {abs(q.value) for q in quantities(text)}
    lowered = text.lower()
    if any(word in lowered for word in _SPELLED):
        values |= set(spelled_numbers(text))
    said = frozenset(stem(w) for w in words(text))
    stated = tuple(dates(text, years=True)) if digits else ()
    return Known(numbers=frozenset(values), dates=stated, stems=said, text=text)


def _names(text: str) -> list[tuple[str, ...]]:
    return [f.stems for f in facts_of(text) if f.kind == "name"]


def _same_person(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one name's words are all in the other, or the first names are one the other's beginning: `J.` and `Joanne`."""
    if set(one) <= set(other) or set(other) <= set(one):
        return True
    return one[0].startswith(other[0]) or other[0].startswith(one[0]) or one[0] in other or other[0] in one


@lru_cache(maxsize=1024)
def facts_of(text: str) -> tuple[Fact, ...]:
    """Facts in order of place. Numbers under ten without a unit count or list things, and are left out."""
    found: list[Fact] = []
    taken: list[tuple[int, int]] = []
    for date in dates(text):
        found.append(Fact(kind="date", start=date.start, end=date.end, text=text[date.start : date.end], date=date))
        taken.append((date.start, date.end))
    for quantity in quantities(text)[:_MAX_FACTS] if _DIGIT.search(text) else ():
        small = abs(quantity.value) < 10 and not quantity.value % 1 and not quantity.unit
        if small or any(a < quantity.end and quantity.start < b for a, b in taken):
            continue
        span = text[quantity.start : quantity.end]
        found.append(Fact(kind="number", start=quantity.start, end=quantity.end, text=span, value=abs(quantity.value)))
    for match in _NAME.finditer(text):
        name = _name(match, text)
        if name is not None and not any(a < name.end and name.start < b for a, b in taken):
            found.append(name)
        if len(found) >= _MAX_FACTS:
            break
    return tuple(sorted(found, key=lambda f: f.start))


def _name(match: re.Match[str], text: str) -> Fact | None:
    """A run of capitalised words. At a sentence's start the first word may be any word: then it takes a second one."""
    said = words(match.group())
    parts = [w for w in said if len(w) > 1 and w not in _COMMON and w not in STOP_WORDS]
    before = text[max(0, match.start() - 12) : match.start()]
    first = bool(_SENTENCE_START.search(("\n" if match.start() <= 12 else "") + before))
    if first and len(said) < 2 and not (match.group().isupper() and len(match.group()) >= 2):
        return None
    if not parts or all(p.isdigit() for p in parts):
        return None
    stems = tuple(stem(fold(p)) for p in parts)
    text = match.group().rstrip(".&'’- \t")
    return Fact(kind="name", start=match.start(), end=match.start() + len(text), text=text, stems=stems)
