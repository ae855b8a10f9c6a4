"""How is the report of a period read from the store? A sum per cell and week, and for cells that got worse the rejected pairs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shadow.regressions.findings import Period, findings
from shadow.store.cell_sums import cell_sums, rejected_pairs, session_spread
from shadow.store.engine import AsyncConnection
from shadow.store.rollup_days import midnight_before
from shadow.store.rollups import Mode, window_modes

MOST_PAIRS = 10


def period_before(instant: datetime, *, days: float, weeks_before: int, bucket_seconds: int) -> Period:
    """The last whole period at an instant (aware), with those before it. Whole days end at midnight (UTC), less at a bucket."""
    width = timedelta(days=days)
    if days == int(days):
        until = midnight_before(instant)
    else:
        seconds = int(instant.timestamp())
        until = datetime.fromtimestamp(seconds - seconds % bucket_seconds, tz=UTC)
    return _period(until - width, until, width, weeks_before)


def period_up_to(now: datetime, *, days: float, weeks_before: int) -> Period:
    """The period that is not over yet: whole days count today as the last one of them."""
    width = timedelta(days=days)
    since = midnight_before(now) + timedelta(days=1) - width if days == int(days) else now - width
    return _period(since, now, width, weeks_before)


def week_of(monday: date, *, weeks_before: int) -> Period:
    """Seven UTC days from a Monday on."""
    since, width = datetime(monday.year, monday.month, monday.day, tzinfo=UTC), timedelta(days=7)
    return _period(since, since + width, width, weeks_before)


def _period(since: datetime, until: datetime, width: timedelta, weeks_before: int) -> Period:
    starts = tuple(since - width * (weeks_before - i) for i in range(weeks_before))
    return Period(since=since, until=until, starts=starts)


async def build(connection: AsyncConnection, period: Period, *, tiers: Sequence[str]) -> dict[str, Any]:
    """The report of a period, from roll-ups as they are. In one snapshot: use REPEATABLE READ.

    Of requests in mode route; where there were none, of the decisions of mode observe. tiers: cheapest first.
    """
    modes = await window_modes(connection, since=period.starts[0], until=period.until)
    mode: Mode = "observe" if modes == {"observe"} else "route"
    starts = (*period.starts, period.since)
    ends = (*starts[1:], period.until)
    weeks = [
        await cell_sums(connection, since=since, until=until, mode=mode)
        for since, until in zip(starts, ends, strict=True)
    ]
    spread = await session_spread(connection, since=period.since, until=period.until, mode=mode)
    found = findings(weeks, spread, period=period, mode=mode, tiers=tiers)
    for family in ("cells", "marginals"):
        for one in found[family]["worse"]:
            parts = {name: one[name] for name in ("tier", "query_type", "feature") if one[name] is not None}
            one["pairs"]["sample_ids"] = await rejected_pairs(
                connection, cell=parts, since=period.since, until=period.until, mode=mode, limit=MOST_PAIRS
            )
    return found
