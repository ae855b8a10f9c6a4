"""Which figures were shown, and when? A time series for dashboards, written by the leader after each roll-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema import estimates


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of one tier ("" = all) at one time. value, low, high: None where not identified; high: None if unbounded.

    mode: that of the requests it is about; a report is on one mode.
    """

    computed_at: datetime
    metric: str
    tier: str
    reason: str
    window_seconds: int
    value: float | None
    low: float | None
    high: float | None
    n: float
    n_labelled: float
    coverage: float | None
    mode: str = "route"


async def publish(connection: AsyncConnection, figures: Sequence[Figure]) -> None:
    """Store figures; the same instant twice keeps the first."""
    if figures:
        await connection.execute(insert(estimates).on_conflict_do_nothing(), [asdict(figure) for figure in figures])
