"""What did a success cost, and what did routing save, day by day? From daily sums, every figure with its interval.

A day has few labels, so that beside the figure they correct there is the one by judges alone: it is narrower, and
off by whatever the judges are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from shadow.reports.window import Report, TierReport, report_on
from shadow.statistics.cost import cost_per_success
from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.sums import Sums
from shadow.store.engine import AsyncConnection
from shadow.store.labels import reviewer_quality
from shadow.store.rollup_by_day import DaySums, sums_by_day


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCost:
    """One tier's day ("": all tiers, with what was spent on requests that nobody answered). corrected: USD per success by labels;
    judged: by judges alone. None where there is nothing to say, which is so of `judged` where the reference itself serves."""

    day: date
    tier: str
    requests: int
    cost_usd: float
    corrected: Estimate | None
    judged: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySavings:
    """A day against all on the top tier. net_usd: after mirrors and judges; both None where `undefined` says why."""

    day: date
    requests: int
    actual_usd: float
    shadow_usd: float
    all_top_usd: Estimate | None
    net_usd: Estimate | None
    undefined: Undefined | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyByDay:
    """Days with traffic, oldest first. costs: of each day, all tiers together first, then each that served."""

    costs: tuple[DayCost, ...]
    savings: tuple[DaySavings, ...]


async def load_money_by_day(
    connection: AsyncConnection, *, tiers: Sequence[str], since: datetime, until: datetime, level: float = 0.95
) -> MoneyByDay:
    """The days of a window (since: a midnight UTC) in mode route, tiers cheapest first. Cost: some 30 ms a day, in a thread."""
    days, reviewer = await sums_by_day(connection, since=since, until=until), await reviewer_quality(connection)
    return await asyncio.to_thread(money_by_day, days, tiers=tiers, reviewer=reviewer, level=level)


def money_by_day(
    days: Mapping[date, DaySums], *, tiers: Sequence[str], reviewer: Reviewer | None, level: float = 0.95
) -> MoneyByDay:
    """The figures of each day from its sums. Pure."""
    costs: list[DayCost] = []
    saved: list[DaySavings] = []
    for day, sums in days.items():
        start = datetime.combine(day, time(0), UTC)
        report = report_on(
            sums.slices,
            sums.routes,
            sums.funnel,
            tiers=tiers,
            since=start,
            until=start + timedelta(days=1),
            reviewer=reviewer,
            level=level,
        )
        costs += [_cost(day, one) for one in (report.overall, *report.tiers) if one.requests]
        saved.append(_savings(day, report))
    return MoneyByDay(costs=tuple(costs), savings=tuple(saved))


def _cost(day: date, tier: TierReport) -> DayCost:
    total = Sums(requests=float(tier.requests), cost_usd=tier.cost_usd)
    return DayCost(
        day=day,
        tier=tier.tier,
        requests=tier.requests,
        cost_usd=tier.cost_usd,
        corrected=tier.cost_per_success_usd,
        judged=cost_per_success(total, tier.accuracy.raw),
    )


def _savings(day: date, report: Report) -> DaySavings:
    found = report.savings
    known = None if isinstance(found, Undefined) else found
    return DaySavings(
        day=day,
        requests=report.overall.requests,
        actual_usd=sum(tier.cost_usd for tier in report.tiers),
        shadow_usd=float(report.shadow_usd),
        all_top_usd=known.all_top_usd if known else None,
        net_usd=known.net_usd if known else None,
        undefined=found if isinstance(found, Undefined) else None,
    )
