"""What does the tuner find in this store, and what is done about it? Reads, proposes, applies within guard rails, takes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from router.contracts import Policy
from router.pricing import resolve_prices
from shadow.errors import ConfigError, StoreError
from shadow.settings import Settings
from shadow.store import policies, proposals
from shadow.store.engine import AsyncConnection, AsyncEngine, utc_now
from shadow.store.policies import PolicyRow
from shadow.store.proposals import ProposalRow
from shadow.store.tuning_rows import tuning_rows
from shadow.tuning.evidence import Evidence, gather
from shadow.tuning.findings_json import tuned_json
from shadow.tuning.tuner import Tuned, Wanted, delta_of, tune

#: Samples younger than this may still be on their way to a verdict.
WATERMARK = timedelta(hours=1)
AUTHOR = "tuner"

log = structlog.get_logger("shadow.tuning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The tuner's finding about a window, the evidence behind it, and the policy in force."""

    since: datetime
    until: datetime
    evidence: Evidence
    current: Policy
    in_force: PolicyRow | None
    tuned: Tuned


async def look(
    connection: AsyncConnection,
    settings: Settings,
    *,
    days: float,
    epsilon: float | None = None,
    delta: float | None = None,
    most_step: float | None = None,
) -> Found:
    """Read the window and tune; changes nothing. Cost: seconds for 100,000 samples."""
    until = utc_now()
    if days > WATERMARK / timedelta(days=1):
        until -= WATERMARK
    since = until - timedelta(days=days)
    in_force = await policies.newest(connection)
    current = in_force.policy if in_force else _configured(settings)
    rows = await tuning_rows(connection, since=since, until=until)
    prices = resolve_prices(settings.providers, settings.tiers)
    first = {tier.name: prices[tier.models[0].provider, tier.models[0].model] for tier in settings.tiers}
    evidence = gather(rows, settings.tier_names, first, current, per_type=settings.tuning.per_query_type)
    tuning = settings.tuning
    wanted = Wanted(
        epsilon=tuning.epsilon if epsilon is None else epsilon,
        delta=tuning.delta if delta is None else delta,
        min_pairs=tuning.min_samples,
        per_type=tuning.per_query_type,
        most_step=most_step,
    )
    window = (until - max(since, evidence.since or since)) / timedelta(days=1)
    tuned = tune(evidence, current, settings.tier_names, wanted, seed=settings.sampling.seed, days=window)
    return Found(since=since, until=until, evidence=evidence, current=current, in_force=in_force, tuned=tuned)


async def propose(connection: AsyncConnection, found: Found) -> int | None:
    """Store what was found as the open proposal; its id, or None where the finding is to keep things as they are."""
    policy = found.tuned.policy
    if policy is None:
        return None
    return await proposals.propose(
        connection,
        status=found.tuned.certificate.status,
        base_version=policy.version,
        thresholds=policy.thresholds,
        by_query_type=policy.by_query_type,
        evidence=tuned_json(found.tuned, found.evidence, since=found.since, until=found.until),
    )


async def apply(
    connection: AsyncConnection,
    settings: Settings,
    proposal: ProposalRow,
    *,
    by: str,
    reason: str,
    origin: str = "tuner",
) -> int:
    """Put a proposal in force; returns the policy's version. Raises: StoreError where another policy came into force since."""
    current = await policies.newest(connection)
    band = current.policy.band if current else settings.routing.band
    version = await policies.replace(
        connection,
        expected=proposal.base_version or None,
        configured=(settings.routing.thresholds, settings.routing.band),
        thresholds=proposal.thresholds,
        band=band,
        by_query_type=proposal.by_query_type,
        author=by,
        origin=origin,
        reason=reason,
    )
    await proposals.decide(connection, proposal.id, state="applied", by=by, reason=reason, version=version)
    return version


async def run(engine: AsyncEngine, settings: Settings) -> None:
    """The scheduled job. Proposes in mode review; in mode auto applies what is certified, within the guard rails, and takes back
    its own last policy where the answers since then show that it loses more than epsilon."""
    tuning = settings.tuning
    auto = tuning.mode == "auto"
    async with engine.begin() as connection:
        if auto and await take_back(connection, settings):
            return
        spent = await proposals.made_since(connection, _quarter(utc_now()))
        delta = delta_of(tuning.delta, spent + 1) if auto else tuning.delta
        found = await look(
            connection, settings, days=tuning.window_days, delta=delta, most_step=tuning.max_step if auto else None
        )
        if await _waiting_for_the_same(connection, found):
            return
        if auto and _cooling_down(found, tuning.cooldown_hours):
            log.info("tuning.cooldown", hours=tuning.cooldown_hours)
            return
        made = await propose(connection, found)
        if made is None:
            log.info("tuning.keep", why=found.tuned.why, pairs=found.tuned.certificate.pairs)
            return
        log.info("tuning.proposed", proposal=made, status=found.tuned.certificate.status)
        proposal = await proposals.waiting(connection)
        if auto and proposal is not None and proposal.status == "certified":
            version = await apply(connection, settings, proposal, by=AUTHOR, reason=f"proposal {made}, certified")
            log.info("tuning.applied", proposal=made, version=version)


async def take_back(connection: AsyncConnection, settings: Settings) -> int | None:
    """Go back to the policy before the tuner's own, if the answers since then show a loss above epsilon; the new version.

    By verdicts where labels are few: an alarm is no certificate, it only has to be worth going back for.
    """
    current = await policies.newest(connection)
    if current is None or current.origin != "tuner":
        return None
    proposal = await proposals.applied_as(connection, current.policy.version)
    before = await policies.by_version(connection, proposal.base_version) if proposal else None
    if proposal is None or before is None:
        return None
    days = (utc_now() - current.created_at) / timedelta(days=1)
    found = await look(connection, settings, days=days)
    risk = found.tuned.risk_now
    if risk is None or risk.low <= settings.tuning.epsilon:
        return None
    reason = f"loss since then {risk.value:.1%} ({risk.low:.1%} at least), more than {settings.tuning.epsilon:.1%}"
    version = await policies.append(
        connection,
        thresholds=before.policy.thresholds,
        band=before.policy.band,
        by_query_type=before.policy.by_query_type,
        author=AUTHOR,
        origin="rollback",
        reason=reason,
    )
    await proposals.decide(connection, proposal.id, state="rolled_back", by=AUTHOR, reason=reason)
    log.warning("tuning.rolled_back", proposal=proposal.id, version=version)
    return version


async def reject(connection: AsyncConnection, proposal_id: int, *, by: str, reason: str) -> None:
    """Raises: StoreError where it is not open any more."""
    await proposals.decide(connection, proposal_id, state="rejected", by=by, reason=reason)


async def open_proposal(connection: AsyncConnection, proposal_id: int | None) -> ProposalRow:
    """The one that waits. Raises: ConfigError where none does, StoreError where it is another one than the one meant."""
    waiting = await proposals.waiting(connection)
    if waiting is None:
        raise ConfigError("no proposal waits for a decision: `shadow tune` makes one where the evidence allows it")
    if proposal_id is not None and waiting.id != proposal_id:
        raise StoreError(f"proposal {proposal_id} does not wait any more; proposal {waiting.id} does")
    return waiting


async def _waiting_for_the_same(connection: AsyncConnection, found: Found) -> bool:
    waiting, policy = await proposals.waiting(connection), found.tuned.policy
    return (
        waiting is not None
        and policy is not None
        and waiting.base_version == policy.version
        and dict(waiting.thresholds) == dict(policy.thresholds)
        and dict(waiting.by_query_type) == dict(policy.by_query_type)
        and waiting.status == found.tuned.certificate.status
    )


def _cooling_down(found: Found, hours: float) -> bool:
    return found.in_force is not None and utc_now() - found.in_force.created_at < timedelta(hours=hours)


def _configured(settings: Settings) -> Policy:
    return Policy(version=0, thresholds=settings.routing.thresholds, band=settings.routing.band)


def _quarter(now: datetime) -> datetime:
    return now.replace(month=3 * ((now.month - 1) // 3) + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
