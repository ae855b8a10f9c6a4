"""What can a program ask about money? Spend by who and what caused it, findings, and prices with their dates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel

from shadow.console.parameters import Days, Limit
from shadow.money.findings import findings_json, first_midnight, load_findings
from shadow.money.table_files import csv_text
from shadow.money.tables import Scalar
from shadow.settings import Settings
from shadow.store import console_traffic, prices
from shadow.store.console_rows import LedgerRow, SpendRow, Usd
from shadow.store.console_session import reading, translated
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.rollups import Mode
from shadow.store.spend import Dimension, Spent, spend_by, total_spend

_CSV_COLUMNS = ("name", "requests", "prompt_tokens", "completion_tokens", "cost_usd")


class Shadow(BaseModel):
    """The shadow ledger by UTC day, and the caps in force."""

    days: list[LedgerRow]
    mirror_cap_usd_per_day: float
    judge_cap_usd_per_day: float


class Spend(BaseModel):
    """mode: of the requests that are counted, null for both. by_user is of both, and kept by UTC day, so it begins with the
    midnight `by_user_since`; the ledger of mirrors and judges is of both as well."""

    since: datetime
    until: datetime
    mode: Mode | None
    total_usd: Usd
    by_mode: list[SpendRow]
    by_tier: list[SpendRow]
    by_feature: list[SpendRow]
    by_query_type: list[SpendRow]
    by_user: list[SpendRow]
    by_user_since: datetime
    unanswered: SpendRow
    shadow: Shadow


class SpentRow(BaseModel):
    """name: "" where the client did not say, or nobody answered. requests: calls, where `by` is model."""

    name: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Usd


class SpendBy(BaseModel):
    """Spend of whole UTC days, exact. total_usd, requests: of everything, rows that the limit cut off included."""

    by: Dimension
    since: datetime
    until: datetime
    requests: int
    total_usd: Usd
    rows: list[SpentRow]


class PriceAnswer(BaseModel):
    """A price as it was seen: it holds from starts_at on. Rows are never changed."""

    provider: str
    model: str
    starts_at: datetime
    seen_at: datetime
    source: str
    input_usd_per_mtok: Usd
    output_usd_per_mtok: Usd
    cached_usd_per_mtok: Usd


def add_spend_routes(routes: APIRouter, settings: Settings, engine: AsyncEngine) -> None:
    """Spend, findings, prices."""

    @routes.get(
        "/spend",
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    async def spend(
        by: Annotated[Dimension | None, Query(description="One table, by this; without it, an overview.")] = None,
        days: Days = 1.0,
        users: Limit = 50,
        limit: Limit = 50,
        mode: Annotated[Mode | None, Query(description="In the overview, requests of one mode only.")] = None,
        format: Annotated[Literal["json", "csv"], Query(description="csv needs `by`, and holds every row.")] = "json",  # noqa: A002
    ) -> SpendBy | Spend:
        """What answering cost, by who and what caused it; in the overview, what mirroring and judging cost beside it."""
        until = utc_now()
        if by is None:
            return await _overview(settings, engine, until=until, days=days, users=users, mode=mode)
        since = first_midnight(until, days)
        window = {"since": since.date(), "until": until.date()}
        async with reading(engine) as connection:
            rows = await spend_by(connection, by, **window, limit=None if format == "csv" else limit)
            requests, total = await total_spend(connection, **window)
        if format == "csv":
            name = f"spend-by-{by}-{since:%Y%m%d}-{until:%Y%m%d}.csv"
            return Response(  # type: ignore[return-value]
                csv_text(_CSV_COLUMNS, map(_cells, rows)),
                media_type="text/csv",
                headers={"content-disposition": f'attachment; filename="{name}"'},
            )
        return SpendBy(
            by=by, since=since, until=until, requests=requests, total_usd=total, rows=[_spent_row(row) for row in rows]
        )

    @routes.get("/findings")
    async def findings(days: Days = settings.rollup.window_days) -> dict[str, Any]:
        """Heavy users, query types that a cheaper tier may serve, effects of prices; `status` says what is certified."""
        with translated():
            return findings_json(await load_findings(engine, settings, days=days))

    @routes.get("/prices")
    async def list_prices() -> list[PriceAnswer]:
        """Every price that was seen, by model and in the order in which they hold."""
        async with reading(engine) as connection:
            rows = await prices.price_rows(connection)
        return [PriceAnswer(**{name: getattr(row, name) for name in PriceAnswer.model_fields}) for row in rows]


async def _overview(
    settings: Settings, engine: AsyncEngine, *, until: datetime, days: float, users: int, mode: Mode | None
) -> Spend:
    since, by_user_since = until - timedelta(days=days), first_midnight(until, days)
    async with reading(engine) as connection:
        by = {
            key: await console_traffic.spend_by(connection, key, since=since, until=until, mode=mode)
            for key in ("tier", "feature", "query_type", "mode")
        }
        unanswered = await console_traffic.unanswered_spend(connection, since=since, until=until, mode=mode)
        named = await spend_by(connection, "user", since=by_user_since.date(), until=until.date(), limit=users)
        ledger = await console_traffic.ledger(connection, since=since)
    return Spend(
        since=since,
        until=until,
        mode=mode,
        total_usd=sum((row.cost_usd for row in by["tier"]), unanswered.cost_usd),
        by_mode=by["mode"],
        by_tier=by["tier"],
        by_feature=by["feature"],
        by_query_type=by["query_type"],
        by_user=[SpendRow(name=row.name, requests=row.requests, cost_usd=row.cost_usd) for row in named],
        by_user_since=by_user_since,
        unanswered=unanswered,
        shadow=Shadow(
            days=ledger,
            mirror_cap_usd_per_day=settings.sampling.budget_usd_per_day,
            judge_cap_usd_per_day=settings.judges.budget_usd_per_day,
        ),
    )


def _spent_row(row: Spent) -> SpentRow:
    return SpentRow(**{name: getattr(row, name) for name in SpentRow.model_fields})


def _cells(row: Spent) -> dict[str, Scalar]:
    return {name: getattr(row, name) for name in _CSV_COLUMNS}
