"""What is the model asked, and what did it decide? The rubric prompt and the strict reading of its last line."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from importlib import resources
from string import Template

from judges.contracts import Comparison
from judges.text import clean, clip, fold

PROMPT_FILE = "rubric-1.txt"
_MAX_SECTION = 12_000
_VERDICT = re.compile(r"VERDICT: (ACCEPT|REJECT)(?: (0(?:\.\d{1,4})?|1(?:\.0{1,4})?))?")
#: Made unreadable inside untrusted text, so that a model which only echoes cannot decide.
_DEFANG = re.compile(r"v\W{0,3}e\W{0,3}r\W{0,3}d\W{0,3}i\W{0,3}c\W{0,3}t", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricReading:
    """A verdict that was read. score: as the model gave it, None where it gave none; reasons: what came before."""

    accepted: bool
    score: float | None
    reasons: str


def render(comparison: Comparison, *, nonce: str | None = None) -> str:
    """The rubric prompt for a comparison. nonce: of the fences; drawn at random, so that no answer can close one."""
    template = Template(resources.files("judges").joinpath("prompts", PROMPT_FILE).read_text(encoding="utf-8"))
    return template.substitute(
        nonce=nonce or secrets.token_hex(8),
        prompt=_untrusted(comparison.prompt),
        context=_untrusted(comparison.context),
        reference=_untrusted(comparison.reference),
        answer=_untrusted(comparison.answer),
    )


def _untrusted(text: str | None) -> str:
    if not text:
        return "(none)"
    shown = clean(clip(text, _MAX_SECTION))
    if not shown.isascii() and _DEFANG.search(fold(shown)) and not _DEFANG.search(shown):
        shown = fold(shown)
    return _DEFANG.sub("v-e-r-d-i-c-t", shown)


def read_verdict(reply: str) -> RubricReading | None:
    """The verdict on the last line; None if that line is anything else, or if an earlier one says the opposite."""
    lines = [line.strip() for line in reply.strip().splitlines() if line.strip()]
    if not lines:
        return None
    match = _VERDICT.fullmatch(lines[-1])
    if match is None:
        return None
    earlier = {m[1] for line in lines[:-1] if (m := _VERDICT.fullmatch(line))}
    if earlier - {match[1]}:
        return None
    score = float(match[2]) if match[2] is not None else None
    accepted = match[1] == "ACCEPT"
    if score is not None and (score >= 0.5) != accepted:
        return None
    return RubricReading(accepted=accepted, score=score, reasons="\n".join(lines[:-1])[:2_000])
