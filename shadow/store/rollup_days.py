"""How does a day's worth of buckets become one row per key, and when do the buckets go?

A day is compacted once it is over and the watermark has passed; a bucket that changes later has its day compacted again. What is
not compacted is read from buckets, so that figures are the same at any time; `rollup_spans` in the database decides.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.rollup_compute import DAY
from shadow.store.schema_rollups import TWINS, rollup_days, rollup_histograms


def midnight_before(instant: datetime) -> datetime:
    """The midnight (UTC) that begins the day of an aware instant."""
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def compact_one(connection: AsyncConnection, *, now: datetime, watermark: timedelta) -> datetime | None:
    """Compact the oldest day that is over and not compacted; returns it, None where there is none. Commit after each.

    Cost: reads the day's buckets once.
    """
    days = rollup_days.c
    query = (
        sa.select(days.day)
        .where(days.compacted_at.is_(None), days.day <= now - watermark - DAY)
        .order_by(days.day)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    day: datetime | None = await connection.scalar(query)
    if day is None:
        return None
    for statement in _COMPACT:
        await connection.execute(statement, {"start": day, "end": day + DAY})
    await connection.execute(sa.update(rollup_days).where(days.day == day).values(compacted_at=sa.func.now()))
    return day


async def drop_buckets_of_one(connection: AsyncConnection, *, before: datetime) -> tuple[datetime, int] | None:
    """Delete the buckets of the oldest compacted day before a midnight; (day, rows) or None. Commit after each."""
    days = rollup_days.c
    query = sa.select(days.day).where(_droppable(before)).order_by(days.day).limit(1).with_for_update(skip_locked=True)
    day: datetime | None = await connection.scalar(query)
    if day is None:
        return None
    rows = 0
    for table in TWINS:
        start = table.c.bucket_start
        rows += (await connection.execute(sa.delete(table).where(start >= day, start < day + DAY))).rowcount
    await connection.execute(sa.update(rollup_days).where(days.day == day).values(buckets_dropped_at=sa.func.now()))
    return day, rows


async def count_droppable(connection: AsyncConnection, *, before: datetime) -> int:
    """Rows in buckets that `drop_buckets_of_one` would delete in the end."""
    total = 0
    for table in TWINS:
        start = table.c.bucket_start
        of_day = sa.select(rollup_days.c.day).where(
            _droppable(before), rollup_days.c.day <= start, rollup_days.c.day > start - DAY
        )
        total += int(await connection.scalar(sa.select(sa.func.count()).where(start < before, of_day.exists())) or 0)
    return total


def _droppable(before: datetime) -> sa.ColumnElement[bool]:
    days = rollup_days.c
    return sa.and_(days.compacted_at.is_not(None), days.buckets_dropped_at.is_(None), days.day < before)


def _compaction(table: sa.Table, twin: sa.Table) -> str:
    keys = [c.name for c in table.primary_key.columns if c.name != "bucket_start"]
    sums = [c.name for c in table.columns if not c.primary_key]
    named, within = ", ".join(keys), "bucket_start >= :start AND bucket_start < :end"
    if table is rollup_histograms:
        return f"""
INSERT INTO {twin.name} (bucket_start, {named}, counts)
SELECT CAST(:start AS timestamptz), {named}, array_agg(n ORDER BY bin) FROM (
    SELECT {named}, bin, sum(n)::bigint AS n FROM {table.name} CROSS JOIN LATERAL unnest(counts) WITH ORDINALITY AS u (n, bin)
    WHERE {within} GROUP BY {named}, bin
) AS binned GROUP BY {named}
"""  # noqa: S608 - built from the tables of this package
    return f"""
INSERT INTO {twin.name} (bucket_start, {named}, {", ".join(sums)})
SELECT CAST(:start AS timestamptz), {named}, {", ".join(f"sum({name})" for name in sums)}
FROM {table.name} WHERE {within} GROUP BY {named}
"""  # noqa: S608


_COMPACT = tuple(
    sa.text(statement)
    for table, twin in TWINS.items()
    for statement in (
        f"DELETE FROM {twin.name} WHERE bucket_start >= :start AND bucket_start < :end",  # noqa: S608
        _compaction(table, twin),
    )
)
