"""Where does the working end and the final answer begin?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from judges.loose_json import field_by_pattern, find_json
from judges.text import clean, clip, sentences

#: How the final answer was found, surest first.
Source = Literal["field", "marked", "phrase", "whole", "last"]

ANSWER_FIELDS = ("answer", "final_answer", "finalanswer", "final answer", "final", "result", "solution", "output")
_WORKING = "reasoning explanation rationale thought thoughts working steps analysis chain_of_thought thinking"
WORKING_FIELDS = tuple(_WORKING.split())
_HASH = re.compile(r"^[ \t]*#{4}(?!#)[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_PHRASE = re.compile(
    r"(?:\b(?:final\s+)?(?:answer|result|solution|output)\b\**\s*(?:is|are|would\s+be|=|:)+|^\s*\**(?:answer|output)\**\s*:)\**\s*:?\s*(.+)",
    re.IGNORECASE,
)
_BOLD_LINE = re.compile(r"\*\*([^*\n]{1,80})\*\*")
_THINK = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalAnswer:
    """What a completion finally says, and what led there. fields: the JSON value it holds, if it is one."""

    text: str
    working: str
    source: Source
    fields: dict[str, Any] | list[Any] | None = None


def final_answer(completion: str) -> FinalAnswer:
    """The final answer of a completion. The source says how sure that is; `last` is only the last sentence."""
    text = _THINK.sub("", clean(clip(completion))).strip()
    value = None if text[:1] not in "{[`" and _last_boxed(text) else find_json(text)
    if isinstance(value, Mapping):
        wrapped = _unwrap(value)
        if wrapped is not None:
            return FinalAnswer(text=wrapped[0], working=wrapped[1], source="field", fields=value)
        return FinalAnswer(text=text, working="", source="whole", fields=value)
    if isinstance(value, list) and text[:1] in "[`":
        return FinalAnswer(text=text, working="", source="whole", fields=value)
    if "{" in text:
        loose = field_by_pattern(text, ANSWER_FIELDS)
        if loose is not None:
            return FinalAnswer(text=loose, working=text, source="field")
    return _from_prose(text)


def _unwrap(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """Final answer and working of `{"reasoning": …, "answer": …}`; None for an object that is data itself."""
    keys = {str(k).strip().lower(): k for k in value}
    answer_key = next((keys[name] for name in ANSWER_FIELDS if name in keys), None)
    if answer_key is None:
        return None
    others = [k for k in value if k != answer_key]
    if any(str(k).strip().lower() not in WORKING_FIELDS for k in others):
        return None
    answer = value[answer_key]
    if isinstance(answer, dict | list):
        if not others:
            return None
        return json.dumps(answer, ensure_ascii=False), "\n".join(_flat(value[k]) for k in others)
    return _scalar(answer), "\n".join(_flat(value[k]) for k in others)


def _scalar(value: Any) -> str:
    return (
        {True: "true", False: "false", None: ""}.get(value, str(value)) if not isinstance(value, str) else value.strip()
    )


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "\n".join(_flat(v) for v in value.values())
    if isinstance(value, list):
        return "\n".join(_flat(v) for v in value)
    return str(value)


def _from_prose(text: str) -> FinalAnswer:
    marked = _HASH.findall(text)
    if marked:
        return FinalAnswer(text=marked[-1], working=text, source="marked")
    boxed = _last_boxed(text)
    if boxed:
        return FinalAnswer(text=boxed, working=text, source="marked")
    for line in reversed(text.splitlines()[-12:]):
        phrase = _PHRASE.search(line)
        if phrase and phrase[1].strip(" *_$`\"'.:"):
            return FinalAnswer(text=phrase[1].strip(" *_`\"'"), working=text, source="phrase")
    parts = sentences(text)
    if len(parts) <= 1:
        return FinalAnswer(text=text, working="", source="whole")
    bold = _BOLD_LINE.findall(parts[-1])
    return FinalAnswer(text=bold[-1] if bold else parts[-1], working=text, source="last")


def _last_boxed(text: str) -> str | None:
    start = max(text.rfind("\\boxed{"), text.rfind("\\fbox{"))
    if start < 0:
        return None
    begin = text.index("{", start) + 1
    depth = 1
    for i in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[begin:i].strip() or None
    return None
