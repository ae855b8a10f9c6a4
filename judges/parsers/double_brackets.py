"""Which grade or choice stands in double brackets: `Rating: [[8]]`, `[[9.5]]`, `[[A]]`, `[[A>>B]]`?

The format of MT-Bench, arena-bench and arena-hard judges. Source: Zheng et al., Judging LLM-as-a-Judge, 2023.
"""

from __future__ import annotations

import re

from judges.parsers.reading import Order, Reading, Value, in_terms_of_the_record, settle
from judges.parsers.sides import NOUN

_GRADE = re.compile(r"\[\[\s*(\d{1,3}(?:\.\d+)?)(?:\s*/\s*10)?\s*\]\]")
_PUBLISHED_GRADE = re.compile(r"\[\[(\d+\.?\d*)\]\]")
#: Not where it is an index into something, as in `frame[[A]]`.
_CHOICE = re.compile(
    rf"(?<![\w\])])\[\[\s*(?:{NOUN}\s*)?\(?(A|B|C|(?i:tie)|[ab](?=\))|A\s*(?:>>|>|=|<|<<)\s*B|B\s*(?:>>|>|=|<|<<)\s*A)\)?\s*\]\]"
)
_MEANING: dict[str, Value] = {
    **dict.fromkeys(("A", "A>>B", "A>B", "B<A", "B<<A"), "A"),
    **dict.fromkeys(("B", "B>>A", "B>A", "A<B", "A<<B"), "B"),
    **dict.fromkeys(("C", "TIE", "A=B", "B=A"), "tie"),
}
#: What a grade follows. A matrix in a piece of code, `[[3]]`, follows none of it.
_CUE = re.compile(
    r"\b(?:rat(?:e|ed|es|ing)|grad(?:e|ed|ing)|scor(?:e|ed|ing)|answer|response|mark)\b[^\n]{0,60}$", re.IGNORECASE
)
_GRADED = re.compile(r"\b(?:rat(?:e|ed|ing)|grad(?:e|ed|ing)|scor(?:e|ed|ing)|mark)\b", re.IGNORECASE)
_END = re.compile(r"[\s.\"'*)]*(?:out of 10)?[\s.\"'*)]*")
_MOST = 10.0


def parse(raw: str | None, order: Order | None) -> Value | None:
    """A grade in [0, 10], a choice in terms of a and b of the record, None where it can't be told."""
    return read(raw, order).value


def read(raw: str | None, order: Order | None) -> Reading:
    """The grade or choice with what the published rule, the first match, makes of it."""
    text = (raw or "").strip()
    if not text:
        return Reading(value=None, why="there is no text")
    choices = ["".join(said.split()).upper() for said in _CHOICE.findall(text)]
    return _choice(choices, order) if choices else _grade(text, order)


def stands_in(raw: str | None) -> bool:
    """Whether a grade or a choice stands in double brackets anywhere in the text."""
    return raw is not None and any(pattern.search(raw) for pattern in (_CHOICE, _GRADE, _PUBLISHED_GRADE))


def _choice(choices: list[str], order: Order | None) -> Reading:
    meant = {_MEANING[choice] for choice in choices}
    if order is None and meant != {"tie"}:
        return Reading(value=None, why="the order in which the judge saw the two is not recorded")
    said = meant.pop() if len(meant) == 1 else None
    published = in_terms_of_the_record(_MEANING[choices[0]], order)
    return settle(in_terms_of_the_record(said, order), published, why="it makes several different choices")


def _grade(text: str, order: Order | None) -> Reading:
    first = _PUBLISHED_GRADE.search(text)
    published = float(first[1]) if first else None
    given = {
        float(match[1])
        for match in _GRADE.finditer(text)
        if _CUE.search(text[max(0, match.start() - 120) : match.start()]) or _END.fullmatch(text[match.end() :])
    }
    if len(given) != 1:
        return settle(None, published, why="it gives several different grades" if given else "it gives no grade")
    grade = given.pop()
    if order is not None and grade in (1.0, 2.0) and not _GRADED.search(text):
        return Reading(value=None, why=f"nobody can say whether {grade:g} is a grade or one of the two")
    if grade > _MOST:
        return Reading(value=None, published=published, why=f"the grade {grade:g} is not on the scale of 0 to 10")
    return settle(grade, published, why="")
