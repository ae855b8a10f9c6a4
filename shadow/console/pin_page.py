"""What do the page and the API about pinned models show? What each provider reports has answered, and what is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from shadow.canaries.prompts import canaries_of
from shadow.canaries.shown import CanaryRow, newest_by_model, run_json, run_text, view_of
from shadow.console.answers import ApiError, ErrorBody
from shadow.errors import ConfigError, StoreError
from shadow.pins.text import PinRow, pin_json, pin_rows, state_text
from shadow.settings import Settings
from shadow.store.canaries import CanaryRun, last_runs
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.model_reports import all_pins, all_reports


def add_pin_routes(routes: APIRouter, settings: Settings, engine: AsyncEngine) -> None:
    """`/api/v1/pins` and `/api/v1/pins/canaries`."""

    @routes.get("/pins")
    async def list_pins() -> dict[str, Any]:
        """Pinned models, changed ones first: what was pinned, what else is reported, prices, retirement, last canary run."""
        rows, runs = await _load(engine)
        return {"pins": [pin_json(row) | {"canary": _run_json(runs.get((row.provider, row.model)))} for row in rows]}

    @routes.get("/pins/canaries", responses={404: {"model": ErrorBody}})
    async def show_canaries(provider: str, model: str) -> dict[str, Any]:
        """A model's newest canary run that changed, else its newest one, with the first answers beside it."""
        try:
            asked = canaries_of(settings)
        except ConfigError as exc:
            raise ApiError(503, "not_readable", str(exc)) from None
        async with reading(engine) as connection:
            found = await view_of(connection, asked, provider, model)
        if found is None:
            raise ApiError(404, "not_found", f"{provider}/{model} was never asked canaries", param="model")
        rows = [{name: getattr(row, name) for name in CanaryRow.__dataclass_fields__} for row in found.rows]
        return {"run": run_json(found.run), "first_runs": found.first_runs, "prompts": rows}


def add_pin_page(
    routes: APIRouter,
    settings: Settings,
    engine: AsyncEngine,
    *,
    render: Callable[..., HTMLResponse],
) -> None:
    """`/pins` and `/pins/canaries`."""
    is_on = settings.pins.canary.every_minutes is not None

    @routes.get("/pins")
    async def pin_page() -> HTMLResponse:
        rows, runs = await _load(engine)
        said = {key: run_text(run, is_on=is_on) for key, run in runs.items()}
        return render(
            "pins.html",
            rows=rows,
            runs=runs,
            said=said,
            unasked=run_text(None, is_on=is_on),
            state_text=state_text,
            now=utc_now(),
        )

    @routes.get("/pins/canaries")
    async def canary_page(provider: str, model: str) -> HTMLResponse:
        try:
            async with reading(engine) as connection:
                found = await view_of(connection, canaries_of(settings), provider, model)
        except ConfigError as exc:
            raise StoreError(str(exc)) from exc
        if found is None:
            return render(
                "message.html", 404, title="Never asked", text=f"{provider}/{model} was never asked canaries."
            )
        return render("canaries.html", view=found, provider=provider, model=model)


async def _load(engine: AsyncEngine) -> tuple[list[PinRow], Mapping[tuple[str, str], CanaryRun]]:
    async with reading(engine) as connection:
        pins, reports = await all_pins(connection), await all_reports(connection)
        runs = newest_by_model(await last_runs(connection))
    return pin_rows(pins, reports, today=utc_now().date()), runs


def _run_json(run: CanaryRun | None) -> dict[str, Any] | None:
    return None if run is None else run_json(run)
