"""Which verdict does a model's reply state, in its strict last line or as an object of the schema?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LINE = re.compile(r"VERDICT: ([A-Z]+)(?: (0(?:\.\d{1,4})?|1(?:\.0{1,4})?))?")
#: What a model that thinks aloud says before it replies, and the fence that many put around an object.
_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_FENCED = re.compile(r"\A```(?:json)?[ \t]*\n(.*)\n[ \t]*```\Z", re.DOTALL | re.IGNORECASE)
_MAX_REASONS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A verdict that was read. word: one of those allowed. score: in [0, 1] as given, None where there is none."""

    word: str
    score: float | None
    reasons: str


def last_line(reply: str, words: Sequence[str]) -> Stated | None:
    """The verdict on the last line; None if that line is anything else, or if an earlier such line says another word.

    Prose before it may say what it likes: only lines of this form are verdicts. Thoughts before the reply are no part of it.
    """
    lines = [line.strip() for line in _THOUGHT.sub("", reply).strip().splitlines() if line.strip()]
    match = _LINE.fullmatch(lines[-1]) if lines else None
    if match is None or match[1] not in words:
        return None
    if any((m := _LINE.fullmatch(line)) and m[1] != match[1] for line in lines[:-1]):
        return None
    score = float(match[2]) if match[2] is not None else None
    return Stated(word=match[1], score=score, reasons="\n".join(lines[:-1])[:_MAX_REASONS])


def from_object(reply: str, words: Sequence[str], *, nonce: str) -> Stated | None:
    """The verdict of a JSON object of `schema_for`; None for anything else, and where it does not name this call's nonce.

    The nonce is what an echoed answer cannot know. Thoughts before the object and one fence around it are passed over.
    """
    said = _THOUGHT.sub("", reply).strip()
    if fenced := _FENCED.match(said):
        said = fenced[1]
    try:
        value = json.loads(said, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.keys() != {"case", "reasons", "verdict", "score"}:
        return None
    word, score, reasons = value["verdict"], value["score"], value["reasons"]
    if value["case"] != nonce or word not in words or not isinstance(reasons, str):
        return None
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        return None
    return Stated(word=word, score=float(score), reasons=reasons[:_MAX_REASONS])


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand once each. Raises: ValueError, as nobody can say which of two verdicts was meant."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def schema_for(words: Sequence[str]) -> Mapping[str, Any]:
    """The JSON schema of a verdict: the reasons come before it, as they have to be thought before it."""
    return {
        "type": "object",
        "properties": {
            "case": {"type": "string"},
            "reasons": {"type": "string"},
            "verdict": {"type": "string", "enum": list(words)},
            "score": {"type": "number"},
        },
        "required": ["case", "reasons", "verdict", "score"],
        "additionalProperties": False,
    }
