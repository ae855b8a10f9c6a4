"""How is it read from the store which query types may go live? From the samples of the tuning window, in a thread of its own."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from router.contracts import Policy
from router.pricing import resolve_prices
from shadow.going_live.certificates import GoingLive, going_live
from shadow.settings import Settings
from shadow.store import policies
from shadow.store.engine import AsyncConnection, utc_now
from shadow.store.tuning_rows import tuning_rows
from shadow.tuning.tuner import Wanted

#: The newest samples that are looked at: enough for any certificate, and few enough to wait for.
MOST_SAMPLES = 50_000


async def load_going_live(connection: AsyncConnection, settings: Settings) -> GoingLive:
    """What the window of `tuning.window_days` shows, for the policy in force. Cost: seconds for 50,000 samples."""
    until, tuning = utc_now(), settings.tuning
    rows = await tuning_rows(
        connection, since=until - timedelta(days=tuning.window_days), until=until, most=MOST_SAMPLES
    )
    in_force = await policies.newest(connection)
    routing = settings.routing
    current = in_force.policy if in_force else Policy(version=0, thresholds=routing.thresholds, band=routing.band)
    prices = resolve_prices(settings.providers, settings.tiers)
    first = {tier.name: prices[tier.models[0].provider, tier.models[0].model] for tier in settings.tiers}
    wanted = Wanted(epsilon=tuning.epsilon, delta=tuning.delta, min_pairs=tuning.min_samples)
    return await asyncio.to_thread(
        going_live, rows, settings.tier_names, first, current, wanted, seed=settings.sampling.seed
    )
