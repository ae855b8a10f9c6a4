"""Which weekly reports were made? One per period; the first one made stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema_regressions import regression_reports as table


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """A stored report without its figures."""

    id: int
    since: datetime
    until: datetime
    made_at: datetime
    worse: int
    tested: int
    headline: str


_ROW = [table.c[name] for name in ("id", "since", "until", "made_at", "worse", "tested", "headline")]


async def save(
    connection: AsyncConnection, report: Mapping[str, Any], *, since: datetime, until: datetime, now: datetime
) -> int | None:
    """Store the report of a period; its id, or None where there is one already. report: as `shadow.regressions` writes it."""
    statement = insert(table).values(
        since=since,
        until=until,
        made_at=now,
        worse=len(report["cells"]["worse"]),
        tested=report["cells"]["tested"],
        headline=report["headline"],
        report=dict(report),
    )
    known = statement.on_conflict_do_nothing(index_elements=["since", "until"]).returning(table.c.id)
    found: int | None = await connection.scalar(known)
    return found


async def has_report(connection: AsyncConnection, *, since: datetime, until: datetime) -> bool:
    """Whether the period has its report."""
    query = sa.select(sa.exists().where(table.c.since == since, table.c.until == until))
    return bool(await connection.scalar(query))


async def last_reports(connection: AsyncConnection, *, limit: int) -> list[ReportRow]:
    """Newest period first."""
    query = sa.select(*_ROW).order_by(table.c.until.desc(), table.c.id.desc()).limit(limit)
    return [ReportRow(**row) for row in (await connection.execute(query)).mappings()]


async def load(connection: AsyncConnection, report_id: int | None) -> tuple[ReportRow, dict[str, Any]] | None:
    """A report with its figures; the newest for None; None where there is none."""
    query = sa.select(*_ROW, table.c.report).order_by(table.c.until.desc(), table.c.id.desc()).limit(1)
    if report_id is not None:
        query = query.where(table.c.id == report_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    return ReportRow(**{name: row[name] for name in ReportRow.__dataclass_fields__}), row["report"]
