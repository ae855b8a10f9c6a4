"""Which of two outputs did this LLMBar text choose, or which grade did it give?

The prompts ask for "Output (a)" or "Output (b)" alone (Vanilla, Metrics, Reference and their mixtures), for reasons that end
in "Therefore, Output (a) is better." (CoT), for either (Swap), or for one number (Rating).
Source: Zeng et al., Evaluating Large Language Models at Evaluating Instruction Following, 2024; its published parsing rules.
"""

from __future__ import annotations

import re

from judges.parsers.reading import Order, Reading, Value, in_terms_of_the_record, settle

_SIDES: dict[str, Value] = {"a": "A", "b": "B"}
_OUTPUT = r"Output \(([ab])\)"
_BARE = re.compile(rf"\W*{_OUTPUT}\W*", re.IGNORECASE)
_BARE_LINE = re.compile(rf"^[ *]*{_OUTPUT}[ *.:]*$", re.IGNORECASE | re.MULTILINE)
_OPENING = re.compile(rf"(?:^|\n) ?{_OUTPUT}")
_STATEMENT = re.compile(
    rf"{_OUTPUT}\W{{0,3}} is (?:clearly |slightly |also |overall )?(?:the |a )?(?:better|best|superior|preferred)\b",
    re.IGNORECASE,
)
_CHOICE = re.compile(rf"\bI (?:would )?(?:choose|select|pick|prefer) {_OUTPUT}", re.IGNORECASE)
_NOT_SAID = re.compile(r"\b(?:whether|if|not|never|nor|neither|unless|cannot|\w+n't|claim)\b[^.\n]*$", re.IGNORECASE)
_NUMBER = re.compile(r"(?:(?:rating|score|grade)\s*:\s*)?(\d{1,3}(?:\.\d+)?)\s*\.?", re.IGNORECASE)
_PUBLISHED_NUMBER = re.compile(r"\s*[+-]?\d+\s*")


def parse(raw: str | None, order: Order | None, *, style: str = "Vanilla") -> Value | None:
    """The verdict in terms of a and b of the record, a grade for Rating, None where it can't be told."""
    return read(raw, order, style=style).value


def read(raw: str | None, order: Order | None, *, style: str = "Vanilla") -> Reading:
    """The verdict with what the published rule makes of it.

    style: the judge prompt as LLMBar names it, with or without the model: `CoT`, `PaLM2/CoT`, `Metrics_Reference`. The
    model matters in one place: for PaLM2/CoT another rule was published than for the other models' CoT.
    """
    text = (raw or "").strip()
    if not text:
        return Reading(value=None, why="there is no text")
    _, _, prompt = style.rpartition("/")
    if prompt.startswith("Rating"):
        return _grade(text)
    said, why = _said(text, asked_for_reasons=prompt.endswith("CoT"))
    if order is None:
        return Reading(value=None, why="the order in which the judge saw the two is not recorded")
    published = in_terms_of_the_record(_published(text, style, prompt), order)
    return settle(in_terms_of_the_record(said, order), published, why=why)


def _grade(text: str) -> Reading:
    published = float(text) if _PUBLISHED_NUMBER.fullmatch(text) else None
    match = _NUMBER.fullmatch(text)
    return settle(float(match[1]) if match else None, published, why="not a number alone")


def _said(text: str, *, asked_for_reasons: bool) -> tuple[Value | None, str]:
    """What the text states about the two as the judge saw them, and why nothing where it states nothing."""
    if bare := _BARE.fullmatch(text):
        return _SIDES[bare[1].lower()], ""
    stated = {
        _SIDES[match[1].lower()]
        for pattern in (_STATEMENT, _CHOICE)
        for match in pattern.finditer(text)
        if not _NOT_SAID.search(text[max(0, match.start() - 60) : match.start()])
    }
    stated |= {_SIDES[side.lower()] for side in _BARE_LINE.findall(text)}
    if len(stated) == 1:
        return stated.pop(), ""
    if stated:
        return None, "it calls both outputs the better one"
    openings = set(_OPENING.findall(text))
    if not asked_for_reasons and len(openings) == 1 and text.startswith("Output ("):
        return _SIDES[openings.pop()], ""  # asked for the name alone, it began with it
    return None, "it calls neither output the better one"


def _published(text: str, style: str, prompt: str) -> Value | None:
    """The authors' rule: (a) wherever its pattern occurs at all, else (b)."""
    statement, opening = r"Output \({}\) is better.", r"(?:^|\n) ?Output \({}\)"
    if prompt == "Swap":
        rules = [statement, opening]  # the first step's prompt is CoT, the second one asks for the name alone
    else:
        rules = [statement if prompt.endswith("CoT") and style != "PaLM2/CoT" else opening]
    for rule in rules:
        for side, value in _SIDES.items():
            if re.search(rule.format(side), text):
                return value
    return None
