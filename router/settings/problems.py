"""Do providers, tiers and routing fit together?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from router.errors import ConfigInvalid
from router.settings.providers import ProviderSettings
from router.settings.routing import RoutingSettings
from router.settings.tiers import TierSettings


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
        *_scorer_problems(providers, routing),
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


def _scorer_problems(providers: Mapping[str, ProviderSettings], routing: RoutingSettings) -> list[str]:
    name = routing.scorer.provider
    if routing.scorer.kind != "llm" or name in providers:
        return []
    return [f"routing.scorer: unknown provider {name!r} (known: {', '.join(providers) or 'none'})"]


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
