"""Does the configuration hold together: prices, keys, who may come in, and does every tier and rule get a chance?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from router.auth import VARIABLE, KeyRing
from router.contracts import Policy
from router.errors import HostNotAllowed, PriceUnknown
from router.pricing import resolve_prices
from router.query_types.examples import read_examples
from router.settings import TierSettings
from shadow.doctor.findings import Finding, bad, ok, warn
from shadow.doctor.rules.findings import about_rules
from shadow.doctor.thresholds import about_thresholds
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
    """Those of a tier, the scorer's and the LLM judges'."""
    used = {entry.provider for tier in settings.tiers for entry in tier.models}
    if settings.routing.scorer.provider is not None:
        used.add(settings.routing.scorer.provider)
    return used | {model.provider for model in settings.judges.asked}


def access(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Who can reach router and console, and what must they show?"""
    host = settings.server.host
    try:
        ring = KeyRing.of(environ, host=host)
    except HostNotAllowed:
        return [bad("access", f"{host} is reachable from other machines, and no key is asked for", f"set {VARIABLE}")]
    asked = (
        f"one of {len(ring.digests)} keys is asked for" if ring.digests else "this machine only, no key is asked for"
    )
    console = "the console asks for tokens" if settings.asks_for_tokens else "the console asks for nothing"
    return [ok("access", f"listens on {host}: {asked}; {console}")]


def routing(settings: Settings) -> list[Finding]:
    """Tiers and rules that can never get a request, as far as that shows without traffic."""
    configured = Policy(version=0, thresholds=settings.routing.thresholds, band=settings.routing.band)
    windows = {tier.name: max(entry.context_tokens for entry in tier.models) for tier in settings.tiers}
    found = [
        *about_thresholds(configured, settings.tier_names, scorer=settings.routing.scorer.kind),
        *about_rules(settings.routing.rules, windows, _known_query_types(settings)),
    ]
    return found or [ok("routing", f"{describe(configured)}; {len(settings.routing.rules)} rules")]


def _known_query_types(settings: Settings) -> frozenset[str] | None:
    """What the classifier can say; None where it is off, so that hints alone say it. Raises: ConfigInvalid."""
    asked = settings.routing.query_types
    if asked.classifier == "off":
        return None
    examples = read_examples(Path(asked.examples) if asked.examples else None)
    return frozenset((*examples, "unknown"))


def describe(policy: Policy) -> str:
    """Thresholds and band in a few words."""
    pairs = ", ".join(f"{tier} {value:g}" for tier, value in policy.thresholds.items())
    return f"thresholds {pairs}; band {policy.band:g}"
