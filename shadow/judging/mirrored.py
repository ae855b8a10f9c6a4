"""Which answer of a mirrored request is held against which, and what does the panel say?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from judges.contracts import Comparison, PanelJudgment
from shadow.judging.kinship import Kinship
from shadow.judging.prompts import Question
from shadow.store.samples import Answer, Sample, State
from shadow.upgrades.pins import CANDIDATE_TIER, PINNED_TIER


def comparisons(
    sample: Sample, answers: Sequence[Answer], question: Question, kinship: Kinship
) -> list[tuple[Answer, Comparison]]:
    """One comparison per answer obtained.

    Every answer is held against the reference tier's first answer (where only an intermediate tier was asked, against its
    answer); that answer itself against the second one, if it was asked twice, else against nothing: only markers and an
    absolute rubric can then have evidence. In a control sample, and in a pair of an upgrade, a model that is kin to any of the
    answers judges none of them: the same panel has to see both, or their difference would be one of judges. Where the top
    tier's own model is to be replaced, the two are held against each other.
    """
    obtained = {(a.tier, a.repeat): a for a in answers if a.outcome == "ok" and a.completion is not None}
    reference = obtained.get((sample.reference_tier, 0)) or obtained.get(_needed(sample))
    other = next((obtained[name, 0] for name in (CANDIDATE_TIER, PINNED_TIER) if (name, 0) in obtained), None)
    again = obtained.get((sample.reference_tier, 1))
    if other is not None and again is None and sample.reference_tier == sample.served_tier:
        again = other  # two models of the top tier: each is held against the other
    both_seen = again is not None or other is not None
    kin: frozenset[str] = _families(kinship, *obtained.values()) if both_seen else frozenset()
    return [
        (
            answer,
            Comparison(
                prompt=question.prompt,
                answer=answer.completion or "",
                reference=_text(again if answer is reference else reference),
                context=question.context,
                query_type=None if sample.query_type == "unknown" else sample.query_type,
                schema=question.schema,
                finish_reason=answer.finish_reason,
                families=kin | _families(kinship, answer, again if answer is reference else reference),
            ),
        )
        for answer in obtained.values()
    ]


def outcome_state(sample: Sample, verdicts: Sequence[tuple[Answer, PanelJudgment]]) -> State:
    """judged if the panel decided on the answers that the sample was drawn for, else abstained.

    Drawn upwards or twice, that is the served answer; drawn downwards, the cheaper tier's.
    """
    downwards = sample.served_tier == sample.reference_tier and all(
        t.tier != sample.served_tier for t in sample.targets
    )
    subject = [panel for answer, panel in verdicts if answer.served != downwards]
    return "judged" if subject and all(panel.verdict != "abstain" for panel in subject) else "abstained"


def missing_reference(sample: Sample, answers: Sequence[Answer]) -> str | None:
    """Why there is nothing to judge against: the outcome of the answer that is missing, or None if all is there.

    The answer that must be there is the other half of the pair: the reference, its second run, or the cheaper tier's answer;
    an intermediate tier's where only that was asked.
    """
    obtained = {(a.tier, a.repeat) for a in answers if a.outcome == "ok"}
    needed = _needed(sample)
    if needed in obtained:
        return None
    outcomes = {(a.tier, a.repeat): a.outcome for a in answers}
    return outcomes.get(needed, "not_asked")


def _needed(sample: Sample) -> tuple[str, int]:
    """(tier, repeat) of the answer without which there is nothing to compare."""
    planned = [(target.tier, target.repeat) for target in sample.targets]
    return (sample.reference_tier, 0) if (sample.reference_tier, 0) in planned else planned[0]


def _families(kinship: Kinship, *answers: Answer | None) -> frozenset[str]:
    """Of the models that wrote these answers."""
    return frozenset(family for a in answers if a is not None for family in kinship.of_answer(a))


def _text(answer: Answer | None) -> str | None:
    return None if answer is None else answer.completion


def without_texts(said: PanelJudgment, clean: Callable[[str], str]) -> PanelJudgment:
    """The judgments with all that quotes an answer put through `clean`: rationales and the texts of markers."""
    judgments = tuple(
        replace(
            judgment,
            rationale=clean(judgment.rationale),
            markers=tuple(replace(marker, text=clean(marker.text)) for marker in judgment.markers),
        )
        for judgment in said.judgments
    )
    return replace(said, judgments=judgments)
