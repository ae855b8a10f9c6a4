"""Where are streams of judged pairs kept between looks? A row each, and one for the position, locked by whoever looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.statistics.stream_watch import Key, Stream
from shadow.store.schema_watch import watch_position, watch_streams

_NAMES = tuple(Stream.__dataclass_fields__)
_KEY = ("tier", "model", "query_type")
_FIRST = UUID(int=0)
LAST = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """All pairs up to this request, by (time, id), were looked at, the last time at looked_at. judges: a word for who judges."""

    taken_until: datetime
    taken_id: UUID
    cohorts: int
    cohorts_quarter: date | None
    judges: str
    looked_at: datetime


async def lock_position(connection: AsyncConnection, *, start: datetime, judges: str, now: datetime) -> Position:
    """The position, this transaction's alone until it ends; `start` where nothing was looked at yet."""
    first = {"id": 1, "taken_until": start, "taken_id": _FIRST, "judges": judges, "looked_at": now}
    await connection.execute(insert(watch_position).values(**first).on_conflict_do_nothing())
    found = (await connection.execute(sa.select(watch_position).with_for_update())).mappings().one()
    return Position(**{name: found[name] for name in Position.__dataclass_fields__})


async def read_position(connection: AsyncConnection) -> Position | None:
    """The position; None before the first look."""
    found = (await connection.execute(sa.select(watch_position))).mappings().first()
    return None if found is None else Position(**{name: found[name] for name in Position.__dataclass_fields__})


async def save_position(connection: AsyncConnection, position: Position) -> None:
    values = {name: getattr(position, name) for name in Position.__dataclass_fields__}
    await connection.execute(sa.update(watch_position).values(**values))


async def all_streams(connection: AsyncConnection) -> dict[Key, Stream]:
    """Every stream that ever had a pair, by key."""
    rows = await connection.execute(sa.select(watch_streams).order_by(*(watch_streams.c[name] for name in _KEY)))
    found = (
        Stream(**{**row, "log_capitals": tuple(row["log_capitals"]), "sessions": tuple(row["sessions"])})
        for row in rows.mappings()
    )
    return {stream.key: stream for stream in found}


async def save_streams(connection: AsyncConnection, streams: Iterable[Stream]) -> None:
    """Insert or replace."""
    rows = [
        {name: getattr(stream, name) for name in _NAMES}
        | {"log_capitals": list(stream.log_capitals), "sessions": list(stream.sessions)}
        for stream in streams
    ]
    if not rows:
        return
    statement = insert(watch_streams)
    replaced = {name: statement.excluded[name] for name in _NAMES if name not in _KEY}
    await connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=replaced), rows)
