"""Does the answer mean the same as the reference, where meaning can be cut out exactly?"""

from __future__ import annotations

import time
from collections.abc import Sequence

from judges.choices import options, picked, polarity
from judges.contracts import Comparison, Judgment, Verdict
from judges.fields import compare_fields
from judges.final import FinalAnswer, final_answer
from judges.kinds import is_arithmetic, kind_of, labels_for, whole_text
from judges.labels import given_label
from judges.outcome import stated_quantity
from judges.quantities import Quantity, same_quantity
from judges.text import clean, clip, normalise, same_text, words
from judges.working import shared_numbers

#: How far from its end of the scale agreement in the working, or the share of equal fields, moves a score.
_TIE_BREAK = 0.25
#: Share of fields with differing prose up to which equal plain fields settle the matter.
_MAX_DOUBTFUL = 1 / 3


class StructuredJudge:
    """Compares final numbers, choices, labels, yes or no and JSON fields; abstains on anything else.

    The score is the comparison's result, moved a little by how far the workings agree: two completions that reach the same
    number along the same way are right more often than two that meet by chance.
    """

    name = "structured@1"

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
        same, rationale = _COMPARE[kind](comparison, answer, reference)
        if same is None:
            return None, rationale
        overlap = _working_agreement(comparison, answer, reference)
        score = 1.0 - _TIE_BREAK * (1.0 - overlap) if same else _TIE_BREAK * overlap
        return score, rationale


def _working_agreement(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> float:
    """Overlap of the numbers in the two workings, in [0, 1]; the middle where one side shows none."""
    left, right = answer.working or answer.text, reference.working or reference.text
    if not (any(c.isdigit() for c in left) and any(c.isdigit() for c in right)):
        return 0.5
    return shared_numbers(left, right, ignore=clean(clip(comparison.prompt)))


def _number(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> tuple[bool | None, str]:
    sums = is_arithmetic(comparison)
    left, right = (
        stated_quantity(answer, comparison.prompt, sums=sums),
        stated_quantity(reference, comparison.prompt, sums=sums),
    )
    if right is None:
        return None, "no single number could be read from the reference"
    if left is None:
        if sums and not any(c.isdigit() for c in answer.text + answer.working):
            return False, f"no number where the reference says {right.value:g}"
        return None, "no single number could be read from the answer"
    return same_quantity(left, right), f"number {_say(left)} against {_say(right)}"


def _say(quantity: Quantity) -> str:
    return f"{quantity.value:g} {quantity.unit}".strip()


def _choice(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> tuple[bool | None, str]:
    offered = options(comparison.prompt[-8_000:])
    left, right = picked(answer.text, offered), picked(reference.text, offered)
    if left is None:
        left = picked(answer.working, offered) if answer.working else None
    if left is None or right is None:
        return None, "the option picked could not be read"
    return left == right, f"option {left} against {right}"


def _label(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> tuple[bool | None, str]:
    offered = labels_for(comparison)
    right = given_label(whole_text(reference), offered)
    if right is None:
        return _bare_label(answer, reference)
    left = given_label(whole_text(answer), offered)
    if left is not None:
        return left == right, f"label {' '.join(left)!r} against {' '.join(right)!r}"
    if len(words(answer.text)) <= len(right) + 1 and not any(set(label) & set(words(answer.text)) for label in offered):
        return False, f"{answer.text[:60]!r} is none of the labels"
    return None, "the label given could not be read"


def _bare_label(answer: FinalAnswer, reference: FinalAnswer) -> tuple[bool | None, str]:
    """Labels that no list names: equal or not, as long as both sides say little else."""
    left, right = normalise(answer.text), normalise(reference.text)
    if left == right:
        return True, f"label {right!r} on both sides"
    if len(words(answer.text)) > len(words(reference.text)) + 2:
        return None, "the answer is no bare label"
    return False, f"label {left[:60]!r} against {right[:60]!r}"


def _yes_no(_comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> tuple[bool | None, str]:
    left, right = polarity(answer.text), polarity(reference.text)
    if left is None or right is None:
        return None, "neither yes nor no could be read"
    return left == right, f"{'yes' if left else 'no'} against {'yes' if right else 'no'}"


def _free(_comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> tuple[bool | None, str]:
    if (
        answer.source in {"field", "marked"}
        and reference.source in {"field", "marked"}
        and same_text(answer.text, reference.text)
    ):
        return True, "the same final answer on both sides"
    return None, "free text: nothing that could be compared exactly"


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
    return 1.0, f"all {found.compared} fields are equal"


_COMPARE = {"number": _number, "choice": _choice, "label": _label, "yes_no": _yes_no, "free": _free}
