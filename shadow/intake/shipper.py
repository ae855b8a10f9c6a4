"""How do exchanges get from the spool to the store, exactly once, and become samples?

A batch is one transaction: the exchanges (a second delivery does nothing), the draws for those that were new, and the marks of
the buckets that changed. A segment is deleted after its last batch is committed, so a crash at any point only repeats work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import structlog

from router.contracts import Exchange
from router.feedback import Feedback
from router.wire import exchange_to_json, feedback_to_json
from shadow.intake.segments import Unreadable, read_segment, reject, shippable
from shadow.judging.prompts import question_of
from shadow.process import pause
from shadow.redaction import cleaner
from shadow.sampling.draws import Draw, Rates, draw, draw_observed
from shadow.sampling.plan import DayRates
from shadow.settings import Settings
from shadow.store import feedback, upgrade_pairs
from shadow.store.engine import AsyncConnection, AsyncEngine
from shadow.store.exchanges import REFUSALS, first_line, insert_exchanges
from shadow.store.model_reports import note_sightings, sightings_of
from shadow.store.rollup_queue import mark
from shadow.store.samples import insert_samples
from shadow.tuning.what_if import what_if
from shadow.upgrades.drawing import draw_pair
from shadow.upgrades.under_way import UnderWay

log = structlog.get_logger()

BATCH = 500
POLL_SECONDS = 0.25


class Shipper:
    """Ships the segments of one spool directory. Run one per directory."""

    def __init__(self, settings: Settings, engine: AsyncEngine, directory: Path) -> None:
        self._settings = settings
        self._engine = engine
        self._directory = directory
        self._rates = DayRates(settings)
        self._upgrades = UnderWay()

    async def run(self, stop: asyncio.Event) -> None:
        """Ship until `stop` is set. Raises what the database raises; nothing is lost by running it again."""
        while not stop.is_set():
            if not await self.ship():
                await pause(stop, POLL_SECONDS)

    async def ship(self) -> int:
        """Ship what is there; returns the number of exchanges that were new."""
        new = 0
        for path in await asyncio.to_thread(shippable, self._directory):
            items = read_segment(path)
            while batch := list(islice(items, BATCH)):
                new += await self._ship_batch(batch)
            path.unlink(missing_ok=True)
        return new

    async def _ship_batch(self, batch: Sequence[Exchange | Feedback | Unreadable]) -> int:
        for item in batch:
            if isinstance(item, Unreadable):
                log.warning("exchange.unreadable", reason=item.reason, torn=item.torn)
                if not item.torn:  # a torn line was never confirmed; what is left of it is of no use
                    reject(self._directory, item.line)
        entries = [item for item in batch if not isinstance(item, Unreadable)]
        if not entries:
            return 0
        try:
            return await self._store(entries)
        except REFUSALS:
            return await self._store_one_by_one(entries)

    async def _store_one_by_one(self, entries: Sequence[Exchange | Feedback]) -> int:
        """One row the database refuses must not hold up the others, nor be dropped."""
        new = 0
        for entry in entries:
            try:
                new += await self._store([entry])
            except REFUSALS as exc:
                kind = "exchange" if isinstance(entry, Exchange) else "feedback"
                log.error(f"{kind}.refused", request_id=entry.request_id, reason=first_line(exc))
                line = exchange_to_json(entry) if isinstance(entry, Exchange) else feedback_to_json(entry)
                reject(self._directory, line)
        return new

    async def _store(self, entries: Sequence[Exchange | Feedback]) -> int:
        exchanges = [entry for entry in entries if isinstance(entry, Exchange)]
        async with self._engine.begin() as connection:
            new = await insert_exchanges(connection, exchanges) if exchanges else set()
            fresh = [exchange for exchange in exchanges if exchange.request_id in new]
            await self._sample(connection, fresh)
            await mark(connection, (exchange.started_at for exchange in fresh))
            await note_sightings(connection, sightings_of(fresh))
            await self._feedback(connection, [entry for entry in entries if isinstance(entry, Feedback)], fresh)
        return len(new)

    async def _feedback(
        self, connection: AsyncConnection, given: Sequence[Feedback], exchanges: Sequence[Exchange]
    ) -> None:
        """Store what clients said and let show, with the tier it is about where that is known already."""
        signalling = [exchange for exchange in exchanges if "session_signal" in exchange.extra]
        if not given and not signalling:
            return
        clean = cleaner(self._settings.sampling.store_text)
        about = await feedback.save_feedback(connection, given, clean=clean)
        about |= await feedback.save_session_signals(connection, signalling)
        await feedback.resolve(connection, request_ids=about)

    async def _sample(self, connection: AsyncConnection, exchanges: Sequence[Exchange]) -> None:
        drawn: list[tuple[Exchange, Draw, str]] = []
        routing: dict[str, dict[str, Any]] = {}
        pairs: list[upgrade_pairs.PairRow] = []
        await self._rates.load(connection, [exchange.started_at for exchange in exchanges])
        running = await self._upgrades.by_tier(connection)
        for exchange in exchanges:
            if exchange.status == "answered" and exchange.served_tier in self._settings.tier_names:
                stratum = exchange.served_tier, exchange.query_type, exchange.decision.band
                rates = self._rates.at(exchange.started_at, stratum)
                picked = self._draw(exchange, exchange.served_tier, rates)
                if picked is not None:
                    drawn.append((exchange, picked, question_of(exchange.request_body, exchange.dialect).prompt))
                    routing[exchange.request_id] = what_if(exchange, picked, self._settings, rates)
                elif exchange.served_tier in running:
                    sampling, tiers = self._settings.sampling, self._settings.tier_names
                    found = draw_pair(
                        running[exchange.served_tier], exchange, seed=sampling.seed, tiers=tiers, rates=rates
                    )
                    if found is not None:
                        prompt = question_of(exchange.request_body, exchange.dialect).prompt
                        pairs.append(found[1])
                        if found[0] is not None:
                            drawn.append((exchange, found[0], prompt))
        await insert_samples(connection, drawn, routing)
        await upgrade_pairs.insert_pairs(connection, pairs)

    def _draw(self, exchange: Exchange, served_tier: str, rates: Rates) -> Draw | None:
        seed, tiers = self._settings.sampling.seed, self._settings.tier_names
        request_id, decided_tier = exchange.request_id, exchange.decision.chosen
        if exchange.mode == "observe" and decided_tier in tiers:
            return draw_observed(
                rates,
                seed=seed,
                request_id=request_id,
                served_tier=served_tier,
                decided_tier=decided_tier,
                tiers=tiers,
            )
        return draw(rates, seed=seed, request_id=request_id, served_tier=served_tier, tiers=tiers)
