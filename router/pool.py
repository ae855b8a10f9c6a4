"""Which models can be called, where, and what does the client's `model` stand for?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import orjson

from router.errors import ApiKeyMissing, RequestRejected
from router.pricing import Price, resolve_prices
from router.settings import ModelSettings, ProviderSettings, RouterSettings, TierSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One model at one provider, ready to be called. Its key never shows in a repr."""

    tier: str
    provider: str
    model: str
    url: str
    api_key: str | None = field(default=None, repr=False)
    price: Price
    context_tokens: int
    timeout_seconds: float
    first_token_seconds: float
    max_retries: int
    model_json: bytes  # the model id as JSON, ready to be spliced in
    stream_usage: bool = True  # the endpoint knows `stream_options`
    dialect: str = "openai.chat"
    default_max_tokens: int = 4096  # for a dialect that needs a limit, where the client names none

    @property
    def key(self) -> tuple[str, str]:
        return (self.provider, self.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The client asked for a tier, or for one model of it (`model` is then its id)."""

    tier: str
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """All tiers, cheapest first, each with its fallback chain."""

    tiers: tuple[str, ...]
    chains: Mapping[str, tuple[Target, ...]]
    alias: str
    owners: Mapping[str, str]  # model id -> tier

    def windows(self) -> dict[str, int]:
        """tier -> the largest context window in it."""
        return {tier: max(target.context_tokens for target in chain) for tier, chain in self.chains.items()}

    def rank(self, tier: str) -> int:
        return self.tiers.index(tier)

    def names(self) -> tuple[str, ...]:
        """Everything a client may put into `model`."""
        return (self.alias, *self.tiers, *self.owners)

    def pin_for(self, model: str) -> Pin | None:
        """What the client's `model` pins; None when it asks for routing.

        Raises: RequestRejected (404) that names the known values.
        """
        if model == self.alias:
            return None
        if model in self.chains:
            return Pin(tier=model)
        if (tier := self.owners.get(model)) is not None:
            return Pin(tier=tier, model=model)
        raise RequestRejected(
            404,
            f"The model {model[:200]!r} does not exist here. Known: {', '.join(self.names())}.",
            code="model_not_found",
            param="model",
        )

    def plan(
        self,
        tier: str,
        pin: Pin | None,
        needed_tokens: int,
        chains: Mapping[str, tuple[Target, ...]] | None = None,
    ) -> tuple[Target, ...]:
        """The targets to try in order: the tier's chain, then the tiers above it. A pin is kept: nobody else answers.

        Inside a tier, models whose window is too small for `needed_tokens` come last. chains: of the models in force, where
        these are others than configured; a client that names one model gets that one.
        """
        if pin is not None and pin.model is not None:
            return tuple(target for target in self.chains[pin.tier] if target.model == pin.model)
        in_force = self.chains if chains is None else chains
        if pin is not None:
            return in_force[pin.tier]
        above = self.tiers[self.rank(tier) :]
        plan = [target for name in above for target in in_force[name]]
        if any(target.context_tokens < needed_tokens for target in plan):
            plan.sort(key=lambda target: (self.rank(target.tier), target.context_tokens < needed_tokens))
        return tuple(plan)


#: kind of a provider -> name of its dialect.
DIALECTS = {"openai": "openai.chat", "anthropic": "anthropic.messages"}
_PATHS = {"openai": "/chat/completions", "anthropic": "/messages"}


def endpoint(provider: ProviderSettings) -> str:
    """Where a provider takes requests."""
    return provider.base_url + _PATHS[provider.kind]


def build_pool(settings: RouterSettings, environ: Mapping[str, str]) -> Pool:
    """Resolve prices and keys.

    Raises: PriceUnknown, ApiKeyMissing: one line for each problem.
    """
    prices = resolve_prices(settings.providers, settings.tiers)
    used = {entry.provider for tier in settings.tiers for entry in tier.models}
    missing = [
        f"providers.{name}: the environment variable {provider.api_key_env} (api_key_env) is not set"
        for name, provider in settings.providers.items()
        if name in used and provider.api_key_env is not None and not environ.get(provider.api_key_env)
    ]
    if missing:
        raise ApiKeyMissing(missing)
    chains: dict[str, tuple[Target, ...]] = {}
    for tier in settings.tiers:
        targets = [
            _target(tier.name, entry, settings, prices[entry.provider, entry.model], environ) for entry in tier.models
        ]
        chains[tier.name] = tuple(targets)
    return Pool(
        tiers=tuple(chains),
        chains=chains,
        alias=settings.routing.alias,
        owners={target.model: target.tier for chain in chains.values() for target in chain},
    )


def target_of(tier: str, entry: ModelSettings, settings: RouterSettings, environ: Mapping[str, str]) -> Target:
    """A model that the configuration's tiers do not name. Raises: KeyError for a provider that is not configured, PriceUnknown,
    ApiKeyMissing."""
    provider = settings.providers[entry.provider]
    if provider.api_key_env is not None and not environ.get(provider.api_key_env):
        raise ApiKeyMissing([f"the environment variable {provider.api_key_env} of {entry.provider!r} is not set"])
    named = TierSettings(name=tier, models=(entry,))
    price = resolve_prices(settings.providers, [named])[entry.provider, entry.model]
    return _target(tier, entry, settings, price, environ)


def _target(
    tier: str, entry: ModelSettings, settings: RouterSettings, price: Price, environ: Mapping[str, str]
) -> Target:
    provider = settings.providers[entry.provider]
    return Target(
        tier=tier,
        provider=entry.provider,
        model=entry.model,
        url=endpoint(provider),
        api_key=environ[provider.api_key_env].strip() if provider.api_key_env else None,
        price=price,
        context_tokens=entry.context_tokens,
        timeout_seconds=provider.timeout_seconds,
        first_token_seconds=provider.first_token_seconds,
        max_retries=provider.max_retries,
        model_json=orjson.dumps(entry.model),
        stream_usage=provider.stream_usage,
        dialect=DIALECTS[provider.kind],
        default_max_tokens=provider.default_max_tokens,
    )


def expected_cost_usd(target: Target, prompt_tokens: int, max_completion_tokens: int | None) -> Decimal:
    """What a call will cost, before the answer is known: a usual answer, or less where the client limits it."""
    return target.price.cost_usd(prompt_tokens, min(max_completion_tokens or 256, 256))
