"""Do two answers list the same things?"""

from __future__ import annotations

import re

from judges.dates import dates, same_date
from judges.entities import same_name
from judges.literals import literal_of
from judges.quantities import same_quantity, to_quantity
from judges.text import normalise, words

_BULLET = re.compile(r"^[ \t]*(?:[-*•]|\(?\d{1,2}[.)]|[a-z]\))[ \t]+(.+?)[ \t]*$", re.MULTILINE)
_TAIL = re.compile(r"\s*(?:[:(—]|\s-\s).*$")
_SEPARATOR = re.compile(r"\s*(?:,\s*(?:and|or)\s|,|;|\sand\s|\n)\s*")
_ASKED = re.compile(
    r"\b(?:list|name|give|enumerate|mention|identify)\b[^.?!\n]{0,60}"
    r"\b(?:all|every|each|two|three|four|five|six|seven|eight|nine|ten|\d{1,2})\b"
    r"|\blist (?:the|of|them)\b|\b(?:which|what) (?:two|three|four|five|six|\d{1,2})\b"
    r"|\bwhat are the (?:two|three|four|five|six|\d{1,2}|names)\b",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"\b(?:in (?:the )?(?:right |correct |chronological |alphabetical |ascending |descending )?order"
    r"|rank|ranked|sort|sorted|order (?:the|these|them)"
    r"|sequence|chronological|steps?)\b",
    re.IGNORECASE,
)
_MAX_ITEMS = 40
_MAX_ITEM_WORDS = 8


def asks_for_list(prompt: str) -> bool:
    """Whether several things are asked for."""
    return _ASKED.search(prompt) is not None


def order_matters(prompt: str) -> bool:
    """Whether they are asked for in an order."""
    return _ORDERED.search(prompt) is not None


def items_of(text: str) -> list[str]:
    """The things listed: a literal list, bullet points, or short pieces between commas; empty where it is no list."""
    value = literal_of(text) if text.lstrip()[:1] in "[({" else None
    if isinstance(value, list | tuple | set | frozenset):
        return [str(v) for v in value][:_MAX_ITEMS]
    found = [_TAIL.sub("", item).strip(" *_`") for item in _BULLET.findall(text)]
    if len(found) < 2:
        line = text.strip().rpartition(":")[2].strip().rstrip(".")
        found = [piece.strip(" *_`") for piece in _SEPARATOR.split(line)]
    found = [item for item in found if item]
    if not 2 <= len(found) <= _MAX_ITEMS or any(len(words(item)) > _MAX_ITEM_WORDS for item in found):
        return []
    return found


def same_items(one: list[str], other: list[str], *, ordered: bool) -> tuple[bool | None, int]:
    """Whether both list the same, and how many items of the shorter list were found in the longer one."""
    if ordered:
        found = [same_item(a, b) for a, b in zip(one, other, strict=False)]
    else:
        short, rest = sorted((list(one), list(other)), key=len)
        found = []
        for item in short:
            said = [same_item(item, candidate) for candidate in rest]
            best = said.index(True) if True in said else None
            found.append(True if best is not None else None if None in said else False)
            if best is not None:
                rest.pop(best)
    shared = found.count(True)
    if False in found or len(one) != len(other):
        return (False if None not in found else None), shared
    return (None if None in found else True), shared


def same_item(one: str, other: str) -> bool | None:
    """Whether two short texts are the same number, date or name; None where that can't be told."""
    if normalise(one) == normalise(other) != "":
        return True
    left, right = to_quantity(one), to_quantity(other)
    if left is not None and right is not None:
        return same_quantity(left, right)
    days = dates(one), dates(other)
    if len(days[0]) == len(days[1]) == 1:
        return same_date(days[0][0], days[1][0])
    return same_name(one, other)
