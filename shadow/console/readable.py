"""How is text that anybody may have written put on a page? Whole, but folded where it is long, and with nothing hidden in it.

Characters that turn the reading direction, take no width or control a terminal are written out, so that a reviewer sees what a
judge was given. Markup is not interpreted: the pages escape every piece.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

#: Characters shown at once, and marks written out before the rest becomes a plain replacement character.
FOLD, MARKS = 4_000, 200
_HIDDEN = re.compile(
    "([\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f])\\1*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A piece of a text. hidden: "" for plain text, else what the characters are that can't be seen."""

    text: str
    hidden: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """A text in pieces: those shown at once and those folded away, of `folded` characters."""

    head: list[Stretch]
    rest: list[Stretch]
    folded: int


def readable(text: str, *, fold: int = FOLD) -> Readable:
    """The text for a page, every line end as LF. A little more than `fold` is not worth folding."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    cut = len(text) if len(text) <= fold * 5 // 4 else fold
    return Readable(head=_stretches(text[:cut]), rest=_stretches(text[cut:]), folded=len(text) - cut)


def _stretches(text: str) -> list[Stretch]:
    found: list[Stretch] = []
    last = 0
    for number, match in enumerate(_HIDDEN.finditer(text)):
        if number == MARKS:
            break
        if match.start() > last:
            found.append(Stretch(text=text[last : match.start()]))
        found.append(Stretch(text=_named(match.group(1), len(match.group())), hidden=_described(match.group(1))))
        last = match.end()
    if last < len(text):
        found.append(Stretch(text=_HIDDEN.sub("\N{REPLACEMENT CHARACTER}", text[last:])))
    return found


def _named(character: str, times: int) -> str:
    return f"U+{ord(character):04X}" + (f"\u00d7{times}" if times > 1 else "")


def _described(character: str) -> str:
    return unicodedata.name(character, "control character").lower()
