"""What does the console read? The shapes of its rows; money is a Decimal here and a number in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import PlainSerializer

from shadow.store.feedback import FeedbackRow

Usd = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One exchange. attempts: None where one attempt was made and it answered. rating: its client's, self-selected."""

    request_id: str
    started_at: datetime
    status: str
    http_status: int
    error_kind: str | None
    predicted_tier: str
    served_tier: str | None
    served_model: str | None
    reason: str | None
    rule: str | None
    confidence: float
    query_type: str
    feature: str | None
    user_id: str | None
    streamed: bool
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Usd
    latency_seconds: float
    first_token_seconds: float | None
    policy_version: int
    attempts: list[dict[str, Any]] | None
    sampled: bool
    rating: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """One sampled request. verdict, probability: the panel's word on the served answer."""

    sample_id: str
    started_at: datetime
    arm: str
    state: str
    failure: str | None
    served_tier: str
    served_model: str
    reference_tier: str
    query_type: str
    feature: str
    band: str
    policy_version: int
    pi: float
    eta: float
    label_drawn: bool
    counts_for_accuracy: bool
    verdict: str | None
    probability: float | None
    labelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgmentRow:
    """What one judge@version said of one answer. markers: dicts with kind, start, end, text, weight."""

    sample_id: str
    tier: str
    repeat: int
    judge: str
    verdict: str
    score: float | None
    rationale: str
    markers: list[dict[str, Any]]
    cost_usd: Usd
    latency_seconds: float
    judged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """A reviewer's word on one answer."""

    sample_id: str
    tier: str
    repeat: int
    label: int
    reviewer: str
    labelled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """An answer of a sample with all that was said of it. completion: None where it failed or its text is gone."""

    tier: str
    repeat: int
    served: bool
    pi: float
    model: str | None
    outcome: str
    completion: str | None
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Usd
    latency_seconds: float | None
    panel: str | None
    verdict: str | None
    probability: float | None
    judgments: list[JudgmentRow]
    labels: list[LabelRow]

    @property
    def markers(self) -> list[dict[str, Any]]:
        """Those of all judges."""
        return [marker for judgment in self.judgments for marker in judgment.markers]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDetail:
    """A sample with its prompt and every answer, served first. prompt: None where the text is gone.

    feedback: what was said about the served answer; self-selected, and no label.
    """

    sample: SampleRow
    prompt: str | None
    answers: list[AnswerRow]
    feedback: list[FeedbackRow]

    @property
    def served(self) -> AnswerRow | None:
        return next((answer for answer in self.answers if answer.served), None)

    @property
    def reference(self) -> AnswerRow | None:
        """What the served answer was held against: the reference tier's first answer, or its second one on top."""
        others = [a for a in self.answers if a.tier == self.sample.reference_tier and not a.served]
        return min(others, key=lambda answer: answer.repeat, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRow:
    """What one tier, user, feature or query type cost. name: "" where the client did not say."""

    name: str
    requests: int
    cost_usd: Usd


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """Shadow money of one UTC day and purpose (mirror, judge). reserved: worst cases not settled yet; they count as spent."""

    day: date
    purpose: str
    spent_usd: Usd
    reserved_usd: Usd


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowBucket:
    """Requests that ended in a bucket, by serving tier ("" where nobody answered)."""

    start: datetime
    requests: Mapping[str, int]
