"""How is a batch of exchanges stored exactly once, however often it is delivered?

The primary key (started_at, request_id) comes from the record itself, so a second delivery meets a conflict and does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from router.contracts import Exchange
from shadow.store.schema import exchanges
from shadow.store.spend import add_spend
from shadow.store.storable import storable

#: The database's word on the data itself; anything else (no connection, a restart) is worth another try.
REFUSALS = (sa.exc.DataError, sa.exc.IntegrityError, sa.exc.ProgrammingError)
ROWS_PER_STATEMENT = 1000  # times some 30 columns stays below the 65,535 parameters of the protocol


async def ensure_partitions(connection: AsyncConnection, days: set[date]) -> None:
    """Create the day partitions that are missing. Safe to run from several processes."""
    for day in sorted(days):
        name = f"exchanges_{day:%Y%m%d}"
        known = await connection.scalar(sa.text("SELECT to_regclass(:name)"), {"name": name})
        if known is None:
            # Names and bounds are made from a date, never from input; DDL takes no parameters.
            await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('exchanges partitions'))"))
            await connection.execute(
                sa.text(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF exchanges "
                    f"FOR VALUES FROM ('{day:%Y-%m-%d} 00:00:00+00') TO ('{day + timedelta(days=1):%Y-%m-%d} 00:00:00+00')"
                )
            )


async def insert_exchanges(connection: AsyncConnection, batch: Sequence[Exchange]) -> set[str]:
    """Store a batch and add what is new to the spend of its days; returns the request ids that were new."""
    new: set[str] = set()
    await ensure_partitions(connection, {exchange.started_at.astimezone(UTC).date() for exchange in batch})
    for start in range(0, len(batch), ROWS_PER_STATEMENT):
        statement = (
            insert(exchanges)
            .values([_row(exchange) for exchange in batch[start : start + ROWS_PER_STATEMENT]])
            .on_conflict_do_nothing()
            .returning(exchanges.c.request_id)
        )
        new.update(str(request_id) for request_id in (await connection.scalars(statement)))
    await add_spend(connection, list({e.request_id: e for e in batch if e.request_id in new}.values()))
    return new


def first_line(error: sa.exc.DBAPIError) -> str:
    """What the database said, without statement and parameters: those hold what clients wrote."""
    return (str(error.orig).splitlines() or [type(error).__name__])[0]


def _row(exchange: Exchange) -> dict[str, Any]:
    decision, hints = exchange.decision, exchange.hints
    plain = exchange.status == "answered" and [attempt.outcome for attempt in exchange.attempts] == ["ok"]
    return {
        "started_at": exchange.started_at,
        "request_id": exchange.request_id,
        "policy_version": exchange.policy_version,
        "mode": exchange.mode,
        "status": exchange.status,
        "http_status": exchange.http_status,
        "error_kind": exchange.error_kind,
        "predicted_tier": decision.predicted,
        "chosen_tier": decision.chosen,
        "served_tier": exchange.served_tier,
        "served_model": storable(exchange.served_model),
        "reason": exchange.reason,
        "rule": decision.rule,
        "confidence": decision.confidence,
        "band": decision.band,
        "query_type": storable(exchange.query_type),
        "query_type_source": exchange.query_type_source,
        "feature": storable(hints.feature),
        "user_id": storable(hints.user),
        "session_id": storable(hints.session),
        "key_id": exchange.key_id,
        "streamed": exchange.streamed,
        "prompt_tokens": exchange.prompt_tokens,
        "completion_tokens": exchange.completion_tokens,
        "cost_usd": exchange.cost_usd,
        "latency_seconds": exchange.latency_seconds,
        "first_token_seconds": exchange.first_token_seconds,
        "finish_reason": storable(exchange.finish_reason),
        "attempts": None if plain else [_attempt(attempt) for attempt in exchange.attempts],
    }


def _attempt(attempt: Any) -> dict[str, Any]:
    return {
        "tier": attempt.tier,
        "provider": attempt.provider,
        "model": storable(attempt.model),
        "outcome": attempt.outcome,
        "http_status": attempt.http_status,
        "latency_seconds": round(attempt.latency_seconds, 4),
        "prompt_tokens": attempt.prompt_tokens,
        "completion_tokens": attempt.completion_tokens,
        "cost_usd": str(attempt.cost_usd),
    }
