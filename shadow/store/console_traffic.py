"""What is flowing? The newest exchanges, requests per bucket and tier, and what they cost whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.console_rows import FlowBucket, LedgerRow, RequestRow, SpendRow
from shadow.store.console_session import read_cursor
from shadow.store.rollup_windows import window_of
from shadow.store.rollups import Mode
from shadow.store.schema import budget_days, estimates, exchanges, rollup_routes, rollups, samples
from shadow.store.schema_money import feedback

_FILTERS = {"tier": "served_tier", "user": "user_id", "feature": "feature", "status": "status"}


async def last_requests(
    connection: AsyncConnection, *, filters: Mapping[str, str], limit: int, cursor: str | None = None
) -> list[RequestRow]:
    """Newest first. filters: tier, user, feature, status. Raises: ValueError for a bad cursor.

    Cost: a walk down the newest partitions; a filter that matches little walks further.
    """
    sampled = sa.exists().where(samples.c.request_id == exchanges.c.request_id).label("sampled")
    rated = (
        sa.select(feedback.c.rating)
        .where(
            feedback.c.request_id == exchanges.c.request_id,
            feedback.c.source == "user",
            feedback.c.key_id == sa.func.coalesce(exchanges.c.key_id, ""),
        )
        .scalar_subquery()
        .label("rating")
    )
    columns = [exchanges.c[field.name] for field in fields(RequestRow) if field.name in exchanges.c]
    query = sa.select(*columns, sampled, rated).order_by(exchanges.c.started_at.desc(), exchanges.c.request_id.desc())
    for name, value in filters.items():
        query = query.where(exchanges.c[_FILTERS[name]] == value)
    if cursor is not None:
        instant, request_id = read_cursor(cursor)
        # The first condition lets the planner leave out newer partitions, which it cannot see in the second one.
        query = query.where(
            exchanges.c.started_at <= instant,
            sa.tuple_(exchanges.c.started_at, exchanges.c.request_id)
            < sa.tuple_(instant, sa.cast(request_id, sa.UUID)),
        )
    rows = (await connection.execute(query.limit(limit))).mappings()
    return [RequestRow(**{**row, "request_id": str(row["request_id"])}) for row in rows]


async def flow(connection: AsyncConnection, *, since: datetime, mode: Mode) -> list[FlowBucket]:
    """Requests of a mode by bucket and serving tier, oldest first, from the roll-ups. Buckets without requests are left out."""
    query = (
        sa.select(
            rollup_routes.c.bucket_start, rollup_routes.c.served_tier, sa.func.sum(rollup_routes.c.requests).label("n")
        )
        .where(rollup_routes.c.bucket_start >= since, rollup_routes.c.mode == mode)
        .group_by(rollup_routes.c.bucket_start, rollup_routes.c.served_tier)
        .order_by(rollup_routes.c.bucket_start)
    )
    buckets: dict[datetime, dict[str, int]] = {}
    for start, tier, requests in await connection.execute(query):
        buckets.setdefault(start, {})[tier] = int(requests)
    return [FlowBucket(start=start, requests=requests) for start, requests in buckets.items()]


async def figures_computed_at(connection: AsyncConnection) -> datetime | None:
    """When the leader last published figures; None before the first time."""
    computed_at: datetime | None = await connection.scalar(sa.select(sa.func.max(estimates.c.computed_at)))
    return computed_at


async def has_exchanges(connection: AsyncConnection) -> bool:
    """Whether anything was ever stored."""
    return bool(await connection.scalar(sa.select(sa.exists().select_from(exchanges))))


async def spend_by(
    connection: AsyncConnection, key: str, *, since: datetime, until: datetime, mode: Mode | None = None
) -> list[SpendRow]:
    """What answered requests cost by tier, feature, query_type or mode, dearest first, from the roll-ups. mode: None for both."""
    rows = window_of(rollups, ("mode", "requests", "cost_usd", *({key} - {"mode"}))).subquery("rows")
    name, spent = rows.c[key], sa.func.sum(rows.c.cost_usd)
    query = sa.select(name, sa.func.sum(rows.c.requests), spent).group_by(name).order_by(spent.desc(), name)
    query = query.where(_of_mode(rows, mode)).having(sa.func.sum(rows.c.requests) > 0)
    return [_spend_row(*row) for row in await connection.execute(query, {"since": since, "until": until})]


async def unanswered_spend(
    connection: AsyncConnection, *, since: datetime, until: datetime, mode: Mode | None = None
) -> SpendRow:
    """What requests cost that nobody answered in the end, or whose client left."""
    rows = window_of(rollup_routes, ("mode", "status", "requests", "cost_usd")).subquery("rows")
    query = sa.select(
        sa.func.coalesce(sa.func.sum(rows.c.requests), 0), sa.func.coalesce(sa.func.sum(rows.c.cost_usd), 0)
    ).where(rows.c.status != "answered", _of_mode(rows, mode))
    return _spend_row("unanswered", *(await connection.execute(query, {"since": since, "until": until})).one())


def _of_mode(rows: sa.Subquery, mode: Mode | None) -> sa.ColumnElement[bool]:
    return sa.true() if mode is None else rows.c.mode == mode


async def ledger(connection: AsyncConnection, *, since: datetime) -> list[LedgerRow]:
    """Mirror and judge money by UTC day, newest first."""
    query = (
        sa.select(budget_days)
        .where(budget_days.c.day >= since.date())
        .order_by(budget_days.c.day.desc(), budget_days.c.purpose)
    )
    return [LedgerRow(**row) for row in (await connection.execute(query)).mappings()]


def _spend_row(name: str, requests: float, cost_usd: object) -> SpendRow:
    return SpendRow(name=name, requests=int(requests), cost_usd=Decimal(str(cost_usd)))
