"""What does a judge say that keeps to no published format: an object, a line with a label, a sentence, or one word?

Every statement in the text is looked for. Where all of them say the same, that is the verdict; where one that calls itself
final comes last, it counts against earlier ones; otherwise a contradiction is no verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from judges.parsers.reading import Order, Reading, Value, in_terms_of_the_record
from judges.parsers.sides import NAMED, NOUN, bare_grade, bare_side, leading_grade, leading_side, side_of

MAX_CHARS = 100_000
_SHORT = 60  # characters of a line that may be a heading
_FINAL = r"(?P<final>(?:my\s+)?(?:final|revised|corrected|updated|ultimate|overall final)\s+)?"
_MARKUP = r"[\s*_\"'`#]{0,6}"
_COLON = rf"{_MARKUP}(?::|=|->|\bis\b{_MARKUP}:?|\bgoes to\b:?){_MARKUP}"
_CHOICE_LABEL = re.compile(
    rf"\b{_FINAL}(?:verdict|judge?ment|decision|winner|preference|preferred {NOUN}|better {NOUN}|(?<=final )choice"
    rf"|(?<=my )choice){_COLON}(?P<rest>[^\n]*)",
    re.IGNORECASE,
)
_GRADE_LABEL = re.compile(
    rf"\b{_FINAL}(?:(?P<overall>overall)\s+)?(?:score|rating|grade|mark)(?:{_COLON}|\s+of\s+|\s+as\s+)(?P<rest>[^\n]*)",
    re.IGNORECASE,
)
_BETTER = r"(?:better|superior|preferred|preferable|the winner|best|stronger)"
_UNNAMED = NAMED.replace("?P<mark>", "").replace("?P<ordinal2>", "")
_WHY = r"(?:because|since|as it|as the)"
_ENOUGH = (
    rf"(?=\s*(?:[.!;*\"')\]]|$)|\s+(?:overall|than {_UNNAMED}|than the other|choice|of the two|(?:{NOUN}|one|option)\b)"
    rf"|,?\s+{_WHY}\b)"
)
_SENTENCES = (
    re.compile(
        rf"{NAMED}\W{{0,3}}\s+(?i:is)\s+(?:(?i:\w+ly|much|also|overall|thus|therefore)\s+)?(?i:the\s+|a\s+)?(?i:{_BETTER}){_ENOUGH}",
        re.MULTILINE,
    ),
    re.compile(
        rf"\b(?i:I\s+(?:would\s+|therefore\s+)?(?:choose|select|pick|prefer))\s+{NAMED}(?=\W*(?:$|[.!;]|\s(?:because|over)\b))",
        re.MULTILINE,
    ),
    re.compile(rf"{NAMED}\W{{0,3}}\s+(?i:wins)(?=\W*(?:$|[.!;]|\sover\b|\soverall\b))", re.MULTILINE),
)
_TIES = re.compile(
    rf"\b(?:it(?:'s| is) a (?:tie|draw)|(?:both|the two) {NOUN}s are (?:about |roughly )?equally (?:good|helpful|correct))"
    r"(?=\s*(?:[.!]|$))",
    re.IGNORECASE | re.MULTILINE,
)
#: Words before a statement that make it none.
_NOT_SAID = re.compile(
    r"\b(?:whether|if|not|never|nor|neither|unless|cannot|\w+n't|claim|claims|might|may|could|would say|some|either|when"
    r"|should|which|initial|initially|first thought|previous|previously|maximum|perfect|highest|lowest|full|possible|top|between"
    r"|from|scale|means)\b[^.?!\n]*$",
    re.IGNORECASE,
)
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_CHOICE_KEYS = re.compile(
    r"(?:final[_ ])?(?:verdict|winner|judge?ment|decision|preference|preferred|better|choice|better_(?:answer|response|output))"
)
_GRADE_KEYS = re.compile(r"(?:final[_ ]|overall[_ ])?(?:score|rating|grade)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """One thing said, and where. final: it calls itself that."""

    place: int
    value: Value
    final: bool = False


def read(raw: str | None, order: Order | None) -> Reading:
    """The verdict, or where no order is recorded the grade; None where the text says none or several. Cost: linear."""
    text = (raw or "").strip()
    if not text:
        return Reading(value=None, why="there is no text")
    if len(text) > MAX_CHARS:
        return Reading(value=None, why="the text is longer than any verdict's")
    choices = [] if order is None and text.isdigit() else list(_choices(text))  # a number alone grades one answer
    grades = list(_grades(text)) if order is None else []
    if choices and grades:
        return Reading(value=None, why="it makes a choice and gives a grade")
    said, why = _settled(choices or grades)
    if order is None and said in ("A", "B"):
        return Reading(value=None, why="the order in which the judge saw the two is not recorded")
    return Reading(value=in_terms_of_the_record(said, order), why=why)


def _settled(statements: list[_Statement]) -> tuple[Value | None, str]:
    if not statements:
        return None, "it states no verdict in words that are known"
    if len({s.value for s in statements}) == 1:
        return statements[0].value, ""
    last = max(statements, key=lambda s: s.place)
    final = {s.value for s in statements if s.final}
    if last.final and len(final) == 1:
        return last.value, ""
    return None, "it says several different things"


def _choices(text: str) -> Iterator[_Statement]:
    if (whole := bare_side(text)) is not None:
        yield _Statement(place=0, value=whole)
    for place, value in _of_objects(text, _CHOICE_KEYS):
        if isinstance(value, str) and (side := leading_side(value)) is not None:
            yield _Statement(place=place, value=side)
    for match in _CHOICE_LABEL.finditer(text):
        side = leading_side(match["rest"])
        if side is not None and not _taken_back(text, match.start()):
            yield _Statement(place=match.start(), value=side, final=bool(match["final"]))
    for pattern in _SENTENCES:
        for match in pattern.finditer(text):
            if not _taken_back(text, match.start()):
                yield _Statement(place=match.start(), value=side_of(match))
    for match in _TIES.finditer(text):
        if not _taken_back(text, match.start()):
            yield _Statement(place=match.start(), value="tie")
    yield from _last_line(text)


def _last_line(text: str) -> Iterator[_Statement]:
    """What the last line says if it is nothing but a side. Where other lines are, too, they are headings."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or lines[-1].strip().isdigit() or (side := bare_side(lines[-1])) is None:
        return
    if not any(bare_side(line.rstrip(": ")) for line in lines[:-1] if len(line) <= _SHORT):
        yield _Statement(place=len(text), value=side)


def _grades(text: str) -> Iterator[_Statement]:
    if (whole := bare_grade(text)) is not None:
        yield _Statement(place=0, value=whole)
    for place, value in _of_objects(text, _GRADE_KEYS):
        said = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
        if (grade := leading_grade(said)) is not None:
            yield _Statement(place=place, value=grade)
    for match in _GRADE_LABEL.finditer(text):
        grade = leading_grade(match["rest"])
        if grade is not None and not _taken_back(text, match.start()):
            yield _Statement(place=match.start(), value=grade, final=bool(match["final"] or match["overall"]))


def _taken_back(text: str, start: int) -> bool:
    return _NOT_SAID.search(text[max(0, start - 80) : start]) is not None


def _of_objects(text: str, keys: re.Pattern[str]) -> Iterator[tuple[int, Any]]:
    """Place and value of the fields of these names in objects that the text is or holds in fences; a repeated key spoils one."""
    pieces = [(0, text)] if text.startswith("{") else [(m.start(), m[1]) for m in _FENCE.finditer(text)]
    if not pieces and text.endswith("}") and (start := text.rfind("\n{")) >= 0:
        pieces = [(start, text[start:])]
    for place, piece in pieces:
        try:
            value = json.loads(piece, object_pairs_hook=_each_once)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield from ((place, found) for key, found in value.items() if keys.fullmatch(key.lower()))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)
