"""Which answers need no judge, and which verdict may no judge give?"""

from __future__ import annotations

from judges.behaviour import refusal, repetition
from judges.contracts import Comparison, Judgment
from judges.injection import injections
from judges.text import clean, clip, same_text

NAME = "rules@1"
_REJECTED = 0.02
_ACCEPTED = 0.98


def settled(comparison: Comparison) -> Judgment | None:
    """The verdict where it is plain: the same text, or nothing or a refusal where the reference answers. None otherwise."""
    answer = clean(comparison.answer).strip()
    reference = clean(comparison.reference or "").strip()
    if not answer:
        if reference or comparison.reference is None:
            return _judgment(_REJECTED, "the answer is empty")
        return Judgment(judge=NAME, verdict="abstain", score=None, rationale="answer and reference are empty")
    if reference and same_text(answer, reference):
        return _judgment(_ACCEPTED, "the same text as the reference")
    if reference and refusal(clip(answer)) is not None and refusal(clip(reference)) is None:
        return _judgment(_REJECTED, "a refusal where the reference answers")
    return None


def vetoed(comparison: Comparison) -> Judgment | None:
    """An abstention that stands against any acceptance: the answer talks to the judge, or goes round in circles where the
    reference does not, so that likeness to the reference is no evidence. None otherwise.
    """
    if injections(comparison.answer, (comparison.prompt, comparison.context, comparison.reference)):
        return _veto("the answer addresses the judge")
    if repetition(clip(comparison.answer)) and not (comparison.reference and repetition(clip(comparison.reference))):
        return _veto("the answer is a loop")
    return None


def _veto(why: str) -> Judgment:
    return Judgment(judge=NAME, verdict="abstain", score=None, rationale=f"not accepted: {why}")


def _judgment(score: float, rationale: str) -> Judgment:
    return Judgment(judge=NAME, verdict="accept" if score >= 0.5 else "reject", score=score, rationale=rationale)
