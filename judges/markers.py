"""Which signs of hallucination or failure does the answer carry by itself?"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence

from judges.behaviour import hedges, refusal, repetition, truncated
from judges.contracts import Comparison, Judgment, Marker
from judges.injection import injections
from judges.support import unsupported
from judges.text import clip

#: Low enough that unsupported details never reject by themselves: right answers have them nearly as often as wrong ones.
_UNSUPPORTED_CAP = 0.35
_BOTH_REFUSE = 0.2  # weight of a refusal where the reference refuses as well
_REJECT = 0.40


class MarkersJudge:
    """Finds signs against an answer, each with its place in it; rejects on strong ones, abstains otherwise.

    The absence of signs is no proof of quality, so this judge never accepts. Unsupported statements are shown wherever
    something could have supported them, a context or a reference; they count where a context is all there is, and only
    beside other signs.
    """

    name = "markers@1"

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order."""
        return [self._one(c) for c in comparisons]

    def _one(self, comparison: Comparison) -> Judgment:
        started = time.perf_counter()
        markers = find_markers(comparison)
        score = _score(markers, grounded=bool(comparison.context) and not comparison.reference)
        rejected = score <= _REJECT
        counted: dict[str, int] = {}
        for marker in markers:
            counted[marker.kind] = counted.get(marker.kind, 0) + 1
        return Judgment(
            judge=self.name,
            verdict="reject" if rejected else "abstain",
            score=score if rejected else None,
            rationale=", ".join(f"{kind} x{n}" if n > 1 else kind for kind, n in counted.items()) or "no signs",
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
    sources = [comparison.prompt, comparison.context, comparison.reference]
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
        for start, end in injections(answer, sources)
        if start < len(answer)
    ]
    if comparison.context or comparison.reference:
        found += unsupported(answer, "\n".join(clip(s) for s in sources if s))
    return sorted(found, key=lambda m: (m.start, m.end, m.kind))


def _refusal(answer: str, reference: str | None) -> Marker | None:
    marker = refusal(answer)
    if marker is not None and reference and refusal(clip(reference)) is not None:
        return dataclasses.replace(marker, weight=_BOTH_REFUSE)
    return marker


def _score(markers: Sequence[Marker], *, grounded: bool) -> float:
    """Product of what each marker leaves.

    Unsupported details count only where the context is all that there is to go by. A reference need not have every right
    detail, and how well the two agree is for other judges to say.
    """
    kept = math.prod(1 - m.weight for m in markers if not m.kind.startswith(("unsupported", "hedge")))
    hedged = 1 - min(0.3, sum(m.weight for m in markers if m.kind == "hedge"))
    details = sum(m.weight for m in markers if m.kind.startswith("unsupported")) if grounded else 0.0
    return max(0.0, min(1.0, 0.7 * kept * hedged * (1 - min(_UNSUPPORTED_CAP, details * 0.5))))
