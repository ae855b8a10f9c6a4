"""What is a published figure, and what stands in its place when there is none?"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

Method = Literal[
    "two_phase",
    "judge_only",
    "labels_only",
    "exact",
    "wilson",
    "newcombe",
    "cost_per_success",
    "ratio",
    "order_statistics",
]

Reason = Literal[
    "no_requests",
    "no_samples",
    "one_sample",
    "no_verdicts",
    "no_labels",
    "one_label",
    "not_identified",
    "tier_without_samples",
    "tier_without_verdicts",
    "tier_without_labels",
    "reviewer_unmeasured",
    "reviewer_uninformative",
    "too_few_priced_pairs",
    "no_control_samples",
    "control_failed",
    "few_control_pairs",
    "is_reference",
    "few_baseline_pairs",
    "no_room_to_rise",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its interval at confidence `level`. There is no estimate without data: functions return None
    instead, never NaN.

    n: samples behind it; labelled: human labels among them; effective_n: the equally weighted draws it is worth
    (None where the interval is exact or not of Wilson's kind).
    high: None means unbounded above: cost per success, quantiles of few requests. Proportions always have both ends, in [0, 1].
    corrected: False marks a figure that rests on the judges alone.
    Raises ValueError for a number that is not finite and for low <= value <= high violated.
    """

    value: float
    low: float
    high: float | None
    n: int
    level: float
    method: Method
    labelled: int = 0
    effective_n: float | None = None
    corrected: bool = True

    def __post_init__(self) -> None:
        numbers = [self.value, self.low, self.level]
        numbers += [x for x in (self.high, self.effective_n) if x is not None]
        if not all(isfinite(x) for x in numbers):
            raise ValueError(f"an estimate must be finite: {self!r}")
        if self.low > self.value or (self.high is not None and self.value > self.high):
            raise ValueError(f"an estimate must lie in its interval: {self!r}")

    @property
    def width(self) -> float | None:
        """high - low; None where unbounded."""
        return None if self.high is None else self.high - self.low

    def covers(self, truth: float) -> bool:
        """Whether the interval holds this value."""
        return self.low <= truth and (self.high is None or truth <= self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undefined:
    """Why there is no estimate. `reason` is for machines, `detail` for people (a tier's name, a count)."""

    reason: Reason
    detail: str = ""
