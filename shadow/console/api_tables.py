"""What can a program ask about savings and costs as tables? The files of `shadow export`, one at a time, as JSON or CSV."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel

from shadow.console.parameters import Days
from shadow.money.table_files import csv_text, table_json
from shadow.money.tables import TableName, load_table
from shadow.settings import Settings
from shadow.store.console_session import translated
from shadow.store.engine import AsyncEngine


class TableAnswer(BaseModel):
    """A table of whole UTC days. columns: in order; `_low` and `_high` beside a figure are its interval. null: not known."""

    table: TableName
    since: datetime
    until: datetime
    columns: list[str]
    rows: list[dict[str, str | int | float | bool | None]]


def add_table_routes(routes: APIRouter, settings: Settings, engine: AsyncEngine) -> None:
    """Tables about money."""

    @routes.get("/tables/{name}", responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}})
    async def table(
        name: TableName,
        days: Days = settings.rollup.window_days,
        format: Annotated[Literal["json", "csv"], Query(description="csv: with a header row.")] = "json",  # noqa: A002
    ) -> TableAnswer:
        """Tiers, moves of query types, heavy users, cost per success and savings by day, spend: flat rows with intervals."""
        with translated():
            found = await load_table(engine, settings, name, days=days)
        if format == "csv":
            file = f"{name}-{found.since:%Y%m%d}-{found.until:%Y%m%d}.csv"
            return Response(  # type: ignore[return-value]
                csv_text(found.columns, found.rows),
                media_type="text/csv",
                headers={"content-disposition": f'attachment; filename="{file}"'},
            )
        return TableAnswer(**table_json(found))
