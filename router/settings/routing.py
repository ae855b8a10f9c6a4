"""What may be said about the choice of a tier?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from router.settings.rules import RuleSettings
from router.settings.scorers import ScorerSettings
from router.settings.values import ModelName, Share, Strict


class BreakerSettings(Strict):
    """When a failing model is left alone, and for how long."""

    failures: int = Field(5, ge=1, description="Failed attempts in a row that open the breaker.")
    cooldown_seconds: float = Field(10, gt=0, description="First pause; doubles with each failed probe, up to 8 times.")


class FeedbackRetrySettings(Strict):
    """How long a request is remembered, so that its client may ask for a better answer. A 0 switches that off."""

    seconds: float = Field(600, ge=0, description="How long an answered request is remembered; 0: not at all.")
    megabytes: float = Field(
        16, ge=0, le=1024, description="Memory for that, in megabytes; the oldest are forgotten first. 0: none."
    )


class RoutingSettings(Strict):
    """How a tier is chosen."""

    mode: Literal["route", "observe"] = Field("route", description="observe: decide and record, serve `observe_tier`.")
    observe_tier: str | None = Field(None, description="Tier that serves in mode observe; null: the top tier.")
    thresholds: dict[str, Share] = Field(description="For every tier but the top one: the confidence it needs.")
    band: Share = Field(0.05, description="Confidence within the band above the threshold: one tier up; 0: off.")
    rules: tuple[RuleSettings, ...] = Field((), description="Asked in order, before the scorer; the first match wins.")
    scorer: ScorerSettings = Field(ScorerSettings(), description="Where the confidence comes from.")
    alias: ModelName = Field("auto", description="The value of `model` that asks for routing.")
    deadline_seconds: float = Field(60, gt=0, description="No attempt starts later than this after the request came.")
    breaker: BreakerSettings = Field(BreakerSettings(), description="When a failing model is left alone.")
    feedback_retry: FeedbackRetrySettings = Field(
        FeedbackRetrySettings(), description="What `retry` in `POST /v1/feedback` can still answer again."
    )
