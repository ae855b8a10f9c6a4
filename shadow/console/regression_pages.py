"""What does the console show of the weekly reports? `/regressions`: the newest, and a list; `/regressions/{id}`: one of them."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from shadow.regressions.message import between
from shadow.regressions.page import view
from shadow.settings import Settings
from shadow.store import regression_reports
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine

LISTED = 60


def add_regression_pages(
    routes: APIRouter,
    settings: Settings,
    engine: AsyncEngine,
    *,
    render: Callable[..., HTMLResponse],
) -> None:
    """`/regressions` and `/regressions/{id}`."""

    async def show(report_id: int | None) -> HTMLResponse:
        async with reading(engine) as connection:
            found = await regression_reports.load(connection, report_id)
            listed = await regression_reports.last_reports(connection, limit=LISTED)
        if found is None:
            cron = settings.alerts.weekly.cron
            when = (
                f"the schedule {cron!r} (UTC) makes the first" if cron else "alerts.weekly.cron is null: none is made"
            )
            there = "There is no such report" if report_id else "There is none yet"
            text = f"{there}; {when}. `shadow regressions` prints one now."
            return render("message.html", 404 if report_id else 200, title="Regressions", text=text)
        row, report = found
        return render("regressions.html", page=view(report), row=row, listed=listed, between=between)

    @routes.get("/regressions")
    async def newest() -> HTMLResponse:
        return await show(None)

    @routes.get("/regressions/{report_id}")
    async def one(report_id: int) -> HTMLResponse:
        return await show(report_id if 0 < report_id < 2**31 else -1)
