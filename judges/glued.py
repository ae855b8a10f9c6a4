"""Where did two statements run together, so that their words can't be told apart? `genre FantasyFantasy has examples`."""

from __future__ import annotations

import re

_DOUBLED = re.compile(r"\b(\w{3,40}?)\1\b")
_JOINED = re.compile(r"\b([A-Z]?[a-z]{2,40}|\d{2,6})([A-Z][a-z'’]{1,40})\b")
_WORD = re.compile(r"[A-Za-z'’]+|\d+")
_MIXED = re.compile(r"[a-z\d][A-Z]|(\w{3})\w{0,37}\1")


def parted(text: str, beside: str = "") -> str:
    """The text with a full stop where a word was written twice in a row, or where both halves of a word stand alone elsewhere.

    beside: other text in which the halves may stand. `McDonald` and `YouTube` stay, unless `Tube` is a word here.
    """
    if _MIXED.search(text) is None:
        return text
    text = _DOUBLED.sub(r"\1. \1", text)
    if _JOINED.search(text) is None:
        return text
    alone = frozenset(_WORD.findall(f"{text} {beside}"))
    return _JOINED.sub(lambda m: f"{m[1]}. {m[2]}" if m[2] in alone or m[1] in alone else m[0], text)
