"""What do the rows of a window add up to? Compacted days are read from the daily tables, the rest from buckets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema_rollups import TWINS


async def summed(
    connection: AsyncConnection,
    table: sa.Table,
    by: Sequence[str],
    sums: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    mode: str | None = None,
) -> Sequence[sa.RowMapping]:
    """One row per combination of `by`, in order, with the sums of a window (aware instants, half open).

    mode: None where the table holds one mode only. Cost: two statements. The stretches of time are values in the second one,
    and each side of it is added up by itself: joined with the stretches, fifty sums take seven times as long.
    """
    days, stretches = await _spans(connection, since, until)
    twin = TWINS[table]
    buckets = sa.or_(sa.false(), *(sa.and_(_start(table) >= a, _start(table) < b) for a, b in stretches))
    sides = []
    for source, within in ((table, buckets), (twin, _start(twin).in_(days))):
        own = [source.c[name] for name in by]
        side = sa.select(*own, *(sa.func.sum(source.c[name]).label(name) for name in sums)).where(within)
        if mode is not None:
            side = side.where(source.c.mode == mode)
        sides.append(side.group_by(*own))
    rows = sa.union_all(*sides).subquery("rows")
    keys = [rows.c[name] for name in by]
    query = sa.select(*keys, *(sa.func.sum(rows.c[name]).label(name) for name in sums)).group_by(*keys).order_by(*keys)
    return (await connection.execute(query)).mappings().all()


def _start(table: sa.Table) -> sa.Column[datetime]:
    return table.c.bucket_start


async def _spans(
    connection: AsyncConnection, since: datetime, until: datetime
) -> tuple[list[datetime], list[tuple[datetime, datetime]]]:
    """Days to be read as such, and stretches to be read from buckets, as `rollup_spans` in the database has it."""
    statement = sa.text("SELECT daily, span_start, span_end FROM rollup_spans(:since, :until) ORDER BY span_start")
    days: list[datetime] = []
    stretches: list[tuple[datetime, datetime]] = []
    for daily, start, end in await connection.execute(statement, {"since": since, "until": until}):
        if daily:
            days.append(start)
        elif stretches and stretches[-1][1] == start:
            stretches[-1] = (stretches[-1][0], end)
        else:
            stretches.append((start, end))
    return days, stretches


def window_of(table: sa.Table, columns: Sequence[str]) -> sa.TextualSelect:
    """Rows that add up to a window, with these columns; bind `since` and `until` (aware, half open)."""
    types = (sa.column(name, table.c[name].type) for name in columns)
    return sa.text(window_sql(table, columns)).columns(*types)


def window_sql(table: sa.Table, columns: Sequence[str]) -> str:
    """The statement of `window_of`.

    The days that are read from daily rows are those that `rollup_spans` names: compacted, and whole within the window.
    """
    named = ", ".join(f"r.{name}" for name in columns)
    return f"""
SELECT {named} FROM rollup_spans(:since, :until) AS s JOIN {TWINS[table].name} AS r ON r.bucket_start = s.span_start WHERE s.daily
UNION ALL
SELECT {named} FROM rollup_spans(:since, :until) AS s
JOIN {table.name} AS r ON r.bucket_start >= s.span_start AND r.bucket_start < s.span_end WHERE NOT s.daily
"""  # noqa: S608 - built from the tables of this package
