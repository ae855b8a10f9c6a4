"""What may be said about tiers, their models and their prices?"""

from __future__ import annotations

from pydantic import Field

from router.settings.breaker import BreakerSettings
from router.settings.values import ModelName, Strict, TierName, UsdPerMtok


class PriceSettings(Strict):
    """What a model costs, in USD per million tokens. A local model costs an explicit 0."""

    input_usd_per_mtok: UsdPerMtok = Field(description="Per million tokens of the conversation.")
    output_usd_per_mtok: UsdPerMtok = Field(description="Per million tokens of the answer.")
    cached_usd_per_mtok: UsdPerMtok | None = Field(None, description="Cached input tokens; null: as input tokens.")


class ModelSettings(Strict):
    """A model of a tier, at a provider."""

    provider: str = Field(description="A key of `providers`.")
    model: ModelName = Field(description="The pinned model id, as the provider spells it.")
    context_tokens: int = Field(128_000, ge=256, description="Context window: conversation and answer together.")
    price: PriceSettings | None = Field(None, description="null: looked up in the price table when the router starts.")


class TierSettings(Strict):
    """A price and quality class. Its models are the fallback chain, in order."""

    name: TierName = Field(description="Asked for in `model`, shown in headers, metrics and figures.")
    models: tuple[ModelSettings, ...] = Field(min_length=1, description="The fallback chain, in order.")
    max_concurrency: int | None = Field(
        None, ge=1, description="Requests that the tier works on at once, in each router process; null: no limit."
    )
    max_waiting: int = Field(
        100, ge=0, description="Requests that may wait for a place; one more goes to the tier above at once."
    )
    max_wait_seconds: float = Field(1, ge=0, description="Longest wait for a place before going to the tier above.")
    breaker: BreakerSettings | None = Field(
        None, description="For this tier and its models, in place of `routing.breaker`."
    )
