"""Does the plan of a day reach the draws of that day, and only of that day?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from router.contracts import Exchange
from shadow.sampling.plan import DayRates, plan_tomorrow
from shadow.settings import Settings
from shadow.store import sampling_rates
from shadow.store.engine import AsyncEngine, utc_now

pytestmark = pytest.mark.slow


async def test_tomorrow_is_planned_once_from_what_was_mirrored(
    filled_engine: AsyncEngine, console_config: Settings
) -> None:
    settings = console_config.model_copy(
        update={"sampling": console_config.sampling.model_copy(update={"allocation": "budgeted"})}
    )
    tomorrow = (utc_now() + timedelta(days=1)).astimezone(UTC).date()
    await plan_tomorrow(filled_engine, console_config)
    async with filled_engine.connect() as connection:
        assert await sampling_rates.rates_of(connection, tomorrow) == {}, "uniform by default"
    await plan_tomorrow(filled_engine, settings)
    async with filled_engine.connect() as connection:
        planned = await sampling_rates.rates_of(connection, tomorrow)
    assert planned
    assert {tier for tier, _, _ in planned} <= set(settings.tier_names[:-1])
    assert all(0 < up <= 1 - settings.sampling.down for up in planned.values())
    await plan_tomorrow(filled_engine, settings)
    async with filled_engine.connect() as connection:
        assert await sampling_rates.rates_of(connection, tomorrow) == planned, "a plan is never changed"


async def test_a_request_is_drawn_with_the_share_of_its_day_and_stratum(
    empty_engine: AsyncEngine, console_config: Settings, one_exchange: Exchange
) -> None:
    settings = console_config.model_copy(
        update={"sampling": console_config.sampling.model_copy(update={"allocation": "budgeted"})}
    )
    stratum = "fast", one_exchange.query_type, "high"
    day = one_exchange.started_at.astimezone(UTC).date()
    rates = DayRates(settings)
    async with empty_engine.begin() as connection:
        assert await sampling_rates.store_rates(connection, day, {stratum: 0.25})
        assert not await sampling_rates.store_rates(connection, day, {stratum: 0.5})
        await rates.load(connection, [one_exchange.started_at, one_exchange.started_at + timedelta(days=1)])
    assert rates.at(one_exchange.started_at, stratum) == replace(settings.rates, up=0.25)
    assert rates.at(one_exchange.started_at, ("fast", "other", "high")) == settings.rates
    assert rates.at(one_exchange.started_at + timedelta(days=1), stratum) == settings.rates
