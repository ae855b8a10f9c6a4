"""Which signs of hallucination or failure does the answer carry by itself?"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence

from judges.behaviour import disclaimers, hedges, refusal, repetition, truncated
from judges.contracts import Comparison, Judgment, Marker
from judges.grounding import grounding
from judges.injection import injections
from judges.language import wrong_language
from judges.likeness import probability
from judges.schema import broken_schema
from judges.support import unsupported
from judges.text import clip

_BOTH_REFUSE = (
    0.2  # weight of a refusal where the reference refuses as well, or a context is all there is to hold it against
)
_REJECT = 0.40
_CLEAN = 0.7  # the score of an answer without a sign and without anything to hold it against


class MarkersJudge:
    """Finds signs against an answer, each with its place in it; rejects on strong ones, abstains otherwise.

    The absence of signs is no proof of quality, so with a reference, or with nothing at all, this judge never accepts. Where a
    context is all that there is to go by, it says how far the answer keeps to it, either way.
    """

    name = "markers@3"

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order."""
        return [self._one(c) for c in comparisons]

    def _one(self, comparison: Comparison) -> Judgment:
        started = time.perf_counter()
        markers = find_markers(comparison)
        held = None if (comparison.reference or "").strip() else grounding(comparison)
        kept = _kept(markers, checked=held is not None)
        score = kept * (_CLEAN if held is None else probability(held.log_odds))
        rejected = score <= _REJECT
        if held is not None and comparison.answer.strip():
            rejected = score < 0.5
        decided = rejected or (held is not None and bool(comparison.answer.strip()))
        counted: dict[str, int] = {}
        for marker in markers:
            counted[marker.kind] = counted.get(marker.kind, 0) + 1
        return Judgment(
            judge=self.name,
            verdict="reject" if rejected else "accept" if decided else "abstain",
            score=score if decided else None,
            rationale=(f"{held.said}; " if held is not None else "")
            + (", ".join(f"{kind} x{n}" if n > 1 else kind for kind, n in counted.items()) or "no signs"),
            markers=tuple(markers),
            latency_seconds=time.perf_counter() - started,
        )


def find_markers(comparison: Comparison) -> list[Marker]:
    """All markers of an answer in order of place; spans refer to the answer, or to its clipped form if it is very long."""
    answer = clip(comparison.answer)
    if not answer.strip():
        if comparison.reference is not None and not comparison.reference.strip():
            return []
        return [Marker(kind="empty", start=0, end=len(answer), text="", weight=1.0)]
    sources = (comparison.prompt, comparison.context, comparison.reference)
    found = [
        m
        for m in (
            _refusal(answer, comparison.reference),
            truncated(answer, comparison.finish_reason),
            repetition(answer),
        )
        if m is not None
    ]
    found += hedges(answer)
    found += [
        Marker(kind="injection", start=start, end=min(end, len(answer)), text=answer[start:end][:200], weight=0.5)
        for start, end in injections(comparison.answer, sources)
        if start < len(answer)
    ]
    found += [*disclaimers(answer), *_language(answer, comparison), *_schema(answer, comparison)]
    if comparison.context or comparison.reference:
        found += unsupported(comparison)
    return sorted(found, key=lambda m: (m.start, m.end, m.kind))


def _refusal(answer: str, reference: str | None) -> Marker | None:
    marker = refusal(answer)
    if marker is not None and reference and refusal(clip(reference)) is not None:
        return dataclasses.replace(marker, weight=_BOTH_REFUSE)
    return marker


def _language(answer: str, comparison: Comparison) -> list[Marker]:
    language = wrong_language(answer, comparison.prompt, comparison.reference)
    if language is None:
        return []
    return [Marker(kind="wrong_language", start=0, end=len(answer), text=language, weight=0.5)]


def _schema(answer: str, comparison: Comparison) -> list[Marker]:
    fault = broken_schema(comparison.answer, comparison.schema) if comparison.schema else None
    if fault is None:
        return []
    return [Marker(kind="broken_schema", start=0, end=len(answer), text=fault[:200], weight=0.7)]


def _kept(markers: Sequence[Marker], *, checked: bool) -> float:
    """What the signs of failure leave of a score, in [0, 1].

    Unsupported details are not among them: with a context the grounding has counted them, and a reference need not have every
    right detail; how well the two agree is for other judges to say. Nor is a hedge where what it hedges was checked; and who says
    that he doesn't know makes nothing up: there, leaving out what the context has is what tells against him.
    """
    shown = ("unsupported", "contradicts", "hedge", "ai_disclaimer")
    kept = math.prod(1 - _weight(m, checked) for m in markers if not m.kind.startswith(shown))
    hedged = 0.0 if checked else min(0.3, sum(m.weight for m in markers if m.kind in ("hedge", "ai_disclaimer")))
    return max(0.0, min(1.0, kept * (1 - hedged)))


def _weight(marker: Marker, checked: bool) -> float:
    return min(marker.weight, _BOTH_REFUSE) if checked and marker.kind == "refusal" else marker.weight
