"""Does this text say that? Exact readers of numbers, names and dates that also hold on the text of a real model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache

_NUMBER = re.compile(r"(?<![\w.])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_ANSWER = re.compile(r"\banswer\b[^\w-]{0,8}(?:is\b[^\w-]{0,6})?(-?\d[\d,]*(?:\.\d+)?)", re.IGNORECASE)
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def as_number(token: str) -> float:
    """The value of a numeral with or without thousands separators."""
    return float(token.replace(",", "").rstrip("."))


def numbers(text: str) -> list[float]:
    """All numerals of the text, in order."""
    return [as_number(token) for token in _NUMBER.findall(text)]


def final_number(text: str) -> float | None:
    """The number after the last "answer", else the last number of the text."""
    marked = _ANSWER.findall(text.replace("*", ""))
    if marked:
        return as_number(marked[-1])
    found = numbers(text)
    return found[-1] if found else None


@lru_cache(maxsize=16384)
def phrase_pattern(phrase: str, cased: bool = False) -> re.Pattern[str]:
    """A phrase as whole words, whatever white space, apostrophe, hyphen or underscore is between them."""
    body = (
        re.escape(phrase).replace(r"\ ", r"\s+").replace("'", "['’]").replace(r"\-", "[-‐‑– ]").replace("_", r"\\?[_ ]")
    )
    return re.compile(rf"(?<![\w]){body}(?![\w])", 0 if cased else re.IGNORECASE)


def says(text: str, phrase: str, *, cased: bool = False) -> bool:
    """The phrase occurs as whole words."""
    return phrase_pattern(phrase, cased).search(text) is not None


def says_any(text: str, phrases: Iterable[str], *, cased: bool = False) -> bool:
    """One of the phrases occurs as whole words."""
    return any(says(text, phrase, cased=cased) for phrase in phrases)


def only_numbers_of(text: str, source: str, extra: Collection[float] = ()) -> bool:
    """Every numeral of the text is one of the source (or of `extra`): nothing was made up. Numbered lists count as none."""
    allowed = {*numbers(source), *extra}
    unlisted = re.sub(r"(?m)^\s*\d{1,2}[.)]\s", "", text)
    return all(number in allowed for number in numbers(unlisted))


_MONTH = "|".join(f"{month[:3]}(?:{month[3:]}|t)?" for month in MONTHS)
_DATE = re.compile(
    rf"(?<!\d)(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+(?P<m1>{_MONTH})\b"
    rf"|\b(?P<m2>{_MONTH})\.?\s+(?:the\s+)?(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)"
    r"|\b\d{4}-(?P<m3>\d{2})-(?P<d3>\d{2})(?!\d)",
    re.IGNORECASE,
)
_MONTH_NUMBERS = {month[:3].casefold(): number for number, month in enumerate(MONTHS, start=1)}


def dates(text: str) -> set[tuple[int, int]]:
    """All (day, month) named in the text: 14 May, May 14, 14th of May, 14 Sept. 2026, 2026-05-14."""
    found = set()
    for match in _DATE.finditer(text):
        if match["m3"]:
            found.add((int(match["d3"]), int(match["m3"])))
        else:
            day, month = match["d1"] or match["d2"], match["m1"] or match["m2"]
            found.add((int(day), _MONTH_NUMBERS[month[:3].casefold()]))
    return found


def fold(text: str) -> str:
    """The text without accents: García and Garcia are one name."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
