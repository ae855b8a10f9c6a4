"""What may be said about the choice of a tier?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from router.settings.breaker import BreakerSettings
from router.settings.query_types import QueryTypeSettings
from router.settings.rules import RuleSettings
from router.settings.scorers import ScorerSettings
from router.settings.sessions import SessionSettings
from router.settings.values import Flaw, ModelName, Share, Strict


class CascadeSettings(Strict):
    """When an answer that is not streamed, or held, is asked for again from the next tier."""

    causes: tuple[Flaw, ...] = Field(
        ("schema", "empty"),
        description="`schema`: the JSON that `response_format` asks for is broken. `empty`: nothing was said. `truncated`: the"
        " model's own token limit ended it. `refusal`: the model says that it can't. Empty list: nothing is inspected.",
    )
    max_steps: int = Field(2, ge=0, le=10, description="Tiers asked beyond the first; 0: flaws are recorded only.")


class FeedbackRetrySettings(Strict):
    """How long a request is remembered, so that its client may ask for a better answer. A 0 switches that off."""

    seconds: float = Field(600, ge=0, description="How long an answered request is remembered; 0: not at all.")
    megabytes: float = Field(
        16, ge=0, le=1024, description="Memory for that, in megabytes; the oldest are forgotten first. 0: none."
    )


class RoutingSettings(Strict):
    """How a tier is chosen."""

    mode: Literal["route", "observe"] = Field(
        "route", description="observe: decide and record, serve `observe_tier`, mirror to the tier decided for."
    )
    observe_tier: str | None = Field(None, description="Tier that serves in mode observe; null: the top tier.")
    thresholds: dict[str, Share] = Field(description="For every tier but the top one: the confidence it needs.")
    band: Share = Field(0.05, description="Confidence within the band above the threshold: one tier up; 0: off.")
    rules: tuple[RuleSettings, ...] = Field((), description="Asked in order, before the scorer; the first match wins.")
    scorer: ScorerSettings = Field(ScorerSettings(), description="Where the confidence comes from.")
    query_types: QueryTypeSettings = Field(
        QueryTypeSettings(), description="How the type of a request is told where no hint says it."
    )
    sessions: SessionSettings = Field(
        SessionSettings(), description="Users who ask again in other words, or are frustrated, get the next tier."
    )
    alias: ModelName = Field("auto", description="The value of `model` that asks for routing.")
    deadline_seconds: float = Field(60, gt=0, description="No attempt starts later than this after the request came.")
    breaker: BreakerSettings = Field(BreakerSettings(), description="When a failing model or tier is left alone.")
    feedback_retry: FeedbackRetrySettings = Field(
        FeedbackRetrySettings(), description="What `retry` in `POST /v1/feedback` can still answer again."
    )
    cascade: CascadeSettings = Field(CascadeSettings(), description="When the next tier is asked for a better answer.")
    hold: Literal["off", "full"] = Field(
        "off",
        description="`full`: a streamed answer is held back until it is complete, so that a fault in its middle is rescued;"
        " the header `x-shadow-hold` decides for one request.",
    )
    coalesce: bool = Field(
        False,
        description="Identical requests of one key at temperature 0, not streamed and under way at the same time, share one"
        " call.",
    )
    drop_unsupported: bool = Field(
        False,
        description="A field that can't be carried into a model's dialect: false: the model is not asked, and where nobody else"
        " is left the client gets a 400 that names the field; true: it is left out and listed in `x-shadow-dropped`.",
    )
