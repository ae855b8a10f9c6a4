"""What may be said about leaving a failing model or tier alone?"""

from __future__ import annotations

from pydantic import Field

from router.settings.values import Strict


class BreakerSettings(Strict):
    """When a failing model or tier is left alone, and for how long."""

    failures: int = Field(5, ge=1, description="Failed attempts in a row that open the breaker of a model.")
    tier_failures: int = Field(
        3,
        ge=1,
        description="Requests in a row that no model of a tier could answer; they open the breaker of the tier.",
    )
    cooldown_seconds: float = Field(10, gt=0, description="First pause; doubles with each failed probe, up to 8 times.")
