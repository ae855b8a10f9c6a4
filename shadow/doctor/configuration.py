"""Does the configuration hold together: prices, keys, who may come in, and does every tier and rule get a chance?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from router.auth import VARIABLE, KeyRing
from router.contracts import Policy
from router.errors import HostNotAllowed, PriceUnknown
from router.pricing import resolve_prices
from router.settings import RuleSettings, TierSettings, WhenSettings
from shadow.doctor.findings import Finding, bad, ok, warn
from shadow.settings import Settings


def prices(settings: Settings) -> list[Finding]:
    """What each model costs, and who says so."""
    found = []
    for tier in settings.tiers:
        for entry in tier.models:
            name = f"price {entry.model}"
            try:
                known = resolve_prices(settings.providers, [TierSettings(name=tier.name, models=(entry,))])
            except PriceUnknown as exc:
                found.append(bad(name, str(exc).partition(";")[0], str(exc).partition("; ")[2]))
                continue
            rates = known[entry.provider, entry.model].rates
            source = "the configuration" if entry.price else "the price table"
            mtok = f"${_mtok(rates.input_usd)} in, ${_mtok(rates.output_usd)} out per million tokens"
            found.append(ok(name, f"{mtok}, from {source}"))
    return found


def _mtok(usd_per_token: Decimal) -> str:
    return f"{float(usd_per_token * 1_000_000):g}"


def keys(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Whether the variables that hold the providers' keys are set. Their values are looked at, never shown."""
    used = used_providers(settings)
    found = []
    for name, provider in settings.providers.items():
        variable, what = provider.api_key_env, f"key of {name}"
        if variable is None:
            found.append(ok(what, "none is configured, none is sent"))
        elif not environ.get(variable):
            judged = bad if name in used else warn
            found.append(judged(what, f"{variable} is not set", f"export {variable}=... where `shadow` is started"))
        elif not usable_key(environ[variable]):
            remedy = "a key is one line of visible ASCII characters; was a newline or a quote copied with it?"
            found.append(bad(what, f"{variable} holds characters that no key has", remedy))
        else:
            found.append(ok(what, f"{variable} is set"))
    return found


def usable_key(value: str) -> bool:
    """Whether it can be sent in a header."""
    key = value.strip()
    return bool(key) and all("!" <= character <= "~" for character in key)


def used_providers(settings: Settings) -> set[str]:
    """Those of a tier, the scorer's and the LLM judge's."""
    used = {entry.provider for tier in settings.tiers for entry in tier.models}
    if settings.routing.scorer.provider is not None:
        used.add(settings.routing.scorer.provider)
    return used | ({settings.judges.model.provider} if settings.judges.model else set())


def access(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Who can reach the router, and what must they show?"""
    host = settings.server.host
    try:
        ring = KeyRing.of(environ, host=host)
    except HostNotAllowed:
        return [bad("access", f"{host} is reachable from other machines, and no key is asked for", f"set {VARIABLE}")]
    asked = (
        f"one of {len(ring.digests)} keys is asked for" if ring.digests else "this machine only, no key is asked for"
    )
    return [ok("access", f"listens on {host}: {asked}")]


def routing(settings: Settings) -> list[Finding]:
    """Tiers and rules that can never get a request, as far as that shows without traffic."""
    configured = Policy(version=0, thresholds=settings.routing.thresholds, band=settings.routing.band)
    found = thresholds(configured, settings.tier_names) + rules(settings.routing.rules)
    return found or [ok("routing", f"{describe(configured)}; {len(settings.routing.rules)} rules")]


def describe(policy: Policy) -> str:
    """Thresholds and band in a few words."""
    pairs = ", ".join(f"{tier} {value:g}" for tier, value in policy.thresholds.items())
    return f"thresholds {pairs}; band {policy.band:g}"


def thresholds(policy: Policy, tiers: Sequence[str]) -> list[Finding]:
    """Thresholds that shut a tier out, or all tiers above one."""
    found = []
    for tier, above in pairwise(tiers):
        value = policy.thresholds.get(tier)
        if value is None:
            continue
        if value == 0:
            found.append(
                warn(
                    "routing",
                    f"threshold {tier} is 0: every request is predicted for it, {above} and above only get what is escalated",
                    f"raise the threshold of {tier}, unless that is what you want",
                )
            )
        elif value == 1 or value + policy.band > 1:
            why = "is 1" if value == 1 else f"{value:g} plus the band {policy.band:g} is more than 1"
            found.append(
                warn(
                    "routing",
                    f"threshold {tier} {why}: hardly any confidence is that high, so {tier} serves next to nothing",
                    f"lower the threshold of {tier} or the band",
                )
            )
    return found


def rules(all_rules: Sequence[RuleSettings]) -> list[Finding]:
    """Rules that no request can reach."""
    found = []
    for position, rule in enumerate(all_rules):
        low, high = rule.when.min_words, rule.when.max_words
        if low is not None and high is not None and low > high:
            detail = f"rule {rule.name!r} can never match: min_words {low} is more than max_words {high}"
            found.append(warn("routing", detail, "correct one of the two, or remove the rule"))
            continue
        for earlier in all_rules[:position]:
            if covers(earlier.when, rule.when):
                detail = f"rule {rule.name!r} is never reached: {earlier.name!r} before it matches whatever it matches"
                found.append(warn("routing", detail, f"move {rule.name!r} before {earlier.name!r}, or remove it"))
                break
    return found


def covers(wider: WhenSettings, narrower: WhenSettings) -> bool:
    """Whether whatever meets `narrower` meets `wider`, too. False where that does not show in the conditions."""
    return (
        all(_covers_names(getattr(wider, name), getattr(narrower, name)) for name in ("feature", "user", "query_type"))
        and wider.impact in (None, narrower.impact)
        and wider.error_tolerance in (None, narrower.error_tolerance)
        and _at_least(wider.min_words, narrower.min_words)
        and _at_least(wider.min_context_tokens, narrower.min_context_tokens)
        and (wider.max_words is None or (narrower.max_words is not None and narrower.max_words <= wider.max_words))
        and _covers_parts(wider.contains_any, narrower.contains_any)
    )


def _covers_names(wider: tuple[str, ...], narrower: tuple[str, ...]) -> bool:
    return not wider or (bool(narrower) and set(narrower) <= set(wider))


def _at_least(wider: int | None, narrower: int | None) -> bool:
    return wider is None or (narrower is not None and narrower >= wider)


def _covers_parts(wider: tuple[str, ...], narrower: tuple[str, ...]) -> bool:
    """A text that holds one of `narrower` holds one of `wider`: each of those contains one of these."""
    parts = [part.casefold() for part in wider]
    return not wider or (bool(narrower) and all(any(part in long.casefold() for part in parts) for long in narrower))
