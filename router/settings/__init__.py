"""What may be configured about routing, and does it fit together?

These models are the keys `providers`, `tiers`, `routing` and `server` of `shadow.yaml`. Each rejects unknown keys; what
a single model cannot see (a tier that names an unknown provider, say) is found by `routing_problems`, all at once.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from router.settings.breaker import BreakerSettings
from router.settings.problems import check_routing, routing_problems
from router.settings.providers import ProviderSettings
from router.settings.query_types import QueryTypeSettings
from router.settings.routing import CascadeSettings, RoutingSettings
from router.settings.rules import RuleSettings, WhenSettings
from router.settings.scorers import ScorerSettings
from router.settings.server import ServerSettings
from router.settings.sessions import SessionSettings
from router.settings.tiers import DatedPriceSettings, ModelSettings, PriceSettings, TierSettings
from router.settings.values import Strict

__all__ = [
    "BreakerSettings",
    "CascadeSettings",
    "DatedPriceSettings",
    "ModelSettings",
    "PriceSettings",
    "ProviderSettings",
    "QueryTypeSettings",
    "RouterSettings",
    "RoutingSettings",
    "RuleSettings",
    "ScorerSettings",
    "ServerSettings",
    "SessionSettings",
    "TierSettings",
    "WhenSettings",
    "check_routing",
    "routing_problems",
]


class RouterSettings(Strict):
    """The router's part of the configuration, checked as a whole."""

    providers: dict[str, ProviderSettings] = Field(min_length=1, description="Endpoints, by a name of your choice.")
    tiers: tuple[TierSettings, ...] = Field(min_length=2, description="Cheapest first, at least two.")
    routing: RoutingSettings = Field(description="How a tier is chosen.")
    server: ServerSettings = Field(ServerSettings(), description="Where to listen.")

    @model_validator(mode="after")
    def _fits_together(self) -> RouterSettings:
        if problems := routing_problems(self.providers, self.tiers, self.routing):
            raise ValueError("; ".join(problems))
        return self
