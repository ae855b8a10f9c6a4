"""Which buckets have changed since they were computed? Marked in the transaction that changes the data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema import rollup_queue, samples

#: The least width of a bucket; every bucket is a multiple of it, so that a mark falls into exactly one.
MARK_SECONDS = 15


async def mark(connection: AsyncConnection, instants: Iterable[datetime]) -> None:
    """Reopen the buckets that these instants (aware) fall into."""
    starts = {int(instant.timestamp()) // MARK_SECONDS * MARK_SECONDS for instant in instants}
    if starts:
        rows = [{"bucket_start": datetime.fromtimestamp(start, tz=UTC)} for start in sorted(starts)]
        await connection.execute(insert(rollup_queue).on_conflict_do_nothing(), rows)


async def mark_bucket_of_sample(connection: AsyncConnection, request_id: str) -> None:
    """Reopen the bucket of a sample, when its state, verdict or label changed."""
    started_at = await connection.scalar(sa.select(samples.c.started_at).where(samples.c.request_id == request_id))
    if started_at is not None:
        await mark(connection, [started_at])
