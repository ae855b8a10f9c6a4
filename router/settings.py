"""What may be configured about routing, and does it fit together?

These models are the keys `providers`, `tiers`, `routing` and `server` of `shadow.yaml`. Each rejects unknown keys; what
a single model cannot see (a tier that names an unknown provider, say) is found by `routing_problems`, all at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from router.contracts import Impact, Tolerance
from router.errors import ConfigInvalid


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


#: A tier's name: it is a metric label, a response header and a value of `model`.
TierName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
#: A model id as the provider spells it; visible ASCII, as it ends up in a header.
ModelName = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
UsdPerMtok = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProviderSettings(_Strict):
    """One endpoint that answers chat completions."""

    kind: Literal["openai"] = Field("openai", description="Dialect of the endpoint.")
    base_url: str = Field(description="Up to and including the version, for example https://api.openai.com/v1.")
    api_key_env: str | None = Field(None, description="Environment variable holding the key; null: no key is sent.")
    timeout_seconds: float = Field(
        30, gt=0, description="Longest wait for a whole answer; when streaming, longest silence between two chunks."
    )
    first_token_seconds: float = Field(10, gt=0, description="Longest wait for the first streamed event.")
    max_retries: int = Field(2, ge=0, le=10, description="Further attempts at the same model before moving on.")

    @field_validator("kind", mode="before")
    @classmethod
    def _known_kind(cls, value: object) -> object:
        if value == "anthropic":
            raise ValueError("kind anthropic is not supported yet: use its OpenAI-compatible endpoint for now")
        return value

    @field_validator("base_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("base_url must look like https://host/v1")
        return value.rstrip("/")


class PriceSettings(_Strict):
    """What a model costs, in USD per million tokens. A local model costs an explicit 0."""

    input_usd_per_mtok: UsdPerMtok = Field(description="Per million tokens of the conversation.")
    output_usd_per_mtok: UsdPerMtok = Field(description="Per million tokens of the answer.")
    cached_usd_per_mtok: UsdPerMtok | None = Field(None, description="Cached input tokens; null: as input tokens.")


class ModelSettings(_Strict):
    """A model of a tier, at a provider."""

    provider: str = Field(description="A key of `providers`.")
    model: ModelName = Field(description="The pinned model id, as the provider spells it.")
    context_tokens: int = Field(128_000, ge=256, description="Context window: conversation and answer together.")
    price: PriceSettings | None = Field(None, description="null: looked up in the price table when the router starts.")


class TierSettings(_Strict):
    """A price and quality class. Its models are the fallback chain, in order."""

    name: TierName = Field(description="Asked for in `model`, shown in headers, metrics and figures.")
    models: tuple[ModelSettings, ...] = Field(min_length=1, description="The fallback chain, in order.")


class WhenSettings(_Strict):
    """The conditions of a rule. All that are given must hold; of a list, one entry must."""

    feature: Names = Field((), description="One of these features, as hinted by the caller.")
    user: Names = Field((), description="One of these users, as hinted by the caller.")
    query_type: Names = Field((), description="One of these query types, as hinted by the caller.")
    impact: Impact | None = Field(None, description="Exactly this impact; requests without a hint have `normal`.")
    error_tolerance: Tolerance | None = Field(
        None, description="Exactly this error tolerance; requests without a hint have `normal`."
    )
    max_words: int | None = Field(None, ge=0, description="Words of the last user message, at most.")
    min_words: int | None = Field(None, ge=0, description="Words of the last user message, at least.")
    min_context_tokens: int | None = Field(None, ge=0, description="Estimated tokens of the conversation, at least.")
    contains_any: Names = Field((), description="Parts of the last user message, in any letter case.")

    @model_validator(mode="after")
    def _not_empty(self) -> WhenSettings:
        if self == WhenSettings.model_construct():
            raise ValueError("a rule needs at least one condition")
        return self


class RuleSettings(_Strict):
    """Requests that match go to `tier`, whatever the scorer says. The first rule that matches wins."""

    name: str = Field(min_length=1, max_length=100, description="Recorded with each request that it decides.")
    when: WhenSettings = Field(description="What a request must be like.")
    tier: str = Field(description="The tier that serves it.")


class ScorerSettings(_Strict):
    """How the confidence in each tier is estimated."""

    kind: Literal["heuristic", "learned"] = Field(
        "heuristic", description="`heuristic`: a rule of thumb on the text. `learned`: a model made by `shadow train`."
    )
    model_dir: str | None = Field(
        None,
        min_length=1,
        description="Directory of the trained model, for kind `learned`; its tiers must be these tiers.",
    )

    @model_validator(mode="after")
    def _has_a_model(self) -> ScorerSettings:
        if self.kind == "learned" and self.model_dir is None:
            raise ValueError("kind learned needs model_dir, the directory that `shadow train --out` has written")
        return self


class BreakerSettings(_Strict):
    """When a failing model is left alone, and for how long."""

    failures: int = Field(5, ge=1, description="Failed attempts in a row that open the breaker.")
    cooldown_seconds: float = Field(10, gt=0, description="First pause; doubles with each failed probe, up to 8 times.")


class RoutingSettings(_Strict):
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


class ServerSettings(_Strict):
    """Where to listen."""

    host: str = Field(
        "127.0.0.1", description="Address of router and console. Beyond loopback the router wants SHADOW_API_KEYS."
    )
    port: int = Field(8080, ge=1, le=65535, description="Port of the router.")
    control_port: int = Field(8081, ge=1, le=65535, description="Port of the console and the control API.")
    max_body_bytes: int = Field(10 * 1024 * 1024, ge=1024, description="A larger request body is a 413.")


class RouterSettings(_Strict):
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


def check_routing(
    providers: Mapping[str, ProviderSettings], tiers: Sequence[TierSettings], routing: RoutingSettings
) -> None:
    """Raise when the parts do not fit together.

    Raises: ConfigInvalid with one line for each problem.
    """
    if problems := routing_problems(providers, tiers, routing):
        raise ConfigInvalid(problems)


def routing_problems(
    providers: Mapping[str, ProviderSettings], tiers: Sequence[TierSettings], routing: RoutingSettings
) -> list[str]:
    """Every contradiction between providers, tiers and routing, as lines that name the key. Empty: all is well."""
    names = [tier.name for tier in tiers]
    return [
        *_tier_problems(providers, tiers),
        *_threshold_problems(names, routing),
        *_clashes(tiers, routing),
        *(
            f"routing.rules: rule {rule.name!r} names the unknown tier {rule.tier!r} (known: {', '.join(names)})"
            for rule in routing.rules
            if rule.tier not in names
        ),
        *(f"routing.rules: two rules are called {name!r}" for name in _repeated([rule.name for rule in routing.rules])),
    ]


def _tier_problems(providers: Mapping[str, ProviderSettings], tiers: Sequence[TierSettings]) -> list[str]:
    problems = [f"tiers: two tiers are called {name!r}" for name in _repeated([tier.name for tier in tiers])]
    if len(tiers) < 2:
        problems.append("tiers: at least two are needed, cheapest first")
    for tier in tiers:
        problems += [
            f"tiers.{tier.name}: model {entry.model!r} names the unknown provider {entry.provider!r}"
            f" (known: {', '.join(providers) or 'none'})"
            for entry in tier.models
            if entry.provider not in providers
        ]
        pairs = [f"{entry.model} at {entry.provider}" for entry in tier.models]
        problems += [f"tiers.{tier.name}: {pair} is listed twice" for pair in _repeated(pairs)]
    return problems


def _threshold_problems(names: Sequence[str], routing: RoutingSettings) -> list[str]:
    problems = []
    for name in routing.thresholds:
        if name not in names:
            problems.append(f"routing.thresholds: unknown tier {name!r} (known: {', '.join(names)})")
        elif name == names[-1]:
            problems.append(f"routing.thresholds: {name!r} is the top tier, it takes what is left and has no threshold")
    problems += [f"routing.thresholds: no threshold for tier {n!r}" for n in names[:-1] if n not in routing.thresholds]
    if routing.observe_tier is not None and routing.observe_tier not in names:
        problems.append(f"routing.observe_tier: unknown tier {routing.observe_tier!r} (known: {', '.join(names)})")
    return problems


def _clashes(tiers: Sequence[TierSettings], routing: RoutingSettings) -> list[str]:
    """`model` may be the alias, a tier or a model id: each value must mean one thing."""
    tier_names = {tier.name for tier in tiers}
    owner: dict[str, str] = {}
    problems = []
    if routing.alias in tier_names:
        problems.append(f"routing.alias: {routing.alias!r} is also the name of a tier")
    for tier in tiers:
        for model in dict.fromkeys(entry.model for entry in tier.models):
            if model in tier_names or model == routing.alias:
                problems.append(f"tiers.{tier.name}: model {model!r} has the name of a tier or of the alias")
            if (first := owner.setdefault(model, tier.name)) != tier.name:
                problems.append(f"tiers.{tier.name}: model {model!r} is already in tier {first!r}")
    return problems


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
