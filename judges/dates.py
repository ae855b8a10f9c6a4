"""Which dates does this text state, whatever their form, and are two of them the same day?"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache

_MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905
_NUMBER = (
    {name: i for i, name in enumerate(_MONTHS, start=1)}
    | {name[:3]: i for i, name in enumerate(_MONTHS, start=1)}
    | {"sept": 9}
)
_NAME = r"(?P<{0}>" + "|".join(sorted(_NUMBER, key=len, reverse=True)) + r")\b\.?"
_DAY = r"(?P<{0}>[0-3]?\d)(?:st|nd|rd|th)?"
_FORMS = (
    re.compile(r"(?<![\d.-])(?P<y>\d{4})[-/.](?P<m>[01]?\d)[-/.](?P<d>[0-3]?\d)(?![\d])"),
    re.compile(
        rf"(?<![\d.,]){_DAY.format('d')}(?:\s+of)?[\s-]+{_NAME.format('month')}(?:,?[\s-]+(?P<y>\d{{4}})(?!\d))?", re.I
    ),
    re.compile(rf"\b{_NAME.format('month')}\s+{_DAY.format('d')}(?!\d)(?:,?\s+(?P<y>\d{{4}})(?!\d))?", re.I),
    re.compile(rf"\b{_NAME.format('month')},?\s+(?:of\s+)?(?P<y>\d{{4}})(?!\d)", re.I),
    re.compile(r"(?<![\d./-])(?P<a>[0-3]?\d)[/.](?P<b>[0-3]?\d)[/.](?P<y>\d{4})(?!\d)"),
)
#: Signs without which a text states no date: looked for first, since most texts state none.
_DIGIT = re.compile(r"\d")
_JOINED = re.compile(r"\d[-/.]\d")
_STARTS = tuple(name[:3] for name in _MONTHS)
_YEAR = re.compile(r"(?<![\d.,$€£-])(1[0-9]\d\d|20\d\d)(?![\d%]|,\d|\.\d)")
_MAX_DATES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """A date as far as it was stated. swapped: `3/4/2020` may be read with day and month changed over."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    start: int = 0
    end: int = 0
    swapped: bool = False


def dates(text: str, *, years: bool = False) -> list[Date]:
    """The dates of a text in order. years: years that stand alone, too."""
    found = _dates(text)
    return list(found) if years else [d for d in found if d.month is not None]


@lru_cache(maxsize=1024)
def _dates(text: str) -> tuple[Date, ...]:
    found: list[Date] = []
    taken: list[tuple[int, int]] = []
    if _DIGIT.search(text) is None:
        return ()
    lowered = text.lower()
    forms = (_FORMS[0], _FORMS[4]) if _JOINED.search(text) else ()
    for form in (*_FORMS[1:4], *forms) if any(start in lowered for start in _STARTS) else forms:
        for match in form.finditer(text):
            date = _date(match)
            if date is not None and not any(a < date.end and date.start < b for a, b in taken):
                found.append(date)
                taken.append((date.start, date.end))
            if len(found) >= _MAX_DATES:
                return tuple(sorted(found, key=lambda d: d.start))
    found += [
        Date(year=int(match[1]), start=match.start(), end=match.end())
        for match in itertools.islice(_YEAR.finditer(text), _MAX_DATES)
        if not any(a < match.end() and match.start() < b for a, b in taken)
    ]
    return tuple(sorted(found, key=lambda d: d.start))


def _date(match: re.Match[str]) -> Date | None:
    parts = match.groupdict()
    swapped = False
    if parts.get("a"):
        month, day = int(parts["a"]), int(parts["b"])
        if month > 12:
            month, day = day, month
        else:
            swapped = day <= 12 and day != month
    else:
        month = _NUMBER[parts["month"].lower()] if parts.get("month") else int(parts["m"])
        day = int(parts["d"]) if parts.get("d") else 0
    if not 1 <= month <= 12 or day > 31:
        return None
    year = int(parts["y"]) if parts.get("y") else None
    if year is None and not day:
        return None
    return Date(year=year, month=month, day=day or None, start=match.start(), end=match.end(), swapped=swapped)


def same_date(one: Date, other: Date) -> bool:
    """Whether nothing that both state differs, and both state something in common."""
    if one.swapped or other.swapped:
        turned = [(d.year, d.day, d.month) if d.swapped else None for d in (one, other)]
        for here, there in ((turned[0], other), (turned[1], one)):
            if here is not None and _agree(here, (there.year, there.month, there.day)):
                return True
    return _agree((one.year, one.month, one.day), (other.year, other.month, other.day))


def _agree(one: tuple[int | None, ...], other: tuple[int | None, ...]) -> bool:
    shared = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    return bool(shared) and all(a == b for a, b in shared)
