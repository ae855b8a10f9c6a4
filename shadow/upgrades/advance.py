"""What is due for upgrades under way? Pairs enter in request order, verdicts fall, canaries are watched: the scheduled job."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog

from shadow.settings import Settings
from shadow.store import tier_pins, upgrade_pairs, upgrades
from shadow.store.engine import AsyncConnection, AsyncEngine, utc_now
from shadow.store.upgrades import UpgradeRow
from shadow.upgrades.bundle import freeze, staleness
from shadow.upgrades.design import Design
from shadow.upgrades.figures import figures
from shadow.upgrades.judges import judge_quality_low
from shadow.upgrades.messages import announce, announce_unserved, settle_unserved
from shadow.upgrades.pairs import Pair
from shadow.upgrades.pins import is_in_force, name_of, pinned_model, spec_of
from shadow.upgrades.resolving import Patience, resolve
from shadow.upgrades.states import State
from shadow.upgrades.switching import switch_all, switch_back
from shadow.upgrades.versions import versions_now
from shadow.upgrades.watching import canary_figures

AUTHOR = "scheduler"
#: A canary without a single pair by then is told of.
UNSERVED_AFTER = timedelta(hours=1)
_MOVES: dict[str, State] = {"not_worse": "ready", "worse": "harmed", "inconclusive": "inconclusive"}

log = structlog.get_logger("shadow.upgrades")


async def run(engine: AsyncEngine, settings: Settings) -> None:
    """The scheduled job. Each upgrade is a transaction of its own; running it twice changes nothing."""
    async with engine.connect() as connection:
        due = await upgrades.in_states(connection, ("proposed", "shadowing", "ready", "approved", "canary"))
    for row in due:
        async with engine.begin() as connection:
            await step(connection, settings, row.id, now=utc_now())


async def step(connection: AsyncConnection, settings: Settings, upgrade_id: int, *, now: datetime) -> State:
    """What is due for one of them; the state it is in afterwards."""
    row = await upgrades.locked(connection, upgrade_id)
    if row.tier not in settings.tier_names:
        if row.state in {"proposed", "shadowing"}:
            return await _to(connection, row, "rejected", "the tier is gone from the configuration", now)
        return row.state
    if row.state == "proposed":
        return await _to(connection, row, "shadowing", "taken up", now)
    pin = await tier_pins.in_force_of(connection, row.tier)
    if row.state == "shadowing":
        if name_of(spec_of(pinned_model(settings, row.tier, pin))) != name_of(row.pinned):
            return await _to(connection, row, "rejected", f"{row.pinned['model']} is not the tier's pin any more", now)
        return await _shadow(connection, settings, row, now)
    if row.state in {"ready", "approved"}:
        versions = await versions_now(connection, settings, row.tier)
        why = staleness(row, versions, now=now, max_age_days=settings.upgrades.max_age_days)
        if why is not None:
            await announce(connection, row, "expired", reason=why, now=now)
            return await _to(connection, row, "expired", why, now)
    if row.state == "canary":
        if pin is None or not is_in_force(pin, settings):
            why = "the configuration names another model for the tier by now"
            await announce(connection, row, "rolled_back", reason=why, now=now)
            return await _to(connection, row, "rolled_back", why, now)
        return await _watch(connection, settings, row, now)
    return row.state


async def _shadow(connection: AsyncConnection, settings: Settings, row: UpgradeRow, now: datetime) -> State:
    design = Design.from_json(row.design)
    pairs, fresh = await _enter(connection, settings, row, "shadow", design.cap_pairs, now)
    if not fresh and row.progress is not None:
        return row.state
    quality = await judge_quality_low(connection, now=now)
    found = figures(pairs, design, judge_quality_low=quality)
    await upgrades.note_progress(connection, row.id, await _progress(connection, row, found, now))
    to = _MOVES.get(found["verdict"])
    if to is None:
        return row.state
    why = _why(found, design)
    # Frozen for whatever it shows: what was stopped for harm has to be looked up as well.
    versions = await versions_now(connection, settings, row.tier)
    judges = await upgrade_pairs.judges_of(connection, row.id)
    evidence = freeze(row, pairs, found, versions, judges=judges, now=now)
    await announce(connection, row, to, reason=why, now=now, details={"worst_pairs": found["worst_pairs"]})
    return await _to(connection, row, to, why, now, evidence=evidence)


async def _watch(connection: AsyncConnection, settings: Settings, row: UpgradeRow, now: datetime) -> State:
    design = Design.from_json(row.design)
    pairs, _ = await _enter(connection, settings, row, "canary", design.cap_pairs, now)
    found = canary_figures(pairs, design)
    await upgrades.note_progress(connection, row.id, {**(row.progress or {}), "canary": found})
    if found["harmed"]:
        why = f"worse than {row.pinned['model']} on the requests it served, p = {found['harm_p_value']:.2g}"
        await switch_back(connection, settings, row, by=AUTHOR, reason=why, now=now)
        await announce(connection, row, "rolled_back", reason=why, now=now, details={"canary": found})
        return await _to(connection, row, "rolled_back", why, now)
    drawn = sum(n for (phase, _), n in (await upgrade_pairs.counts(connection, row.id)).items() if phase == "canary")
    if drawn:
        await settle_unserved(connection, row, now=now)
    elif now - row.state_since >= UNSERVED_AFTER:
        await announce_unserved(connection, row, now=now)
    long_enough = now - row.state_since >= timedelta(hours=design.canary_hours)
    if long_enough and found["judged"] >= design.canary_pairs:
        why = f"nothing spoke against it in {found['judged']} judged canary pairs; approved by {row.approved_by}"
        await switch_all(connection, settings, row, by=AUTHOR, reason=why, now=now)
        await announce(connection, row, "promoted", reason=why, now=now)
        return await _to(connection, row, "promoted", why, now)
    return row.state


async def _enter(
    connection: AsyncConnection, settings: Settings, row: UpgradeRow, phase: str, cap: int, now: datetime
) -> tuple[list[Pair], int]:
    """All that have entered, those that just did included, and how many these are."""
    limits = settings.upgrades
    patience = Patience(
        verdict=timedelta(hours=limits.verdict_wait_hours), label=timedelta(days=limits.label_wait_days)
    )
    known = await upgrade_pairs.entered(connection, row.id, phase)
    fresh: list[Pair] = []
    for waiting in await upgrade_pairs.waiting(connection, row.id, phase, most=max(0, cap - len(known))):
        pair = resolve(waiting, patience, now=now)
        if pair is None:
            break
        fresh.append(pair)
    await upgrade_pairs.enter(connection, fresh, now=now)
    return [*known, *fresh], len(fresh)


async def _progress(
    connection: AsyncConnection, row: UpgradeRow, found: dict[str, Any], now: datetime
) -> dict[str, Any]:
    drawn = await upgrade_pairs.counts(connection, row.id)
    waiting = drawn.get(("shadow", False), 0)
    return {"at": now.isoformat(), "waiting": waiting, **{k: v for k, v in found.items() if k != "worst_pairs"}}


async def _to(
    connection: AsyncConnection,
    row: UpgradeRow,
    to: State,
    why: str,
    now: datetime,
    *,
    evidence: tuple[str, str] | None = None,
) -> State:
    await upgrades.move(connection, row.id, to, by=AUTHOR, reason=why, now=now, evidence=evidence)
    log.info("upgrade.moved", upgrade=row.id, state=to, why=why)
    return to


def _why(found: dict[str, Any], design: Design) -> str:
    pairs, labelled = found["pairs"]["entered"], found["pairs"]["labelled"]
    on = f"{pairs} pairs, {labelled} labelled"
    if found["verdict"] == "not_worse":
        return f"not worse by {design.margin:.0%} or more, p = {found['not_worse']['p_value']:.2g} on {on}"
    if found["verdict"] == "worse":
        return f"worse than the pinned model, p = {found['harm']['p_value']:.2g} on {on}"
    return f"undecided at {on}"
