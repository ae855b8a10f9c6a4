"""What does a message say, in the forms that are quick to search?

Each form is made when it is first asked for, and once: most requests meet no rule that reads the text.
"""

from __future__ import annotations

import re
from functools import cached_property

#: What is read of a long message: this many characters at its start and as many at its end, where the question stands.
READ_CHARACTERS = 100_000
_WORD = re.compile(r"[^\W_]+")
_DIGIT = re.compile(r"\d")


class Said:
    """One message, in several forms. whole: as written."""

    def __init__(self, whole: str) -> None:
        self.whole = whole

    @cached_property
    def text(self) -> str:
        """The message; of a very long one the start and the end."""
        whole = self.whole
        if len(whole) <= 2 * READ_CHARACTERS:
            return whole
        return f"{whole[:READ_CHARACTERS]}\n{whole[-READ_CHARACTERS:]}"

    @cached_property
    def whole_folded(self) -> str:
        """All of the message, without letter case."""
        return self.whole.casefold()

    @cached_property
    def line(self) -> str:
        """The words of `text` in order, folded, one blank between them and one at either end. Phrases are looked up in it."""
        return f" {' '.join(_WORD.findall(self.text.casefold()))} "

    @cached_property
    def words(self) -> frozenset[str]:
        """The different words of `text`, folded: runs of letters and digits."""
        return frozenset(self.line.split())

    @cached_property
    def has_digits(self) -> bool:
        return _DIGIT.search(self.text) is not None


def phrase(text: str) -> str:
    """How a word or a phrase looks in `Said.line`; "" where it holds no letter and no digit."""
    parts = _WORD.findall(text.casefold())
    return f" {' '.join(parts)} " if parts else ""
