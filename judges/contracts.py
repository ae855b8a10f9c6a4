"""What is compared, and what does a judge say? Values and the one port, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Protocol

Verdict = Literal["accept", "reject", "abstain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An answer held against a reference. Judges see this and nothing else: no model names, no labels, no tiers.

    prompt: the last user message, or the whole conversation as text. context: documents the answer must be grounded in.
    reference: None where there is none; then only markers and an absolute rubric have evidence.
    schema: the JSON schema the request asked for, if any. finish_reason: as the provider reported it ("length" = cut off).
    families: of the models behind answer and reference, as `judges.families` names them; only there to keep a language model
    from grading its own kin, and never shown to one.
    """

    prompt: str
    answer: str
    reference: str | None = None
    context: str | None = None
    query_type: str | None = None
    schema: Mapping[str, Any] | None = None
    finish_reason: str | None = None
    families: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A sign of hallucination or failure in the answer. start, end: character span in the answer, 0-based, half open."""

    kind: str  # "refusal", "hedge", "empty", "truncated", "repetition", "unsupported_number", "unsupported_name", ...
    start: int
    end: int
    text: str
    weight: float = 1.0  # how much it tells against the answer, in [0, 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """What one judge@version said. score: P(a careful human accepts), in [0, 1]; None exactly when the verdict is abstain.

    The score is the judge's own, before calibration: kept like that, a later calibration can be applied without asking again.
    """

    judge: str  # "structured@1"
    verdict: Verdict
    score: float | None
    rationale: str
    markers: tuple[Marker, ...] = ()
    cost_usd: Decimal = Decimal(0)
    latency_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelJudgment:
    """What the panel makes of its judges. probability: calibrated; None exactly when the verdict is abstain.

    estimate: the calibrated probability also where the panel abstains; the base rate where no judge had evidence.
    certified: labels of this query type back the thresholds behind the verdict. spared: judges that were not asked because the
    ones before them had decided.
    """

    panel: str  # "panel@1"
    verdict: Verdict
    probability: float | None
    judgments: tuple[Judgment, ...]
    estimate: float = 0.5
    certified: bool = False
    spared: tuple[str, ...] = ()

    @property
    def cost_usd(self) -> Decimal:
        return sum((j.cost_usd for j in self.judgments), Decimal(0))

    @property
    def markers(self) -> tuple[Marker, ...]:
        return tuple(m for j in self.judgments for m in j.markers)


class Judge(Protocol):
    """A stateless, versioned grader. A changed prompt, model or parser bumps the version."""

    @property
    def name(self) -> str:
        """name@version, for instance `lexical@1`."""
        ...

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order. Raises JudgeUnavailable where the judge itself failed."""
        ...
