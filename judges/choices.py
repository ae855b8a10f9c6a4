"""Which of the options that the prompt offers does this answer pick?"""

from __future__ import annotations

import re

from judges.text import normalise

_OPTION = re.compile(
    r"(?:^|\n|(?<=[\s;,]))[ \t]*(?:[-*][ \t]+)?\(?([A-J])[).:](?:[ \t]+|\*\*[ \t]*)"
    r"([^\n]{1,400}?)(?=\n|$|[ \t;,]+\(?[B-J][).:][ \t])"
)
_SMALL_OPTION = re.compile(r"(?:^|\n)[ \t]*\(?([a-j])\)[ \t]+([^\n]{1,400})")
_SMALL_PICK = re.compile(
    r"^\W{0,3}([a-j])\W{0,3}$|^\W{0,3}\(?([a-j])\)\s|\b(?:answer|option|choice)\b\W{0,4}(?:is\W{0,4})?\(?([a-j])\)"
)
_LETTER = r"\(?\*{0,4}([A-J])\*{0,4}\)?"
_PICKS = (
    re.compile(rf"\b(?:answer|option|choice)\b\W{{0,4}}(?:is|would be|:)?\W{{0,4}}{_LETTER}(?![\w'])", re.IGNORECASE),
    re.compile(rf"^\W{{0,40}}{_LETTER}(?:[).:,]|\s*$)"),
)
_SEVERAL = re.compile(r"\W*[A-J](?:\W+(?:(?:and|or)\W+)?[A-J])+\W*$")
_YES_NO = re.compile(
    r"^\W*(yes|no|true|false|correct|incorrect|yeah|yep|nope)\b(?!\s+(?:matter|doubt|one|longer))", re.IGNORECASE
)
_POLARITY = {"yes": True, "true": True, "correct": True, "yeah": True, "yep": True}
_ASKS_YES_NO = re.compile(
    r"\b(?:yes or no|yes/no|true or false|true/false|answer (?:only )?(?:with )?[\"']?(?:yes|true))|"
    r"(?:^|[.!?:\n]\s*)(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may)\b[^.!?\n]{3,300}\?\s*$",
    re.IGNORECASE,
)


def options(prompt: str) -> dict[str, str]:
    """Letter -> text of the options in a prompt; empty unless they run A, B, … without a gap."""
    found: dict[str, str] = {}
    for letter, text in _OPTION.findall(prompt) or [(a.upper(), t) for a, t in _SMALL_OPTION.findall(prompt)]:
        expected = chr(ord("A") + len(found))
        if letter == expected:
            found[letter] = text.strip(" *_.")
        elif letter == "A":
            found = {"A": text.strip(" *_.")}
    return found if len(found) >= 2 else {}


def picked(answer: str, offered: dict[str, str]) -> str | None:
    """The letter that a final answer picks, by letter or by the option's text; None if none or several."""
    if _SEVERAL.match(answer):
        return None
    letters: set[str] = set()
    small = _SMALL_PICK.search(answer)
    if small and (letter := str(small[small.lastindex or 0]).upper()) in offered:
        return letter
    for pattern in _PICKS:
        letters = {
            m.upper() for m in pattern.findall(answer) if m.isupper() or len(answer.strip()) <= 3
        } & offered.keys()
        if letters:
            break
    if len(letters) == 1:
        return letters.pop()
    if letters:
        return None
    said = f" {normalise(answer)} "
    named = {letter for letter, text in offered.items() if (n := normalise(text)) and f" {n} " in said}
    longest = {
        a
        for a in named
        if not any(a != b and f" {normalise(offered[a])} " in f" {normalise(offered[b])} " for b in named)
    }
    return longest.pop() if len(longest) == 1 else None


def asks_yes_or_no(prompt: str) -> bool:
    """Whether the prompt ends in a question that yes or no answers."""
    return bool(_ASKS_YES_NO.search(prompt.strip()[-2_000:]))


def polarity(answer: str) -> bool | None:
    """True for a final answer that opens with yes, False for no, None for neither."""
    match = _YES_NO.match(answer)
    return None if match is None else _POLARITY.get(match[1].lower(), False)
