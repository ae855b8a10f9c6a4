"""Does a dashboard's query run, and does it find anything? Read-only, with a time limit, as Grafana would run it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from shadow.errors import StoreError
from shadow.store.console_session import READ_SECONDS, reading

_CANCELED = "57014"  # the SQL state of a statement that ran into its time limit


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """error: the database's own line where the query failed, None where it ran."""

    rows: list[tuple[Any, ...]]
    columns: tuple[str, ...]
    seconds: float
    error: str | None


async def run_query(engine: AsyncEngine, sql: str) -> QueryResult:
    """Run one query. A mistake in it is part of the result. Raises: StoreError where the database can't be reached."""
    began = time.monotonic()
    try:
        async with reading(engine) as connection:
            # exec_driver_sql: a colon in the query is a colon, not a parameter.
            result = await connection.exec_driver_sql(sql.replace("%", "%%"))
            rows = [tuple(row) for row in result]
            columns = tuple(result.keys())
    except sa.exc.DBAPIError as exc:
        return _failed(str(exc.orig), began)
    except StoreError as exc:
        if getattr(getattr(exc.__cause__, "orig", None), "sqlstate", None) != _CANCELED:
            raise
        return _failed(f"took longer than {READ_SECONDS} s", began)
    return QueryResult(rows=rows, columns=columns, seconds=time.monotonic() - began, error=None)


def _failed(message: str, began: float) -> QueryResult:
    return QueryResult(rows=[], columns=(), seconds=time.monotonic() - began, error=message.splitlines()[0])
