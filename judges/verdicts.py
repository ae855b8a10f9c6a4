"""When is a probability a verdict? Thresholds that labels certify, by stage and query type, and cautious ones where none do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from judges.contracts import Verdict
from judges.selective import Certified

ANY = "*"  # the key of what was fitted on all query types together


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What verdicts are to hold: agreement with people of at least `agreement`, with this confidence. Both within (0.5, 1)."""

    agreement: float = 0.9
    confidence: float = 0.9

    def __post_init__(self) -> None:
        for name in ("agreement", "confidence"):
            if not 0.5 < getattr(self, name) < 1:
                raise ValueError(f"the target's {name} has to lie within (0.5, 1)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where nothing is certified. accept, reject: the verdict at and above, at and below; between them the panel abstains.

    sure: from here, or from 1 - sure downwards, no judge that costs money is asked. sure_free: the same for judges of likeness,
    which cost milliseconds. borrowed: confidence that a verdict needs at least on the thresholds of other query types.
    """

    accept: float = 0.75
    reject: float = 0.25
    borrowed: float = 0.85
    sure: float = 0.9
    sure_free: float = 0.97

    def __post_init__(self) -> None:
        if not 0 < self.reject < self.accept < 1 or not self.accept <= self.sure <= self.sure_free < 1:
            raise ValueError("thresholds have to satisfy 0 < reject < accept <= sure <= sure_free < 1")

    def verdict(self, probability: float | None) -> Verdict:
        """The verdict at a calibrated probability; abstain where there is none."""
        return _between(probability, self.accept, self.reject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What is certified at one stage for one query type: verdicts where p or 1 - p is at least `found.threshold`.

    labels: rows with evidence. accepted, rejected: labelled rows on each side of those in `found`, and
    how many of them agreed: the certificate is on both sides together.
    """

    found: Certified
    labels: int
    accepted: tuple[int, int] = (0, 0)
    rejected: tuple[int, int] = (0, 0)

    @property
    def coverage(self) -> float:
        """Share of the labelled rows with evidence that get a verdict."""
        return self.found.n / self.labels if self.found.threshold is not None and self.labels else 0.0

    def verdict(self, probability: float, *, least: float = 0.5) -> Verdict:
        """The verdict at a calibrated probability. least: no looser threshold counts."""
        if self.found.threshold is None:
            return "abstain"
        threshold = max(self.found.threshold, least)
        return _between(probability, threshold, 1 - threshold)

    def to_json(self) -> dict[str, Any]:
        """The form kept in a calibration file."""
        return asdict(self.found) | {
            "labels": self.labels,
            "accepted": list(self.accepted),
            "rejected": list(self.rejected),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Cut:
        """Read back. Raises: KeyError, TypeError, ValueError."""
        threshold = value["threshold"]
        if threshold is not None and not 0.5 <= float(threshold) <= 1:
            raise ValueError("a certified threshold has to lie within [0.5, 1]")
        (accepted, accepted_right), (rejected, rejected_right) = value["accepted"], value["rejected"]
        return cls(
            found=Certified(
                threshold=None if threshold is None else float(threshold),
                bound=float(value["bound"]),
                n=int(value["n"]),
                agreed=int(value["agreed"]),
                n_effective=float(value["n_effective"]),
            ),
            labels=int(value["labels"]),
            accepted=(int(accepted), int(accepted_right)),
            rejected=(int(rejected), int(rejected_right)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Thresholds at which verdicts agree with people as the target says. stages: by judges asked so far, then by query type.

    A query type with labels enough has a cut of its own, which may certify nothing; `*` is that of all labels together.
    """

    target: Target
    stages: Mapping[str, Mapping[str, Cut]] = field(default_factory=dict)

    def cut(self, stage: str, query_type: str | None) -> tuple[Cut | None, bool]:
        """The cut that counts at this stage, and whether it is the query type's own."""
        cuts = self.stages.get(stage, {})
        own = cuts.get(query_type) if query_type is not None else None
        return (own, True) if own is not None else (cuts.get(ANY), False)

    def meets(self, target: Target) -> bool:
        """Whether it promises as much as this."""
        return self.target.agreement >= target.agreement and self.target.confidence >= target.confidence

    def to_json(self) -> dict[str, Any]:
        """The form kept in a calibration file."""
        return {
            "target_agreement": self.target.agreement,
            "confidence": self.target.confidence,
            "stages": {stage: {t: cut.to_json() for t, cut in cuts.items()} for stage, cuts in self.stages.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Certificate:
        """Read back. Raises: KeyError, TypeError, ValueError."""
        return cls(
            target=Target(agreement=float(value["target_agreement"]), confidence=float(value["confidence"])),
            stages={
                stage: {kind: Cut.from_json(cut) for kind, cut in cuts.items()}
                for stage, cuts in value["stages"].items()
            },
        )


def _between(probability: float | None, accept: float, reject: float) -> Verdict:
    if probability is None or reject < probability < accept:
        return "abstain"
    return "accept" if probability >= accept else "reject"
