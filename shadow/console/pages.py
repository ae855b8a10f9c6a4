"""Which pages are there for people? The overview at `/`, and one page per sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from shadow.report import build_report
from shadow.settings import Settings
from shadow.store.engine import AsyncEngine, utc_now
from datetime import timedelta

TEMPLATES = Path(__file__).parent / "templates"


def page_routes(settings: Settings, engine: AsyncEngine) -> APIRouter:
    """The pages, server-rendered; each works without JavaScript."""
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )

    def render(name: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(templates.get_template(name).render(**values), status_code=status)

    @routes.get("/")
    async def overview() -> HTMLResponse:
        now = utc_now()
        report = await build_report(
            engine, tiers=settings.tier_names, since=now - timedelta(days=settings.rollup.window_days), until=now
        )
        return render("overview.html", report=report)

    return routes
