"""What does the control port serve? The console's pages, the control API under `/api/v1`, and `/healthz`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles

from shadow.console.access import Access
from shadow.console.answers import install_error_answers
from shadow.console.api import api_routes
from shadow.console.failed_logins import FailedLogins
from shadow.console.guard import Guard
from shadow.console.pages import page_routes, refusal_page
from shadow.settings import Settings
from shadow.store.engine import AsyncEngine

STATIC = Path(__file__).parent / "static"


def create_console(settings: Settings, engine: AsyncEngine, *, allowed_hosts: Sequence[str] = ()) -> FastAPI:
    """The ASGI application. allowed_hosts: names that a browser may use for it, beside the configured and the loopback ones."""
    app = FastAPI(
        title="Shadowtier control API",
        version="1",
        description="Quality and cost of tiered LLM traffic, as measured on mirrored requests.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere
        redoc_url=None,
    )
    install_error_answers(app)
    failures = FailedLogins(settings.auth.failed_logins)
    app.include_router(api_routes(settings, engine, failures), prefix="/api/v1")
    app.include_router(page_routes(settings, engine))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> PlainTextResponse:
        """The process answers; says nothing about the database."""
        return PlainTextResponse("ok\n")

    app.add_middleware(
        Access,
        engine=engine,
        required=settings.asks_for_tokens,
        failures=failures,
        refusal_page=refusal_page(settings),
    )
    app.add_middleware(Guard, hosts={settings.server.host, *settings.server.control_hosts, *allowed_hosts})
    return app
