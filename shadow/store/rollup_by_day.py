"""What are the sums of each day of a window? For figures over time; compacted days where there are any, never raw rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.statistics.sums import SUM_FIELDS, Sums
from shadow.store.rollup_windows import window_of
from shadow.store.rollups import FunnelRow, Mode, Route, Slice
from shadow.store.schema import rollup_routes, rollup_shadow
from shadow.store.schema_rollups import rollup_strata


@dataclass(slots=True, kw_only=True)
class DaySums:
    """A UTC day's sums of requests of one mode, as those of a window are in `shadow.store.rollups`."""

    slices: list[Slice] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    funnel: list[FunnelRow] = field(default_factory=list)


async def sums_by_day(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode = "route"
) -> dict[date, DaySums]:
    """Day (UTC) -> its sums, oldest first; days without requests and samples are left out. Cost: three statements."""
    found: dict[date, DaySums] = {}
    window = {"since": since, "until": until}
    by: tuple[str, ...] = ("tier", "query_type", "band")
    for row in await _summed(connection, rollup_strata, by, SUM_FIELDS, window, mode):
        keys = {name: row[name] for name in by}
        piece = Slice(**keys, model=None, feature=None, sums=Sums.from_row(dict(row)))
        found.setdefault(_day(row), DaySums()).slices.append(piece)
    by = ("predicted_tier", "served_tier", "reason", "status")
    for row in await _summed(connection, rollup_routes, by, ("requests", "cost_usd"), window, mode):
        keys = {name: row[name] for name in by}
        route = Route(**keys, requests=int(row["requests"]), cost_usd=row["cost_usd"])
        found.setdefault(_day(row), DaySums()).routes.append(route)
    by, sums = ("served_tier", "arm", "state"), ("samples", "labelled", "mirror_usd", "judge_usd")
    for row in await _summed(connection, rollup_shadow, by, sums, window, mode):
        keys = {name: row[name] for name in (*by, "mirror_usd", "judge_usd")}
        samples = FunnelRow(**keys, samples=int(row["samples"]), labelled=int(row["labelled"]))
        found.setdefault(_day(row), DaySums()).funnel.append(samples)
    return dict(sorted(found.items()))


def _day(row: sa.RowMapping) -> date:
    start: datetime = row["day"]
    return start.astimezone(UTC).date()


async def _summed(
    connection: AsyncConnection,
    table: sa.Table,
    by: Sequence[str],
    sums: Sequence[str],
    window: dict[str, datetime],
    mode: Mode,
) -> Sequence[sa.RowMapping]:
    rows = window_of(table, ("bucket_start", *by, *sums, "mode")).subquery("rows")
    day = sa.func.date_trunc("day", rows.c.bucket_start, "UTC").label("day")
    keys = [day, *(rows.c[name] for name in by)]
    query = sa.select(*keys, *(sa.func.sum(rows.c[name]).label(name) for name in sums))
    query = query.where(rows.c.mode == mode).group_by(*keys).order_by(*keys)
    return (await connection.execute(query, window)).mappings().all()
