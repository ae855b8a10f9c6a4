"""What do several judges make of an answer together, asking the dear ones only while the cheap ones leave doubt?"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from judges.calibration import Calibration
from judges.contracts import Comparison, Judge, Judgment, PanelJudgment, Verdict
from judges.errors import JudgeUnavailable
from judges.rules import NAME as RULES
from judges.rules import settled, vetoed

#: Judges of likeness. Where the structured judge has understood both answers, likeness of their texts is no evidence.
_LIKENESS = frozenset({"lexical", "semantic"})
#: Asked always: what they find is shown, not only counted. They cost nothing.
_ALWAYS = frozenset({"markers"})
_DECISIVE = frozenset({"structured", "rules"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """accept, reject: the verdict at and above, at and below; between them the panel abstains.

    sure: from here, or from 1 - sure downwards, no judge that costs money is asked. sure_free: the same for judges of likeness,
    which cost milliseconds.
    """

    accept: float = 0.6
    reject: float = 0.4
    sure: float = 0.9
    sure_free: float = 0.97

    def __post_init__(self) -> None:
        if not 0 < self.reject < self.accept < 1 or not self.accept <= self.sure <= self.sure_free < 1:
            raise ValueError("thresholds have to satisfy 0 < reject < accept <= sure <= sure_free < 1")

    def verdict(self, probability: float | None) -> Verdict:
        """The verdict at a calibrated probability; abstain where there is none."""
        if probability is None or self.reject < probability < self.accept:
            return "abstain"
        return "accept" if probability >= self.accept else "reject"


class Panel:
    """Asks its judges in the order given and stops when sure; combines what they said into one calibrated probability.

    Rules come first: the same text is accepted, an empty answer or a refusal where the reference answers is rejected, and an
    answer that talks to the judge is never accepted. A judge that is unavailable counts as an abstention with its reason.
    """

    name = "panel@2"

    def __init__(
        self, judges: Sequence[Judge], *, calibration: Calibration | None = None, thresholds: Thresholds | None = None
    ) -> None:
        self.judges = tuple(judges)
        self.calibration = calibration or Calibration()
        self.thresholds = thresholds or Thresholds()

    async def judge(self, comparisons: Sequence[Comparison]) -> list[PanelJudgment]:
        """One judgment per comparison, same order."""
        said = [self.opening(c) for c in comparisons]
        for judge in self.judges:
            await self.ask(judge, comparisons, said)
        return [self.conclude(c, tuple(heard)) for c, heard in zip(comparisons, said, strict=True)]

    @staticmethod
    def opening(comparison: Comparison) -> list[Judgment]:
        """What is known before any judge is asked."""
        rule = settled(comparison)
        return [] if rule is None else [rule]

    async def ask(self, judge: Judge, comparisons: Sequence[Comparison], said: Sequence[list[Judgment]]) -> list[int]:
        """Ask one judge about those it can still help with; adds to `said` and returns their places."""
        places = [i for i, c in enumerate(comparisons) if self._worth_asking(judge, c, said[i])]
        if not places:
            return []
        try:
            judgments = await judge.judge([comparisons[i] for i in places])
        except JudgeUnavailable as exc:
            judgments = [
                Judgment(judge=judge.name, verdict="abstain", score=None, rationale=f"unavailable: {exc}")
            ] * len(places)
        for i, judgment in zip(places, judgments, strict=True):
            said[i].append(judgment)
        return places

    def _worth_asking(self, judge: Judge, comparison: Comparison, heard: Sequence[Judgment]) -> bool:
        kind = _kind(judge.name)
        if kind in _ALWAYS:
            return True
        if any(j.judge == RULES for j in heard):
            return False
        if kind in _LIKENESS and any(_kind(j.judge) in _DECISIVE and j.score is not None for j in heard):
            return False
        probability = self.calibration.combined(heard, comparison.query_type)
        sure = self.thresholds.sure_free if kind in _LIKENESS else self.thresholds.sure
        return probability is None or 1 - sure < probability < sure

    def conclude(self, comparison: Comparison, heard: tuple[Judgment, ...]) -> PanelJudgment:
        """One probability and verdict from what was said."""
        counted = [j for j in heard if j.judge == RULES and j.score is not None] or list(heard)
        probability = self.calibration.combined(counted, comparison.query_type)
        verdict = self.thresholds.verdict(probability)
        estimate = self.calibration.base_rate(comparison.query_type) if probability is None else probability
        if verdict == "accept" and (veto := vetoed(comparison)) is not None and not _same_text(heard):
            verdict, estimate = "abstain", min(estimate, self.thresholds.reject)
            heard = (*heard, veto)
        return PanelJudgment(
            panel=self.name,
            verdict=verdict,
            probability=None if verdict == "abstain" else probability,
            judgments=heard,
            estimate=estimate,
        )

    def with_calibration(self, calibration: Calibration) -> Panel:
        """The same panel with another calibration."""
        return Panel(self.judges, calibration=calibration, thresholds=dataclasses.replace(self.thresholds))

    def of(self, judges: Sequence[Judge]) -> Panel:
        """A panel of other judges with the same calibration and thresholds. What they have loaded is shared."""
        return Panel(judges, calibration=self.calibration, thresholds=self.thresholds)


def _kind(name: str) -> str:
    """The judge's name without its version."""
    return name.partition("@")[0]


def _same_text(heard: Sequence[Judgment]) -> bool:
    return any(j.judge == RULES and j.verdict == "accept" for j in heard)
