"""What must a text say for the conditions of a rule on it to hold, and what does it say with that anyway?

A condition on the text holds more often the more the text says. So whatever meets a rule says at least one of a finite
number of things, and an earlier rule that holds for each of these is always in the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Literal

from router.mentions import legal, money, personal_data
from router.mentions.said import Said, phrase
from router.settings import WhenSettings

LEXICONS = {"legal": legal.LEXICON, "money": money.LEXICON, "personal_data": personal_data.LEXICON}
MOST_TEXTS = 500


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Atom:
    """One thing that a text may say: a part (folded), a phrase (as in `Said.line`), or a subject."""

    kind: Literal["part", "phrase", "subject"]
    value: str

    def fewest_words(self) -> int:
        """The words that a text has at least which says this."""
        return len(self.value.split()) if self.kind == "part" else 1

    def implies(self, other: Atom) -> bool:
        """Whether a text that says this says the other one, too. False where that is not sure."""
        if self == other:
            return True
        if self.kind == "part":
            return other.kind == "part" and other.value in self.value
        if self.kind == "phrase" and other.kind == "part":
            return any(other.value in word for word in self.value.split())
        if self.kind == "phrase" and other.kind == "phrase":
            return other.value in self.value
        # Lexicons find no less in a longer text.
        return self.kind == "phrase" and LEXICONS[other.value].found_in(Said(self.value))


Text = tuple[Atom, ...]


def conditions_on_text(when: WhenSettings) -> tuple[Text, ...]:
    """Each condition on the text, as the atoms of which one must be said."""
    parts = tuple(Atom(kind="part", value=part.casefold()) for part in when.contains_any)
    phrases = tuple(Atom(kind="phrase", value=phrase(words)) for words in when.words_any)
    subjects = tuple(Atom(kind="subject", value=subject) for subject in when.mentions)
    return tuple(condition for condition in (parts, phrases, subjects) if condition)


def fewest_texts(*whens: WhenSettings) -> tuple[Text, ...] | None:
    """The texts that say just enough for all of these; every text that meets them says what one of these says.

    None where there are more than MOST_TEXTS.
    """
    wanted = [condition for when in whens for condition in conditions_on_text(when)]
    found = tuple(islice(_choices(wanted), MOST_TEXTS + 1))
    return None if len(found) > MOST_TEXTS else found


def _choices(wanted: Sequence[Text]) -> Iterator[Text]:
    for choice in product(*wanted):
        yield tuple(sorted(set(choice)))


def surely_meets(text: Text, when: WhenSettings) -> bool:
    """Whether a text that says this meets the conditions on the text, whatever else it says."""
    return all(
        any(said.implies(wanted) for said in text for wanted in condition) for condition in conditions_on_text(when)
    )


def fewest_words(text: Text) -> int:
    return max((atom.fewest_words() for atom in text), default=0)
