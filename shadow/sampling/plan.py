"""How is the mirroring of the next day shared out between strata, and which share holds for a request?

In `sampling.allocation: budgeted` the money that a uniform `sampling.up` would spend goes where the next sample says most: where
verdicts vary, and mirrors are cheap. The plan of a day is made from the 28 days before it and stands when the day begins, so that
every inclusion probability is fixed before the request it applies to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import structlog

from shadow.sampling.draws import Rates
from shadow.settings import Settings
from shadow.statistics.allocation import WEIGHT_RATIO_FOR_TUNING, StratumPlan, allocate
from shadow.store import sampling_rates
from shadow.store.engine import AsyncConnection, AsyncEngine, utc_now
from shadow.store.sampling_rates import Stratum, StratumHistory

HISTORY = timedelta(days=28)
#: Of the daily cap; the rest is for the other arms.
SHARE_OF_BUDGET = 0.8

log = structlog.get_logger("shadow.sampling.draws")


def plan(known: Sequence[StratumHistory], settings: Settings, *, days: float) -> dict[Stratum, float]:
    """The shares of a day by stratum, each in (0, 1 - down]. known: strata below the top tier; days: length of their window."""
    sampling, below = settings.sampling, settings.tier_names[:-1]
    strata = [one for one in known if one.stratum[0] in below and one.requests > 0]
    if not strata or sampling.up <= 0:
        return {}
    plans = [
        StratumPlan(
            requests_per_day=one.requests / days,
            failures=0.0 if one.accepted is None else one.judged * max(0.0, 1.0 - one.accepted),
            judged=0.0 if one.accepted is None else one.judged,
            cost_usd=one.sample_usd,
        )
        for one in strata
    ]
    usual = [p.cost_usd for p in plans if p.cost_usd > 0]
    a_sample = sum(usual) / len(usual) if usual else 0.0
    uniform = sum(sampling.up * p.requests_per_day * (p.cost_usd or a_sample) for p in plans)
    budget = min(uniform, SHARE_OF_BUDGET * sampling.budget_usd_per_day)
    if budget <= 0:
        return {}
    found = allocate(
        plans, budget_usd_per_day=budget, weight_ratio=WEIGHT_RATIO_FOR_TUNING, most=max(1e-6, 1.0 - sampling.down)
    )
    return {one.stratum: share for one, share in zip(strata, found.inclusion, strict=True)}


async def plan_tomorrow(engine: AsyncEngine, settings: Settings) -> None:
    """The scheduled job: writes tomorrow's plan, once. Today's is never touched: requests of today were drawn without it."""
    if settings.sampling.allocation != "budgeted":
        return
    now = utc_now()
    tomorrow = (now + timedelta(days=1)).astimezone(UTC).date()
    until = now.replace(hour=0, minute=0, second=0, microsecond=0)
    async with engine.begin() as connection:
        known = await sampling_rates.histories(connection, since=until - HISTORY, until=now)
        rates = plan(known, settings, days=(now - (until - HISTORY)) / timedelta(days=1))
        if await sampling_rates.store_rates(connection, tomorrow, rates):
            log.info("sampling.planned", day=str(tomorrow), strata=len(rates))


class DayRates:
    """The rates in force, looked up once per day and stratum. Without a plan for the day, and in mode uniform, `sampling.up`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._days: dict[date, Mapping[Stratum, float]] = {}

    async def load(self, connection: AsyncConnection, moments: Sequence[datetime]) -> None:
        """Read the plans of these days, once each: a plan never changes, and one that comes after its day began is not used."""
        if self._settings.sampling.allocation != "budgeted":
            return
        for day in {moment.astimezone(UTC).date() for moment in moments} - self._days.keys():
            self._days[day] = await sampling_rates.rates_of(connection, day)
            while len(self._days) > 8:
                del self._days[min(self._days)]

    def at(self, moment: datetime, stratum: Stratum) -> Rates:
        """The rates for a request of that moment and stratum."""
        rates = self._settings.rates
        day = self._days.get(moment.astimezone(UTC).date())
        up = day.get(stratum) if day else None
        return rates if up is None else replace(rates, up=min(up, 1.0 - rates.down))
