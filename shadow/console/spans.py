"""Where in a completion do the judges point? The text cut into pieces, marked and unmarked, whatever overlaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of text with the kinds of markers on it; none for plain text."""

    text: str
    kinds: tuple[str, ...]


def pieces(text: str, markers: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """The whole text in order. A marker whose span does not hold its text any more (redacted since) marks nothing."""
    held = [marker for marker in markers if _is_held(text, marker)]
    cuts = sorted({0, len(text), *(marker["start"] for marker in held), *(marker["end"] for marker in held)})
    found: list[Piece] = []
    for start, end in pairwise(cuts):
        kinds = tuple(sorted({m["kind"] for m in held if m["start"] <= start and end <= m["end"]}))
        if found and found[-1].kinds == kinds:
            found[-1] = Piece(text=found[-1].text + text[start:end], kinds=kinds)
        else:
            found.append(Piece(text=text[start:end], kinds=kinds))
    return found


def _is_held(text: str, marker: Mapping[str, Any]) -> bool:
    start, end = int(marker["start"]), int(marker["end"])
    return 0 <= start < end <= len(text) and text[start:end] == str(marker["text"])
