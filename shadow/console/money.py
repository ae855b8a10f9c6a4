"""What does the page about money show? Findings in sentences, moves, cost per success and savings by day, spend, ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import get_args

from shadow.console.trend import Trends, trends
from shadow.money.by_day import load_money_by_day
from shadow.money.cheaper_types import MoveFinding
from shadow.money.findings import Findings, first_midnight, load_findings
from shadow.money.findings_text import finding_lines
from shadow.reports.ratings import TierRatings, tier_ratings
from shadow.settings import Settings
from shadow.store.console_session import reading, translated
from shadow.store.engine import AsyncEngine
from shadow.store.feedback import rating_counts
from shadow.store.spend import Dimension, Spent, spend_by, total_spend

DIMENSIONS: tuple[str, ...] = get_args(Dimension)
ROWS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The page's values. lines: findings, a sentence each. moves: of the dearest query types, without the
    `unknown_moves` of which too few pairs are there. rows: dearest first."""

    by: Dimension
    days: float
    dimensions: Sequence[str]
    requests: int
    total: Decimal
    rows: list[Spent]
    found: Findings
    lines: list[str]
    moves: list[MoveFinding]
    unknown_moves: int
    trends: Trends
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
        by_day = await load_money_by_day(connection, tiers=settings.tier_names, since=since, until=now)
    moves = [move for one in found.top_types for move in one.moves]
    return Money(
        by=by,
        days=days,
        dimensions=DIMENSIONS,
        requests=requests,
        total=total,
        rows=rows,
        found=found,
        lines=finding_lines(found),
        moves=[move for move in moves if _is_known(move)],
        unknown_moves=sum(not _is_known(move) for move in moves),
        trends=trends(by_day, tiers=settings.tier_names, first=since.date(), last=now.date()),
        ratings=tier_ratings(counts, settings.tier_names),
    )


def _is_known(move: MoveFinding) -> bool:
    return move.loss is not None and move.verdict != "too_few_pairs"
