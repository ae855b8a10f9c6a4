"""What does the router hand to the rest of the product? Values and ports, no behaviour.

An `Exchange` is the one record of a request: what was decided, what was tried, what it cost and what was said. It is
written to the spool as one line of JSON (see `router.spool`) and is all that the shadow side ever learns of a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

Impact = Literal["low", "normal", "high"]
Tolerance = Literal["low", "normal", "high"]
#: What stands for a tier in an attempt that was made in order to decide. No tier can have this name.
SCORER_TIER = "(scorer)"
Status = Literal["answered", "failed", "cancelled"]
#: Why a request was served above its predicted tier. The first reason that moved it wins.
Reason = Literal["rule", "low_confidence", "impact", "session", "context", "fallback", "cascade", "pinned", "feedback"]
#: Confidence bands, strata of the sampler and of every estimate: lower bounds 0, .5, .7, .85, .95.
BANDS: tuple[tuple[float, str], ...] = ((0.95, "b95"), (0.85, "b85"), (0.70, "b70"), (0.50, "b50"), (0.0, "b00"))


def confidence_band(confidence: float) -> str:
    """The band that a confidence in [0, 1] falls into."""
    return next(name for lower, name in BANDS if confidence >= lower)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What the caller told us about the request, from `x-shadow-*` headers or the body's `metadata`."""

    user: str | None = None
    feature: str | None = None
    query_type: str | None = None
    impact: Impact = "normal"
    error_tolerance: Tolerance = "normal"
    session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Text features of a request, computed once. `text`, `words`: last user message; the counts: the conversation."""

    text: str
    words: int
    conversation_tokens: int
    turns: int
    has_tools: bool = False
    has_images: bool = False
    wants_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which tier should answer, and why.

    scores: tier -> confidence `1 - (P(reference succeeds) - P(tier succeeds))`, in [0, 1]; the top tier has 1.
    predicted: the cheapest tier whose score reaches its threshold. chosen: the tier to serve after rules, band, hints.
    confidence: the score of the predicted tier. reason: None when chosen is not above predicted.
    """

    scores: Mapping[str, float]
    predicted: str
    chosen: str
    confidence: float
    reason: Reason | None
    rule: str | None = None

    @property
    def band(self) -> str:
        return confidence_band(self.confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to one model. Failed attempts that were billed carry their cost as well.

    tier: SCORER_TIER for a call that was made in order to decide.
    """

    tier: str
    provider: str
    model: str
    latency_seconds: float
    outcome: str  # "ok" or an error kind: "http_429", "timeout", "connect", "cut", "bad_body", "cancelled", ...
    http_status: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One client request and all that happened to it. Exactly one exists per request that reached a decision."""

    request_id: str  # UUIDv7, text form
    started_at: datetime  # aware, UTC
    policy_version: int  # 0: the thresholds of the config file, before any policy was received
    dialect: str  # "openai.chat"
    hints: Hints
    query_type: str  # "unknown" where neither hint nor classifier said
    query_type_source: str  # "hint", "rule", "classifier" or "none"
    requested_model: str
    decision: Decision
    served_tier: str | None  # None: nobody answered
    served_model: str | None  # the model that the provider says has answered
    reason: Reason | None  # why served above predicted, after fallback and cascade; None if it was not
    status: Status
    http_status: int
    error_kind: str | None
    streamed: bool
    latency_seconds: float
    first_token_seconds: float | None
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal  # of all attempts
    attempts: tuple[Attempt, ...] = ()
    key_id: str | None = None
    request_body: str = ""  # JSON as the client sent it
    completion: str = ""  # text of the first choice
    tool_calls: str = ""  # JSON list, "" if none
    words: int = 0
    conversation_tokens: int = 0
    mode: Literal["route", "observe"] = "route"
    extra: Mapping[str, str] = field(default_factory=dict)


class Recorder(Protocol):
    """Where exchanges go. The inline path calls it before the last byte leaves and must not be held up by it."""

    async def record(self, exchange: Exchange) -> bool:
        """True once the operating system has it; False if that was not confirmed in time (counted, never raised)."""
        ...


class PolicySource(Protocol):
    """Where the thresholds in force come from."""

    def current(self) -> Policy:
        """The newest known policy. Must be a plain attribute look-up: it is called once per request."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TierPin:
    """Which model serves a tier first. configured: (provider, model) that the configuration names; with another, the pin is void.

    pinned: the model in its place, None for the configured one; candidate: serves `share` of the tier's requests. Both as a
    tier's model stands in the configuration.
    """

    version: int
    upgrade_id: int
    tier: str
    configured: tuple[str, str]
    pinned: Mapping[str, Any] | None = None
    candidate: Mapping[str, Any] | None = None
    share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An immutable, versioned map from score to tier.

    thresholds: every tier but the top one -> [0, 2]; above 1 no request reaches it. by_query_type: the same for query types
    that have thresholds of their own, all tiers named. pins: models in place of configured ones; they have versions of their own.
    """

    version: int
    thresholds: Mapping[str, float]
    band: float = 0.05
    by_query_type: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pins: tuple[TierPin, ...] = ()

    def thresholds_for(self, query_type: str) -> Mapping[str, float]:
        """Those of the query type, else those of all."""
        return self.by_query_type.get(query_type, self.thresholds) if self.by_query_type else self.thresholds
