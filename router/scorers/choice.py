"""Which scorer does the configuration ask for?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from router.contracts import SCORER_TIER
from router.crossing import InOpenAI
from router.errors import ApiKeyMissing, PriceUnknown
from router.health import Health
from router.pool import DIALECTS, Target, endpoint
from router.pricing import Price, resolve_prices
from router.scorers import AskingScorer, Scorer
from router.scorers.heuristic import HeuristicScorer
from router.settings import ModelSettings, RouterSettings, ScorerSettings, TierSettings
from router.upstream import Upstream


def scorer_for(settings: ScorerSettings, tiers: Sequence[str]) -> Scorer:
    """The scorer that computes, ready to be asked. tiers: cheapest first. Raises: ModelUnusable.

    For kind `llm` it is what stands in for the model.
    """
    if settings.kind != "learned" or settings.model_dir is None:
        return HeuristicScorer.of(tiers)
    # Here and not above: a router that needs no model does not load NumPy.
    from router.scorers.learned import LearnedScorer

    return LearnedScorer.load(Path(settings.model_dir), tiers)


def asking_scorer_for(
    settings: RouterSettings, *, fallback: Scorer, upstream: Upstream, environ: Mapping[str, str]
) -> AskingScorer | None:
    """The scorer that asks a model, None where none is configured. Raises: PriceUnknown, ApiKeyMissing."""
    wanted = settings.routing.scorer
    if wanted.kind != "llm":
        return None
    from router.scorers.llm import LlmScorer, by_name

    breaker = settings.routing.breaker
    models = {tier.name: tier.models[0].model for tier in settings.tiers}
    return LlmScorer(
        target=_target(settings, environ),
        prompts=by_name(models, max_characters=wanted.max_characters),
        fallback=fallback,
        upstream=InOpenAI(upstream),
        health=Health(failures=breaker.failures, cooldown_seconds=breaker.cooldown_seconds, clock=time.monotonic),
        clock=time.monotonic,
        deadline_seconds=wanted.deadline_ms / 1000,
    )


def scorer_price(settings: RouterSettings) -> Price:
    """What the model of a scorer of kind `llm` costs. Raises: PriceUnknown."""
    wanted = settings.routing.scorer
    assert wanted.provider is not None
    assert wanted.model is not None
    entry = ModelSettings(provider=wanted.provider, model=wanted.model, price=wanted.price)
    try:
        prices = resolve_prices(settings.providers, [TierSettings(name="scorer", models=(entry,))])
    except PriceUnknown as error:
        raise PriceUnknown(
            [problem.replace("tiers.scorer", "routing.scorer", 1) for problem in error.problems]
        ) from None
    return prices[entry.provider, entry.model]


def _target(settings: RouterSettings, environ: Mapping[str, str]) -> Target:
    wanted = settings.routing.scorer
    assert wanted.provider is not None
    assert wanted.model is not None
    provider = settings.providers[wanted.provider]
    key = environ.get(provider.api_key_env, "").strip() if provider.api_key_env else None
    if provider.api_key_env and not key:
        raise ApiKeyMissing(
            [f"providers.{wanted.provider}: the environment variable {provider.api_key_env} (api_key_env) is not set"]
        )
    return Target(
        tier=SCORER_TIER,
        provider=wanted.provider,
        model=wanted.model,
        url=endpoint(provider),
        api_key=key,
        price=scorer_price(settings),
        context_tokens=128_000,
        timeout_seconds=wanted.deadline_ms / 1000,
        first_token_seconds=wanted.deadline_ms / 1000,
        max_retries=0,
        model_json=orjson.dumps(wanted.model),
        dialect=DIALECTS[provider.kind],
    )
