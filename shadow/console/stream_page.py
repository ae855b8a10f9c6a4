"""What do the page and the API about streams of judged pairs show? Every stream with its baseline and the evidence since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from shadow.settings import Settings
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.watch_streams import all_streams, read_position
from shadow.streams.text import REASONS, StreamRow, p_text, state_text, stream_json, stream_rows


def add_stream_routes(routes: APIRouter, settings: Settings, engine: AsyncEngine) -> None:
    """`/api/v1/streams`."""

    @routes.get("/streams")
    async def list_streams() -> dict[str, Any]:
        """Streams of judged pairs, fallen ones first: baseline, judged accuracy since, p-value and the bar that it fires at."""
        rows, looked_at, taken_until = await _load(settings, engine)
        return {"looked_at": looked_at, "taken_until": taken_until, "streams": [stream_json(row) for row in rows]}


def add_stream_page(
    routes: APIRouter,
    settings: Settings,
    engine: AsyncEngine,
    *,
    render: Callable[..., HTMLResponse],
) -> None:
    """`/streams`."""

    @routes.get("/streams")
    async def stream_page() -> HTMLResponse:
        rows, _, taken_until = await _load(settings, engine)
        return render(
            "streams.html",
            rows=rows,
            taken_until=taken_until,
            reasons=REASONS,
            state_text=state_text,
            p_text=p_text,
            watch=settings.alerts.watch,
        )


async def _load(settings: Settings, engine: AsyncEngine) -> tuple[list[StreamRow], Any, Any]:
    async with reading(engine) as connection:
        found, position = await all_streams(connection), await read_position(connection)
    rows = stream_rows(list(found.values()), baseline_pairs=settings.alerts.watch.baseline_pairs, now=utc_now())
    return (rows, None, None) if position is None else (rows, position.looked_at, position.taken_until)
