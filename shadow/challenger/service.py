"""The closed loop as a job: train a challenger, wait for later traffic, compare, propose or drop. It puts nothing in force."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import structlog

from router.contracts import Policy
from router.errors import RouterError
from router.scorers.learned import LearnedScorer
from shadow.challenger.comparison import Pairs, compare, judged_by, looks_due, pairs_of, scored
from shadow.challenger.learning import Learned, champion_of, forget, learn, model_directory
from shadow.challenger.same_shares import same_shares
from shadow.errors import ConfigError, ShadowError
from shadow.settings import Settings
from shadow.store import challengers, policies
from shadow.store.challengers import ChallengerRow
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.training_rows import judged_requests
from shadow.store.tuning_rows import tuning_rows

#: Samples younger than this may still be on their way to a verdict: the quick ones are no fair share of all.
WATERMARK = timedelta(hours=1)
#: More later requests than this say nothing new, and each has to be scored.
_MOST_ROWS = 20_000
#: How often the job looks whether something is due.
CHECK_SECONDS = 3600.0

log = structlog.get_logger("shadow.challenger")


async def run(engine: AsyncEngine, settings: Settings) -> None:
    """The scheduled job."""
    await step(engine, settings, now=utc_now())


async def step(engine: AsyncEngine, settings: Settings, *, now: datetime) -> None:
    """What is due at this moment. Idempotent: what a dead scheduler left half done is given up, never done twice.

    Cost: training takes seconds, in a thread; the event loop stays free.
    """
    champion = champion_of(settings)
    async with engine.begin() as connection:
        left = await challengers.in_state(connection, "training")
        if left is not None:
            await challengers.drop(connection, left.id, reason="training was interrupted")
        comparing = await challengers.in_state(connection, "comparing")
        newest = await challengers.listed(connection, limit=1)
    if comparing is not None:
        await _compare(engine, settings, comparing, champion, now)
    elif _due(newest, settings, now):
        await _train(engine, settings, champion, now)


def _due(newest: list[ChallengerRow], settings: Settings, now: datetime) -> bool:
    every = settings.challenger.every_hours
    return every is not None and (not newest or now - newest[0].created_at >= timedelta(hours=every))


async def _train(engine: AsyncEngine, settings: Settings, champion: str, now: datetime) -> None:
    until = now - WATERMARK
    since = until - timedelta(days=settings.challenger.days)
    async with engine.begin() as connection:
        made = await challengers.begin(connection, champion=champion, trained_from=since, cut_off_at=until, now=now)
    try:
        async with engine.connect() as connection:
            found = [row async for row in judged_requests(connection, since=since, until=until)]
        learned: Learned = await asyncio.to_thread(learn, found, settings, challenger_id=made)
    except (ShadowError, RouterError) as exc:
        async with engine.begin() as connection:
            await challengers.drop(connection, made, reason=str(exc))
        log.warning("challenger.not_trained", challenger=made, why=str(exc))
        return
    async with engine.begin() as connection:
        kept = await challengers.trained(
            connection,
            made,
            version=learned.version,
            data_sha256=learned.data_sha256,
            training=learned.training,
        )
    if kept:
        log.info("challenger.trained", challenger=made, version=learned.version)
    else:  # another scheduler leads, and has given this one up
        forget(settings, learned.version)


async def _compare(engine: AsyncEngine, settings: Settings, row: ChallengerRow, champion: str, now: datetime) -> None:
    assert row.version is not None
    if row.champion != champion:
        await _drop(engine, settings, row, f"the scorer in force is another one now: {champion}")
        return
    async with engine.connect() as connection:
        later = await tuning_rows(connection, since=row.cut_off_at, until=now - WATERMARK, most=_MOST_ROWS)
        texts = await challengers.kept_texts(connection, [one.request_id for one in later])
        current = await policies.newest(connection)
    policy = current.policy if current else _configured(settings)
    pairs = await asyncio.to_thread(pairs_of, later, texts, settings.tier_names)
    looks = looks_due(pairs.fewest, min_pairs=settings.challenger.min_pairs)
    if looks > row.looks:
        try:
            found = await asyncio.to_thread(_held_against, pairs, settings, row.version, policy)
        except RouterError as exc:
            await _drop(engine, settings, row, f"the model can't be used any more: {exc}")
            return
        if found is not None:
            await _conclude(engine, settings, row, found, looks)
            return
    if now - row.cut_off_at >= timedelta(days=settings.challenger.compare_days):
        few = (
            f"{pairs.fewest} pairs in {settings.challenger.compare_days:g} days, too few to show that it routes better"
        )
        without = pairs.left_out.get("no text was kept", 0)
        await _drop(engine, settings, row, few + (f"; of {without} requests no text was kept" if without else ""))


def _held_against(pairs: Pairs, settings: Settings, version: str, policy: Policy) -> dict[str, Any] | None:
    """Raises: ModelUnusable."""
    tiers = settings.tier_names
    scores = scored(LearnedScorer.load(model_directory(settings, version), tiers), pairs.features, tiers)
    found = compare(pairs, scores)
    return None if found is None else {**found, "same_shares": same_shares(pairs, scores, tiers, policy)}


async def _conclude(
    engine: AsyncEngine, settings: Settings, row: ChallengerRow, found: dict[str, Any], looks: int
) -> None:
    state, why = judged_by(found, looks=looks)
    async with engine.begin() as connection:
        await challengers.looked(connection, row.id, looks=looks, comparison=found)
        if state == "proposed":
            await challengers.propose(connection, row.id, reason=why)
    if state == "dropped":
        await _drop(engine, settings, row, why)
    difference = found["difference"]
    log.info("challenger.compared", challenger=row.id, state=state, low=difference["low"], high=difference["high"])


async def _drop(engine: AsyncEngine, settings: Settings, row: ChallengerRow, why: str) -> None:
    async with engine.begin() as connection:
        await challengers.drop(connection, row.id, reason=why)
    log.info("challenger.dropped", challenger=row.id, why=why)
    if row.version is not None:
        await asyncio.to_thread(forget, settings, row.version)


def _configured(settings: Settings) -> Policy:
    return Policy(version=0, thresholds=settings.routing.thresholds, band=settings.routing.band)


def adoptable(row: ChallengerRow | None, settings: Settings, challenger_id: int) -> ChallengerRow:
    """The challenger, if it waits for a decision and its model is whole. Raises: ConfigError, ModelUnusable."""
    if row is None:
        raise ConfigError(f"there is no challenger {challenger_id}: `shadow scorer list` shows all")
    if row.state != "proposed" or row.version is None:
        raise ConfigError(f"challenger {row.id} is {row.state}: only a proposed one can be adopted")
    LearnedScorer.load(model_directory(settings, row.version), settings.tier_names)
    return row
