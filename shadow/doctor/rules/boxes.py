"""Which requests do the conditions of a rule describe, the text apart? Boxes: one set of values per property.

Boxes can be met and taken away from each other exactly, so that what several rules leave over is known, with an example.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from router.features import BYTES_PER_TOKEN, TOKENS_PER_IMAGE, TOKENS_PER_MESSAGE
from router.hints import MAX_LENGTH
from router.settings import WhenSettings
from shadow.doctor.rules.values import Names, Span

MOST_BOXES = 3000
_LEVELS = Names.of(("low", "normal", "high"))
_EITHER = Names.of((True, False))
_ANY = Names(values=frozenset(), excluded=True)
_GIVEN = Names(values=frozenset((None,)), excluded=True)
_NUMBERS = Span()


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Requests by their properties; each property may have any value of its set."""

    feature: Names = _ANY
    user: Names = _ANY
    query_type: Names = _GIVEN
    impact: Names = _LEVELS
    error_tolerance: Names = _LEVELS
    words: Span = _NUMBERS
    context_tokens: Span = _NUMBERS
    has_tools: Names = _EITHER
    has_images: Names = _EITHER
    wants_json: Names = _EITHER

    @classmethod
    def of(cls, when: WhenSettings, *, fewest_words: int = 0) -> Box:
        """The box of a rule's conditions on all but the text, which takes `fewest_words`."""
        given: dict[str, Any] = {}
        for name in ("feature", "user"):
            if getattr(when, name):
                # Hints are trimmed and cut when they are read: no request has such a one.
                given[name] = Names.of(n for n in getattr(when, name) if n == n.strip() and 0 < len(n) <= MAX_LENGTH)
        if when.query_type:
            given["query_type"] = Names.of(when.query_type)
        for name in ("impact", "error_tolerance", "has_tools", "has_images", "wants_json"):
            if getattr(when, name) is not None:
                given[name] = Names.of((getattr(when, name),))
        words = Span(low=max(when.min_words or 0, fewest_words), high=when.max_words)
        tokens = Span(low=when.min_context_tokens or 0, high=when.max_context_tokens)
        return cls(words=words, context_tokens=tokens, **given)

    @property
    def is_empty(self) -> bool:
        """Whether no request is like that. A conversation has at least the tokens of its last message."""
        if any(getattr(self, name).is_empty for name in PROPERTIES):
            return True
        most = self.context_tokens.high
        return most is not None and most < self.fewest_tokens

    @property
    def fewest_tokens(self) -> int:
        """Tokens that a conversation has at least with so many words, and images if there must be some."""
        words = self.words.low
        text = -(-(2 * words - 1) // BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE if words else 0
        image = TOKENS_PER_IMAGE + (0 if words else TOKENS_PER_MESSAGE)
        return text + (image if self.has_images == Names.of((True,)) else 0)

    def meet(self, other: Box) -> Box:
        """The requests that are in both."""
        return Box(**{name: getattr(self, name).meet(getattr(other, name)) for name in PROPERTIES})

    def without(self, other: Box) -> Iterator[Box]:
        """The requests that are not in the other, as boxes with nothing in common."""
        rest = self
        for name in PROPERTIES:
            for piece in getattr(rest, name).without(getattr(other, name)):
                box: Box = replace(rest, **{name: piece})
                if not box.is_empty:
                    yield box
            rest = replace(rest, **{name: getattr(rest, name).meet(getattr(other, name))})
            if getattr(rest, name).is_empty:
                return


PROPERTIES = tuple(field.name for field in fields(Box))


def left_over(box: Box, others: Sequence[Box]) -> Box | None:
    """Some requests of a box that are in none of the others; None where there are none.

    Where that takes too many boxes to tell, the box itself: nothing is said to be covered that may not be.
    """
    pieces = [] if box.is_empty else [box]
    for other in others:
        if not pieces:
            return None
        if box.meet(other).is_empty:
            continue
        pieces = [rest for piece in pieces for rest in piece.without(other)]
        if len(pieces) > MOST_BOXES:
            return box
    return pieces[0] if pieces else None
