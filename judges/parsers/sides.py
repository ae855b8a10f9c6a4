"""What does this piece of text name: the first answer, the second one, a tie, or a grade? And is that all it says?

The first one is A, 1 or *first*, the second one B, 2 or *second*. A lower-case letter counts in brackets only: `a` is an article.
"""

from __future__ import annotations

import re

from judges.parsers.reading import Value

NOUN = (
    r"(?i:assistant|response|answer|output|model|option|candidate|completion|summary|summarization|translation|system|reply"
    r"|message|text|chatbot|agent|story|essay|code|solution|conversation|generation)"
)
_OPEN, _SHUT = r"[\[(\"'*_`{]{0,4}", r"[\])\"'*_`}]{0,4}"
_MARK = rf"(?:{_OPEN}(?P<mark>[AB12]|[ab](?=[)\]]))(?![\w]|[.,]\d){_SHUT})"
_ORDINAL = rf"(?:(?i:the\s+)?(?P<ordinal>(?i:first|second))(?:\s+{NOUN})?(?!\w))"
#: The two with a noun or an ordinal before them: safe to look for in prose.
NAMED = rf"(?:(?:(?i:the\s+)?{NOUN}\s*#?\s*{_MARK})|(?:(?i:the\s+)(?P<ordinal2>(?i:first|second))\s+{NOUN}(?!\w)))"
_ORDER = r"(?P<left>[AB])\s*(?P<sign>>{1,3}|<{1,3}|=|~)\s*(?P<right>[AB])(?!\w)"
_TIE = r"(?P<tie>(?i:(?:it(?:'s| is)\s+)?(?:a\s+)?(?:tie|draw)|equal|equally good|both are equally good|no preference)(?!\w))"
_LEADING = re.compile(rf"{_OPEN}(?:{_ORDER}|{_TIE}|(?:(?i:the\s+)?{NOUN}\s*#?\s*)?{_MARK}|{_ORDINAL}){_SHUT}")
#: What may follow a side without taking it back.
_POSITIVE = (
    r"(?i:is|was|being)\s+(?:\w+ly\s+)?(?i:the\s+)?(?i:better|best|superior|preferred|preferable|winner|stronger)"
)
#: What a *better* may go on with; in style, at length, for some, it decides nothing.
_ENDS = rf"(?=\s*(?:$|[.!;)*\"'\]])|,?\s+(?i:because|since|overall|than|one|choice|of the two|{NOUN})\b)"
_REASON = r"(?i:because|since|due to|as (?:it|the)|given|for (?:its|being|providing))"
_TAIL = re.compile(
    rf"\s*(?:$|[.!;](?:\s|$)|\((?!\s*(?i:or)\b)|[,:\u2013\u2014-]*\s*{_REASON}\b|{_POSITIVE}{_ENDS}|(?i:wins)\b"
    rf"|(?i:over|beats|rather than)\s+(?:(?i:the\s+)?{NOUN}\s*)?[\[(\"'*]*[AB12ab]\b)"
)
_GRADE = re.compile(
    rf"{_OPEN}(?P<grade>\d{{1,3}}(?:\.\d{{1,3}})?)(?![\w%])(?:\s*(?:/|(?i:out\s+of))\s*(?P<most>5|10|100)(?!\d))?{_SHUT}"
)
_GRADE_TAIL = re.compile(rf"\s*(?:$|[.;!](?:\s|$)|\((?!\s*(?i:or)\b)|[,:\u2013\u2014-]*\s*{_REASON}\b)")
_MOST = 10.0
_FIRST = frozenset({"a", "1", "first"})


def side_of(match: re.Match[str]) -> Value:
    """The side that a match of `NAMED` or of a leading side names."""
    found = match.groupdict()
    if found.get("tie"):
        return "tie"
    if sign := found.get("sign"):
        if sign in "=~" or found["left"] == found["right"]:
            return "tie"
        return found["left"] if ">" in sign else found["right"]  # type: ignore[return-value]
    word = found.get("mark") or found.get("ordinal") or found.get("ordinal2") or ""
    return "A" if word.lower() in _FIRST else "B"


def leading_side(text: str) -> Value | None:
    """The side or tie that the text begins with, where nothing after it takes it back: `A`, `**Response B** is better.`"""
    match = _LEADING.match(text.lstrip())
    if match is None or not _TAIL.match(text.lstrip(), match.end()):
        return None
    return side_of(match)


def bare_side(text: str) -> Value | None:
    """The side or tie that is all of the text: `B`, `**Output (a)**.`"""
    match = _LEADING.match(text.lstrip())
    return None if match is None or text.lstrip()[match.end() :].strip(" .!\t\r\n") else side_of(match)


def leading_grade(text: str) -> float | None:
    """The grade that the text begins with: `7`, `8.5/10`, `**9** out of 10`. Above 10 only where it says out of what."""
    text = text.lstrip()
    match = _GRADE.match(text)
    if match is None or not _GRADE_TAIL.match(text, match.end()):
        return None
    grade, most = float(match["grade"]), float(match["most"] or _MOST)
    return grade if grade <= most else None


def bare_grade(text: str) -> float | None:
    """The grade that is all of the text: `7`, `8/10.`"""
    return leading_grade(text) if _GRADE.sub("", text, count=1).strip(" .!\t\r\n") == "" else None
