"""What did requests cost, by who and what caused them? Daily sums, kept up to date as exchanges arrive.

The sums are added to in the transaction that stores the exchanges, and only for those that are new, so they are exact however
often a segment is delivered, and nothing ever has to read raw exchanges again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from router.contracts import Exchange
from shadow.store.schema_money import rollup_calls, rollup_spend
from shadow.store.storable import storable

#: Whose spend: asked for by name, or by what served.
Dimension = Literal["user", "feature", "query_type", "session", "key", "tier", "model"]
_STORED = ("user", "feature", "session", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Spend of one name: "" where the client did not say, or where nobody answered. requests: calls where it is a model's."""

    name: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendCell:
    """Spend of one name at one tier on one query type. tier: "" where nobody answered."""

    name: str
    tier: str
    query_type: str
    requests: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls to one model, whatever became of them, with what was billed."""

    tier: str
    provider: str
    model: str
    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_usd: Decimal


async def add_spend(connection: AsyncConnection, new: Sequence[Exchange]) -> None:
    """Add exchanges that were not stored before. Cost: two statements."""
    spent: dict[tuple[Any, ...], list[Any]] = {}
    called: dict[tuple[Any, ...], list[Any]] = {}
    for exchange in new:
        day, tier = exchange.started_at.astimezone(UTC).date(), exchange.served_tier or ""
        amounts = (1, exchange.prompt_tokens, exchange.completion_tokens, exchange.cost_usd)
        hints = exchange.hints
        for dimension, name in zip(_STORED, (hints.user, hints.feature, hints.session, exchange.key_id), strict=True):
            # Sessions are nearly as many as requests: one row each, not one by tier and query type.
            cell = ("", "") if dimension == "session" else (tier, _clean(exchange.query_type))
            _add(spent, (dimension, day, _clean(name), *cell), amounts)
        for attempt in exchange.attempts:
            tokens = (attempt.prompt_tokens, attempt.cached_tokens, attempt.completion_tokens)
            key = (day, attempt.tier, attempt.provider, _clean(attempt.model))
            _add(called, key, (1, *tokens, attempt.cost_usd))
    await _upsert(connection, rollup_spend, spent)
    await _upsert(connection, rollup_calls, called)


async def spend_by(
    connection: AsyncConnection, by: Dimension, *, since: date, until: date, limit: int | None = None
) -> list[Spent]:
    """Spend of UTC days since <= day <= until, dearest first. limit: names, at most; None: all."""
    if by == "model":
        table, name, count = rollup_calls, rollup_calls.c.model, rollup_calls.c.calls
        condition: sa.ColumnElement[bool] = sa.true()
    else:
        table, count = rollup_spend, rollup_spend.c.requests
        name = rollup_spend.c[{"tier": "tier", "query_type": "query_type"}.get(by, "name")]
        # Each stored dimension holds every request once, so any of them serves for tiers and query types.
        condition = rollup_spend.c.dimension == (by if by in _STORED else "feature")
    cost = sa.func.sum(table.c.cost_usd)
    query = (
        sa.select(
            name.label("name"),
            sa.cast(sa.func.sum(count), sa.BigInteger).label("requests"),
            sa.cast(sa.func.sum(table.c.prompt_tokens), sa.BigInteger).label("prompt_tokens"),
            sa.cast(sa.func.sum(table.c.completion_tokens), sa.BigInteger).label("completion_tokens"),
            cost.label("cost_usd"),
        )
        .where(condition, table.c.day >= since, table.c.day <= until)
        .group_by(name)
        .order_by(cost.desc(), name)
        .limit(limit)
    )
    return [Spent(**row) for row in (await connection.execute(query)).mappings()]


async def total_spend(connection: AsyncConnection, *, since: date, until: date) -> tuple[int, Decimal]:
    """(requests, USD) of UTC days, exact."""
    own = rollup_spend.c
    query = sa.select(
        sa.cast(sa.func.coalesce(sa.func.sum(own.requests), 0), sa.BigInteger),
        sa.func.coalesce(sa.func.sum(own.cost_usd), 0),
    ).where(own.dimension == "feature", own.day >= since, own.day <= until)
    requests, cost = (await connection.execute(query)).one()
    return int(requests), Decimal(cost)


async def spend_cells(
    connection: AsyncConnection, by: Literal["user", "feature"], *, since: date, until: date
) -> list[SpendCell]:
    """Spend of UTC days by name, tier and query type."""
    own = rollup_spend.c
    query = (
        sa.select(
            own.name,
            own.tier,
            own.query_type,
            sa.cast(sa.func.sum(own.requests), sa.BigInteger).label("requests"),
            sa.func.sum(own.cost_usd).label("cost_usd"),
        )
        .where(own.dimension == by, own.day >= since, own.day <= until)
        .group_by(own.name, own.tier, own.query_type)
        .order_by(own.name, own.tier, own.query_type)
    )
    return [SpendCell(**row) for row in (await connection.execute(query)).mappings()]


async def calls(connection: AsyncConnection, *, since: date, until: date) -> list[Calls]:
    """Calls of UTC days by tier, provider and model."""
    keys = ("tier", "provider", "model")
    sums = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens")
    query = (
        sa.select(
            *(rollup_calls.c[key] for key in keys),
            *(sa.cast(sa.func.sum(rollup_calls.c[name]), sa.BigInteger).label(name) for name in sums),
            sa.func.sum(rollup_calls.c.cost_usd).label("cost_usd"),
        )
        .where(rollup_calls.c.day >= since, rollup_calls.c.day <= until)
        .group_by(*(rollup_calls.c[key] for key in keys))
        .order_by(*(rollup_calls.c[key] for key in keys))
    )
    return [Calls(**row) for row in (await connection.execute(query)).mappings()]


def _add(sums: dict[tuple[Any, ...], list[Any]], key: tuple[Any, ...], amounts: Sequence[Any]) -> None:
    known = sums.get(key)
    sums[key] = list(amounts) if known is None else [a + b for a, b in zip(known, amounts, strict=True)]


def _clean(name: str | None) -> str:
    return storable(name) or ""


async def _upsert(connection: AsyncConnection, table: sa.Table, sums: Mapping[tuple[Any, ...], Sequence[Any]]) -> None:
    """Add to the rows of a table. In one order everywhere, so that two intakes never wait for each other in a circle."""
    if not sums:
        return
    keys = [column.name for column in table.primary_key.columns]
    amounts = [column.name for column in table.columns if column.name not in keys]
    rows = sorted((*key, *values) for key, values in sums.items())
    # One array for each column: a statement of the same shape, however many rows there are.
    columns = [
        sa.func.unnest(sa.bindparam(f"a_{name}", list(values), type_=postgresql.ARRAY(table.c[name].type)))
        for name, values in zip((*keys, *amounts), zip(*rows, strict=True), strict=True)
    ]
    statement = postgresql.insert(table).from_select([*keys, *amounts], sa.select(*columns))
    added = {name: table.c[name] + statement.excluded[name] for name in amounts}
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=added))
