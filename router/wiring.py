"""How do the parts that get an answer fit together?

One place that turns settings into a `Dispatcher` and what stands beside it: breakers, places, health checks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from random import Random

from router.cascade import Cascade
from router.checks import Check, HealthChecks
from router.coalesce import Coalescer
from router.dispatch import Dispatcher
from router.health import BreakerRule, Health
from router.inspection import Inspector
from router.limits import TierLimit
from router.pool import Pool
from router.schemas import SchemaCache
from router.search import Search
from router.settings import RouterSettings
from router.upstream import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """All that is needed to get an answer. coalescer: None unless identical requests share calls."""

    dispatcher: Dispatcher
    coalescer: Coalescer | None
    health: Health
    checks: HealthChecks


def answering(
    settings: RouterSettings,
    pool: Pool,
    upstream: Upstream,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Answering:
    """Wire the parts. `clock` is monotonic, in seconds; `sleep` waits between attempts."""
    health = _health(settings, pool, clock)
    routing = settings.routing
    search = Search(
        health=health,
        limits={
            tier.name: TierLimit(
                tier.max_concurrency, max_waiting=tier.max_waiting, max_wait_seconds=tier.max_wait_seconds
            )
            for tier in settings.tiers
            if tier.max_concurrency is not None
        },
        sizes={tier: len(chain) for tier, chain in pool.chains.items()},
        clock=clock,
        rng=Random(),  # noqa: S311 - jitter, not a secret
        deadline_seconds=routing.deadline_seconds,
        sleep=sleep,
    )
    dispatcher = Dispatcher(
        upstream=upstream,
        health=health,
        search=search,
        inspector=Inspector(routing.cascade.causes, SchemaCache()),
        cascade=Cascade(max_steps=routing.cascade.max_steps),
        clock=clock,
    )
    return Answering(
        dispatcher=dispatcher,
        coalescer=Coalescer(dispatcher) if routing.coalesce else None,
        health=health,
        checks=HealthChecks(_checks(settings, pool), health),
    )


def _health(settings: RouterSettings, pool: Pool, clock: Callable[[], float]) -> Health:
    usual = settings.routing.breaker
    rules: dict[Hashable, BreakerRule] = {}
    for tier in settings.tiers:
        breaker = tier.breaker or usual
        rules[tier.name] = BreakerRule(failures=breaker.tier_failures, cooldown_seconds=breaker.cooldown_seconds)
        for target in pool.chains[tier.name] if tier.breaker else ():
            rules[target.key] = BreakerRule(failures=breaker.failures, cooldown_seconds=breaker.cooldown_seconds)
    return Health(
        failures=usual.failures,
        cooldown_seconds=usual.cooldown_seconds,
        clock=clock,
        rules=rules,
        checked={key for check in _checks(settings, pool) for key in check.keys},
    )


def _checks(settings: RouterSettings, pool: Pool) -> list[Check]:
    """One for each provider that has a health path and is used."""
    keys: dict[str, set[Hashable]] = {}
    api_keys: Mapping[str, str | None] = {t.provider: t.api_key for chain in pool.chains.values() for t in chain}
    for chain in pool.chains.values():
        for target in chain:
            keys.setdefault(target.provider, set()).add(target.key)
    return [
        Check(
            provider=name,
            url=f"{provider.base_url}{provider.health_path}",
            api_key=api_keys[name],
            interval_seconds=provider.health_interval_seconds,
            keys=frozenset(keys[name]),
        )
        for name, provider in settings.providers.items()
        if provider.health_path is not None and name in keys
    ]
