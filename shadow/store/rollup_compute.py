"""How do raw rows become additive sums? Each changed bucket is computed anew, whole, in one transaction.

That makes a roll-up idempotent (the same rows give the same sums) and incremental (buckets nobody touched are not read). Sums
outlive the rows that they were made of: a bucket whose rows are (partly) gone keeps its sums, whatever changes late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.rollup_sql import INSERTIONS

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """claimed: marked buckets that were taken up. Of these, kept: left as they were, because their raw rows are deleted (sealed
    days) or fewer than the sums were made of."""

    claimed: int
    kept: int


async def recompute_changed(connection: AsyncConnection, *, bucket_seconds: int, limit: int = 200) -> Computed:
    """Compute up to `limit` marked buckets, oldest first. Call inside a transaction, commit after it.

    A bucket of a day of which only daily rows are left has the whole day computed.
    """
    width = timedelta(seconds=bucket_seconds)
    starts = sorted(set(await connection.scalars(_CLAIM, {"limit": limit, "width": width})))
    if not starts:
        return Computed(claimed=0, kept=0)
    # Locked in order until the end of the transaction: neither a compaction nor a deletion of raw rows can come in between.
    days = {
        row.day: row for row in await connection.execute(_OPEN, {"days": sorted({_day(start) for start in starts})})
    }
    kept = 0
    whole_days: dict[datetime, int] = {}
    for start in starts:
        day = days[_day(start)]
        if day.sealed_at is not None:
            kept += 1
        elif day.buckets_dropped_at is not None:
            whole_days[day.day] = whole_days.get(day.day, 0) + 1
        elif not await _computed(connection, start, start + width, suffix=""):
            kept += 1
    for day_start, buckets in whole_days.items():
        if not await _computed(connection, day_start, day_start + DAY, suffix="_daily"):
            kept += buckets
    return Computed(claimed=len(starts), kept=kept)


async def _computed(connection: AsyncConnection, start: datetime, end: datetime, *, suffix: str) -> bool:
    """Compute a stretch of time; False if there are fewer raw rows than its sums were made of: these stay."""
    window = {"start": start, "end": end}
    if await connection.scalar(_LOST[suffix], window):
        return False
    for statement in _STATEMENTS[suffix]:
        await connection.execute(statement, window)
    return True


def _day(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


# A bucket is claimed with all its marks, so that none is computed twice. Buckets start at midnight UTC.
_CLAIM = sa.text(
    """
    WITH changed AS (
        SELECT DISTINCT date_bin(:width, bucket_start, 'epoch') AS start FROM rollup_queue ORDER BY 1 LIMIT :limit
    )
    DELETE FROM rollup_queue q USING changed
    WHERE q.bucket_start >= changed.start AND q.bucket_start < changed.start + :width
    RETURNING changed.start
    """
)
# A day whose buckets change is read from them until it is compacted again.
_OPEN = sa.text(
    """
    INSERT INTO rollup_days AS d (day) SELECT unnest(CAST(:days AS timestamptz[]))
    ON CONFLICT (day) DO UPDATE SET
        compacted_at = CASE WHEN d.buckets_dropped_at IS NULL AND d.sealed_at IS NULL THEN NULL ELSE d.compacted_at END
    RETURNING day, buckets_dropped_at, sealed_at
    """
)
# Raw rows are only ever added, until they are deleted.
_LOST = {
    suffix: sa.text(
        f"""
    SELECT (SELECT coalesce(sum(requests), 0) FROM rollup_routes{suffix} WHERE bucket_start >= :start AND bucket_start < :end)
           > (SELECT count(*) FROM exchanges WHERE started_at >= :start AND started_at < :end)
        OR (SELECT coalesce(sum(samples), 0) FROM rollup_shadow{suffix} WHERE bucket_start >= :start AND bucket_start < :end)
           > (SELECT count(*) FROM samples WHERE started_at >= :start AND started_at < :end)
    """  # noqa: S608 - built from constants of this module
    )
    for suffix in ("", "_daily")
}
_STATEMENTS: dict[str, tuple[Any, ...]] = {
    suffix: tuple(
        sa.text(statement)
        for table, insertion in INSERTIONS.items()
        for statement in (
            f"DELETE FROM {table}{suffix} WHERE bucket_start >= :start AND bucket_start < :end",  # noqa: S608
            insertion(table + suffix),
        )
    )
    for suffix in ("", "_daily")
}
