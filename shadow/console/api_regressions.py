"""What can a program ask about the weekly reports? A list, the newest, one of them; as JSON or Markdown."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from shadow.console.answers import ApiError, ErrorBody
from shadow.console.parameters import Limit
from shadow.regressions.text import markdown
from shadow.settings import Settings
from shadow.store import regression_reports
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine
from shadow.store.regression_reports import ReportRow

Format = Annotated[Literal["json", "markdown"], Query(description="markdown: tables with links to the console.")]


class ReportAnswer(BaseModel):
    """A stored report. report: every figure of it, as it was made."""

    row: ReportRow
    report: dict[str, Any]


def add_regression_routes(routes: APIRouter, settings: Settings, engine: AsyncEngine) -> None:
    """Reports of what got worse."""

    async def answer(report_id: int | None, form: str) -> Any:
        async with reading(engine) as connection:
            found = await regression_reports.load(connection, report_id)
        if found is None:
            what = "no report was made yet" if report_id is None else f"there is no report {report_id}"
            raise ApiError(404, "not_found", what, param=None if report_id is None else "report_id")
        if form == "markdown":
            text = markdown(found[1], address=settings.alerts.public_url or "")
            return PlainTextResponse(text, media_type="text/markdown; charset=utf-8")
        return ReportAnswer(row=found[0], report=found[1])

    @routes.get("/regressions")
    async def list_reports(limit: Limit = 50) -> list[ReportRow]:
        """Stored reports, newest period first, without their figures."""
        async with reading(engine) as connection:
            return await regression_reports.last_reports(connection, limit=limit)

    markdown_too: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/markdown": {"schema": {"type": "string"}}}},
        404: {"model": ErrorBody},
    }

    @routes.get("/regressions/latest", responses=markdown_too)
    async def latest(format: Format = "json") -> ReportAnswer:  # noqa: A002
        """The report of the newest period."""
        return await answer(None, format)  # type: ignore[no-any-return]

    @routes.get("/regressions/{report_id}", responses=markdown_too)
    async def one(report_id: int, format: Format = "json") -> ReportAnswer:  # noqa: A002
        """One report, as it was made."""
        return await answer(report_id if 0 < report_id < 2**31 else -1, format)  # type: ignore[no-any-return]
