"""Where does a person label, and see how well reviewers do? `/labels` and `/labels/agreement`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from shadow.console.answers import ApiError
from shadow.console.api_labels import Remembered, reviewer_of
from shadow.labels.agreement import disputes_json, load_agreement
from shadow.labels.labelling import REASONS, next_item, progress_of
from shadow.settings import Settings
from shadow.store import gold
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine, utc_now

Render = Callable[..., HTMLResponse]
#: Keys for accept, reject and can't tell: the left answer's under the left hand, the right one's under the right.
KEYS = (("1", "2", "3"), ("8", "9", "0"))
SHOWN_DISPUTES = 30
GOLD_ROWS = 100


def add_label_pages(
    routes: APIRouter,
    settings: Settings,
    engine: AsyncEngine,
    *,
    render: Render,
) -> None:
    """The pages for reviewers. What they say goes to the control API, by script: forms can be sent from nowhere."""

    def reviewer(remembered: str | None) -> str | None:
        try:
            return reviewer_of(None, remembered)
        except ApiError:  # a cookie that this console did not set
            return None

    @routes.get("/labels")
    async def label_page(
        remembered: Remembered = None, item: Annotated[str | None, Query(max_length=64)] = None
    ) -> HTMLResponse:
        name = reviewer(remembered)
        if name is None:
            return render("label_name.html")
        try:
            wanted = str(uuid.UUID(item)) if item else None
        except ValueError:
            wanted = None
        async with reading(engine) as connection:
            now = utc_now()
            found = await next_item(connection, name, settings.labels, now=now, wanted=wanted)
            progress = await progress_of(connection, name, settings.labels, now=now)
        return render("labels.html", item=found, progress=progress, keys=KEYS, reasons=REASONS)

    @routes.get("/labels/agreement")
    async def agreement_page(days: Annotated[float, Query(gt=0, le=400)] = settings.rollup.window_days) -> HTMLResponse:
        async with reading(engine) as connection:
            found = await load_agreement(connection, days=days, now=utc_now())
            version = await gold.latest(connection)
            figures = await gold.figure_rows(connection, limit=GOLD_ROWS)
        newest = {row["judge"]: row for row in reversed(figures) if version and row["version"] == version.version}
        return render(
            "label_agreement.html",
            gold=version,
            gold_figures=newest.values(),
            found=found,
            days=days,
            disputes=disputes_json(found)[:SHOWN_DISPUTES],
            now=utc_now(),
        )
