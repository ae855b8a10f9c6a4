"""What do the page and the API about pinned models show? What each provider reports has answered, and what is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from shadow.errors import StoreError
from shadow.pins_text import PinRow, pin_json, pin_rows, state_text
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.model_reports import all_pins, all_reports


def add_pin_routes(routes: APIRouter, engine: AsyncEngine) -> None:
    """`/api/v1/pins`."""

    @routes.get("/pins")
    async def list_pins() -> dict[str, Any]:
        """Pinned models, changed ones first: what was pinned, what else is reported, price, window, retirement."""
        return {"pins": [pin_json(row) for row in await _load(engine)]}


def add_pin_page(
    routes: APIRouter,
    engine: AsyncEngine,
    *,
    render: Callable[..., HTMLResponse],
    unreadable: Callable[[StoreError], HTMLResponse],
) -> None:
    """`/pins`."""

    @routes.get("/pins")
    async def pin_page() -> HTMLResponse:
        try:
            rows = await _load(engine)
        except StoreError as exc:
            return unreadable(exc)
        return render("pins.html", rows=rows, state_text=state_text, now=utc_now())


async def _load(engine: AsyncEngine) -> list[PinRow]:
    async with reading(engine) as connection:
        pins, reports = await all_pins(connection), await all_reports(connection)
    return pin_rows(pins, reports, today=utc_now().date())
