"""What does the page about money show? Spend by who and what caused it, findings in sentences, ratings by tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import get_args

from shadow.findings import Findings, first_midnight, load_findings
from shadow.findings_text import finding_lines
from shadow.ratings import TierRatings, tier_ratings
from shadow.settings import Settings
from shadow.store.console_session import reading, translated
from shadow.store.engine import AsyncEngine
from shadow.store.feedback import rating_counts
from shadow.store.spend import Dimension, Spent, spend_by, total_spend

DIMENSIONS: tuple[str, ...] = get_args(Dimension)
ROWS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The page's values. lines: findings, a sentence each. rows: dearest first."""

    by: Dimension
    days: float
    dimensions: Sequence[str]
    requests: int
    total: Decimal
    rows: list[Spent]
    found: Findings
    lines: list[str]
    ratings: tuple[TierRatings, ...]


async def load_money(engine: AsyncEngine, settings: Settings, *, by: Dimension, days: float, now: datetime) -> Money:
    """Read the page. Raises: StoreError where the database can't be read."""
    with translated():
        found = await load_findings(engine, settings, days=days, now=now)
    since = first_midnight(now, days)
    window = {"since": since.date(), "until": now.date()}
    async with reading(engine) as connection:
        rows = await spend_by(connection, by, **window, limit=ROWS)
        requests, total = await total_spend(connection, **window)
        counts = await rating_counts(connection, since=since, until=now)
    return Money(
        by=by,
        days=days,
        dimensions=DIMENSIONS,
        requests=requests,
        total=total,
        rows=rows,
        found=found,
        lines=finding_lines(found),
        ratings=tier_ratings(counts, settings.tier_names),
    )
