"""What is a recorded verdict, in whose terms, and when is it not believed?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: A or B: that answer is better. A number: the grade of the one answer that was judged.
Value = Literal["A", "B", "tie"] | float
#: ab: the judge saw answer a first; ba: it saw b first. None: not recorded, or one answer was graded.
Order = Literal["ab", "ba"]

_OTHER: dict[Value, Value] = {"A": "B", "B": "A"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One recorded text, read. value: in terms of a and b of the record; None is an abstention, and `why` says why.

    published: what the rule that the format's authors published makes of the same text. Where that contradicts the judge's
    own words, the value is None: nobody can say which of the two was meant to count.
    """

    value: Value | None
    published: Value | None = None
    why: str = ""

    @property
    def disputed(self) -> bool:
        """Whether the published rule reads something that the judge's own words contradict."""
        return self.value is None and self.published is not None


def settle(said: Value | None, published: Value | None, *, why: str) -> Reading:
    """The reading from the judge's words and from the published rule. why: what to say where the words decide nothing."""
    if said is None:
        return Reading(value=None, published=published, why=why)
    if published is not None and published != said:
        return Reading(value=None, published=published, why=f"it says {said}, the published rule reads {published}")
    return Reading(value=said, published=published)


def in_terms_of_the_record(first_or_second: Value | None, order: Order | None) -> Value | None:
    """A and B as the judge saw them -> a and b of the record. None where the order is not known: a side would be a guess.

    A tie and a grade have no order.
    """
    if first_or_second not in _OTHER:
        return first_or_second
    if order is None:
        return None
    return _OTHER[first_or_second] if order == "ba" else first_or_second
