"""Which grade or choice stands in double brackets: `Rating: [[8]]`, `[[9.5]]`, `[[A]]`, `[[A>>B]]`?

The format of MT-Bench, arena-bench and arena-hard judges. Source: Zheng et al., Judging LLM-as-a-Judge, 2023.
"""

from __future__ import annotations

import re

from judges.parsers.reading import Order, Reading, Value, in_terms_of_the_record, settle

_GRADE = re.compile(r"\[\[(\d{1,3}(?:\.\d+)?)\]\]")
_PUBLISHED_GRADE = re.compile(r"\[\[(\d+\.?\d*)\]\]")
_CHOICE = re.compile(r"\[\[(A|B|C|tie|A>>B|A>B|A=B|B>A|B>>A)\]\]")
_MEANING: dict[str, Value] = {
    **dict.fromkeys(("A", "A>>B", "A>B"), "A"),
    **dict.fromkeys(("B", "B>>A", "B>A"), "B"),
    **dict.fromkeys(("C", "tie", "A=B"), "tie"),
}
#: What a grade follows. A matrix in a piece of code, `[[3]]`, follows none of it.
_CUE = re.compile(
    r"\b(?:rat(?:e|ed|es|ing)|grad(?:e|ed|ing)|scor(?:e|ed|ing)|answer|response|mark)\b[^\n]{0,60}$", re.IGNORECASE
)
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
    choices = _CHOICE.findall(text)
    return _choice(choices, order) if choices else _grade(text)


def _choice(choices: list[str], order: Order | None) -> Reading:
    meant = {_MEANING[choice] for choice in choices}
    if order is None and meant != {"tie"}:
        return Reading(value=None, why="the order in which the judge saw the two is not recorded")
    said = meant.pop() if len(meant) == 1 else None
    published = in_terms_of_the_record(_MEANING[choices[0]], order)
    return settle(in_terms_of_the_record(said, order), published, why="it makes several different choices")


def _grade(text: str) -> Reading:
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
    if grade > _MOST:
        return Reading(value=None, published=published, why=f"the grade {grade:g} is not on the scale of 0 to 10")
    return settle(grade, published, why="")
