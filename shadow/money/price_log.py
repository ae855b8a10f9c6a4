"""Which prices are in force, and since when? The leader writes down each one that it has not seen before."""

from __future__ import annotations

import structlog

from router.pricing import resolve_prices
from shadow.settings import Settings
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.prices import record_prices

log = structlog.get_logger()


async def log_prices(engine: AsyncEngine, settings: Settings) -> None:
    """Store the prices of all models that are new or have changed, future ones included. Idempotent."""
    sources = {
        (entry.provider, entry.model): "configuration" if entry.price is not None else "price table"
        for tier in settings.tiers
        for entry in tier.models
    }
    known = resolve_prices(settings.providers, settings.tiers)
    async with engine.begin() as connection:
        added = await record_prices(connection, known, sources=sources, now=utc_now())
    for row in added:
        log.info(
            "price.seen",
            provider=row.provider,
            model=row.model,
            starts_at=row.starts_at.isoformat(),
            source=row.source,
            input_usd_per_mtok=str(row.input_usd_per_mtok),
            output_usd_per_mtok=str(row.output_usd_per_mtok),
        )
