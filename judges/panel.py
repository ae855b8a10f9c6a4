"""What do several judges make of an answer together, asking the dear ones only while the cheap ones leave doubt?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from judges.calibration import Calibration
from judges.contracts import Comparison, Judge, Judgment, PanelJudgment, Verdict
from judges.errors import JudgeUnavailable
from judges.rules import NAME as RULES
from judges.rules import settled, vetoed
from judges.stages import ALWAYS, LIKENESS, Stage, kind_of, stages_of
from judges.verdicts import Target, Thresholds

_DECISIVE = frozenset({"structured"})


@dataclass(slots=True, kw_only=True)
class Hearing:
    """One comparison on its way through the panel. said: by whom so far. verdict: as the judges asked so far leave it.

    decided: no further judge is asked. weighed: how many scores the verdict rests on. spared: who was not asked, as it was
    decided.
    """

    comparison: Comparison
    said: list[Judgment] = field(default_factory=list)
    verdict: Verdict = "abstain"
    certified: bool = False
    decided: bool = False
    weighed: int = 0
    spared: tuple[str, ...] = ()

    @property
    def scores(self) -> int:
        return sum(judgment.score is not None for judgment in self.said)

    @property
    def is_settled(self) -> bool:
        """Whether a rule has spoken: no judge is asked then."""
        return any(judgment.judge == RULES for judgment in self.said)

    @property
    def has_news(self) -> bool:
        """Whether a judge has given a score since the verdict was taken."""
        return not self.decided and self.scores > self.weighed


class Panel:
    """Asks its judges in the order given, stage by stage, and stops where the verdict is as sure as it has to be.

    Rules come first: the same text is accepted, an empty answer or a refusal where the reference answers is rejected, and an
    answer that talks to the judge is never accepted. A judge that is unavailable counts as an abstention with its reason.
    Where the calibration's certificate covers stage and query type, its thresholds decide; elsewhere `thresholds` do. target:
    what a certificate has to promise to count.
    """

    name = "panel@4"

    def __init__(
        self,
        judges: Sequence[Judge],
        *,
        calibration: Calibration | None = None,
        thresholds: Thresholds | None = None,
        target: Target | None = None,
    ) -> None:
        self.judges = tuple(judges)
        self.stages = stages_of(self.judges)
        self.calibration = calibration or Calibration()
        self.thresholds = thresholds or Thresholds()
        self.target = target
        found = self.calibration.certificate
        self.certificate = found if found is not None and (target is None or found.meets(target)) else None

    async def judge(self, comparisons: Sequence[Comparison]) -> list[PanelJudgment]:
        """One judgment per comparison, same order."""
        hearings = [self.opened(c) for c in comparisons]
        for stage in self.stages:
            await self.hear(stage, hearings)
            self.decide(stage, hearings)
        return [self.conclude(hearing) for hearing in hearings]

    @staticmethod
    def opened(comparison: Comparison) -> Hearing:
        """What is known before any judge is asked."""
        rule = settled(comparison)
        return Hearing(comparison=comparison, said=[] if rule is None else [rule])

    async def hear(self, stage: Stage, hearings: Sequence[Hearing]) -> None:
        """Ask the judges of a stage about all that is undecided and that they can help with."""
        for judge in stage.judges:
            await self._ask(judge, [h for h in hearings if _worth_asking(judge, h)])

    async def _ask(self, judge: Judge, hearings: Sequence[Hearing]) -> None:
        if not hearings:
            return
        try:
            judgments = await judge.judge([h.comparison for h in hearings])
        except JudgeUnavailable as exc:
            judgments = [
                Judgment(judge=judge.name, verdict="abstain", score=None, rationale=f"unavailable: {exc}")
            ] * len(hearings)
        for hearing, judgment in zip(hearings, judgments, strict=True):
            hearing.said.append(judgment)

    def decide(self, stage: Stage, hearings: Sequence[Hearing]) -> None:
        """Take the verdicts that the evidence now supports; those sure enough are final, the others go on to the next stage.

        A stage where nobody had anything to say, or where nothing is certified, leaves the verdict as the one before it did.
        """
        later = self.judges[self.judges.index(stage.judges[-1]) + 1 :]
        for hearing in hearings:
            probability = self.probability(hearing) if hearing.has_news else None
            if probability is None:
                continue
            hearing.weighed = hearing.scores
            query_type = hearing.comparison.query_type
            cut, own = (None, False) if self.certificate is None else self.certificate.cut(stage.key, query_type)
            if cut is None:
                verdict, enough = self.thresholds.verdict(probability), self.thresholds.sure
            elif cut.found.threshold is not None:
                verdict, enough = cut.verdict(probability, least=0.5 if own else self.thresholds.borrowed), 0.5
            else:
                continue
            hearing.verdict, hearing.certified = verdict, own
            if later and kind_of(later[0].name) in LIKENESS:
                enough = max(enough, self.thresholds.sure_free)
            final = not later or hearing.is_settled or max(probability, 1 - probability) >= enough
            if verdict != "abstain" and final:
                hearing.decided = True
                hearing.spared = tuple(judge.name for judge in later if _could_help(judge, hearing))

    def probability(self, hearing: Hearing) -> float | None:
        """P(a careful human accepts) by what was said so far; None where nobody has evidence. A rule outvotes all others."""
        about = hearing.comparison
        if ruled := [j for j in hearing.said if j.judge == RULES and j.score is not None]:
            return self.calibration.combined(ruled, about.query_type)
        unreferenced = not (about.reference or "").strip()
        return self.calibration.combined(hearing.said, about.query_type, unreferenced=unreferenced)

    def conclude(self, hearing: Hearing) -> PanelJudgment:
        """One probability and verdict from what was said."""
        probability, verdict, certified = self.probability(hearing), hearing.verdict, hearing.certified
        estimate = self.calibration.base_rate(hearing.comparison.query_type) if probability is None else probability
        heard = tuple(hearing.said)
        if verdict == "accept" and (veto := vetoed(hearing.comparison)) is not None and not _same_text(heard):
            verdict, certified, estimate = "abstain", False, min(estimate, self.thresholds.reject)
            heard = (*heard, veto)
        return PanelJudgment(
            panel=self.name,
            verdict=verdict,
            probability=None if verdict == "abstain" else probability,
            judgments=heard,
            estimate=estimate,
            certified=certified and verdict != "abstain",
            spared=hearing.spared,
        )

    def with_calibration(self, calibration: Calibration) -> Panel:
        """The same panel with another calibration."""
        return Panel(self.judges, calibration=calibration, thresholds=self.thresholds, target=self.target)

    def of(self, judges: Sequence[Judge]) -> Panel:
        """A panel of other judges with the same calibration and thresholds. What they have loaded is shared."""
        return Panel(judges, calibration=self.calibration, thresholds=self.thresholds, target=self.target)


def _worth_asking(judge: Judge, hearing: Hearing) -> bool:
    kind = kind_of(judge.name)
    if kind in ALWAYS:
        return True
    return not hearing.decided and not hearing.is_settled and _could_help(judge, hearing)


def _could_help(judge: Judge, hearing: Hearing) -> bool:
    """Whether it would be asked if nothing were decided: likeness tells nothing where both answers were understood."""
    kind = kind_of(judge.name)
    understood = any(kind_of(j.judge) in _DECISIVE and j.score is not None for j in hearing.said)
    return kind not in ALWAYS and not (kind in LIKENESS and understood)


def _same_text(heard: Sequence[Judgment]) -> bool:
    return any(j.judge == RULES and j.verdict == "accept" for j in heard)
