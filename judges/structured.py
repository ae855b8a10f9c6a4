"""Does the answer mean the same as the reference, where meaning can be cut out exactly?"""

from __future__ import annotations

import time
from collections.abc import Sequence

from judges.arithmetic import check_sums
from judges.contracts import Comparison, Judgment, Verdict
from judges.exact import COMPARE
from judges.fields import compare_fields
from judges.final import FinalAnswer, final_answer
from judges.kinds import kind_of
from judges.text import clean, clip, same_text
from judges.working import agreement

#: Where the final answer is all there is, or stands apart.
_SETTLED = frozenset({"field", "marked", "phrase", "whole"})
#: How far from its end of the scale agreement in the working, or the share of equal fields, moves a score.
_TIE_BREAK = 0.25
#: What is added where the answers differ and it is the reference whose sums do not come out.
_REFERENCE_SLIPPED = 0.1
#: Share of fields with differing prose up to which equal plain fields settle the matter.
_MAX_DOUBTFUL = 1 / 3


class StructuredJudge:
    """Compares what can be cut out exactly: numbers, formulas, choices, labels, JSON, code, dates, lists, names; else abstains.

    The score is the comparison's result, moved a little by how far the workings agree: two completions that reach the same
    number along the same way are right more often than two that meet by chance.
    """

    name = "structured@3"

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order."""
        return [self._one(c) for c in comparisons]

    def _one(self, comparison: Comparison) -> Judgment:
        started = time.perf_counter()
        score, rationale = self._score(comparison)
        verdict: Verdict = "abstain" if score is None else "accept" if score >= 0.5 else "reject"
        seconds = time.perf_counter() - started
        return Judgment(judge=self.name, verdict=verdict, score=score, rationale=rationale, latency_seconds=seconds)

    def _score(self, comparison: Comparison) -> tuple[float | None, str]:
        if comparison.reference is None or not comparison.reference.strip():
            return None, "there is no reference to compare with"
        if not comparison.answer.strip():
            return None, "the answer is empty"
        answer, reference = final_answer(comparison.answer), final_answer(comparison.reference)
        kind = kind_of(comparison, answer, reference)
        if kind == "json":
            return _json(comparison, answer, reference)
        same, rationale = COMPARE[kind](comparison, answer, reference)
        if same is None and _SETTLED.issuperset((answer.source, reference.source)):
            same = same_text(answer.text, reference.text) or None
        if same is None:
            return None, rationale
        overlap = _working_agreement(comparison, answer, reference)
        if same:
            return 1.0 - _TIE_BREAK * (1.0 - overlap), rationale
        ours, theirs = (check_sums(side.working or side.text) for side in (answer, reference))
        if theirs.wrong and not ours.wrong and ours.checked:
            return min(
                0.45, _TIE_BREAK * overlap + _REFERENCE_SLIPPED
            ), f"{rationale}; a sum of the reference does not come out"
        if ours.wrong:
            return _TIE_BREAK * overlap / 2, f"{rationale}; {ours.wrong} sum(s) of the answer do not come out"
        return _TIE_BREAK * overlap, rationale


def _working_agreement(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> float:
    """How far the two workings go the same way, in [0, 1]; the middle where one side shows none."""
    left, right = answer.working or answer.text, reference.working or reference.text
    if not (any(c.isdigit() for c in left) and any(c.isdigit() for c in right)):
        return 0.5
    return agreement(left, right, ignore=clean(clip(comparison.prompt)))


def _json(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> tuple[float | None, str]:
    if answer.fields is None:
        return 0.0, "no JSON where the reference has some"
    found = compare_fields(answer.fields, reference.fields, prompt=comparison.prompt, schema=comparison.schema)
    if found.wrong:
        wrong = ", ".join(found.wrong[:5])
        return _TIE_BREAK * found.share, f"{len(found.wrong)} of {found.compared} fields differ: {wrong}"
    if len(found.doubtful) > _MAX_DOUBTFUL * found.compared:
        return None, f"fields with prose that need reading: {', '.join(found.doubtful[:5])}"
    if found.doubtful:
        rationale = f"all plain fields are equal; prose not compared: {', '.join(found.doubtful[:5])}"
        return 1.0 - _TIE_BREAK * (1.0 - found.share), rationale
    return 1.0 - _TIE_BREAK * (1.0 - found.share), f"all {found.compared} fields are equal"
