"""What do the pages about upgrades show? All of them at `/upgrades`, and one with its evidence and what a person may do."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from shadow.console.answers import ApiError
from shadow.console.api_labels import Remembered, reviewer_of
from shadow.settings import Settings
from shadow.store import tier_pins, upgrades
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine, utc_now
from shadow.upgrades.pins import is_in_force
from shadow.upgrades.states import State, spoken
from shadow.upgrades.upgrade_text import figures_of, interval, ratio

#: State -> what a person may do then: (the API's word, what the button says).
ACTS: dict[State, tuple[tuple[str, str], ...]] = {
    "proposed": (("reject", "Reject"),),
    "shadowing": (("reject", "Reject"),),
    "ready": (("approve", "Approve"), ("reject", "Reject")),
    "approved": (("promote", "Start the canary"), ("reject", "Reject")),
    "canary": (("promote-full", "Promote in full"), ("rollback", "Roll back")),
    "promoted": (("rollback", "Roll back"),),
}


def add_upgrade_pages(
    routes: APIRouter,
    settings: Settings,
    engine: AsyncEngine,
    *,
    render: Callable[..., HTMLResponse],
) -> None:
    """`/upgrades` and `/upgrades/ID`. Decisions go to the control API, by script: forms can be sent from nowhere."""
    words = {"spoken": spoken, "figures_of": figures_of, "interval": interval, "ratio": ratio}

    @routes.get("/upgrades")
    async def upgrade_list() -> HTMLResponse:
        async with reading(engine) as connection:
            rows = await upgrades.listed(connection, limit=100)
            pins = [pin for pin in await tier_pins.in_force(connection) if pin.pinned or pin.candidate]
        standing = [(pin, is_in_force(pin, settings)) for pin in pins]
        return render("upgrades.html", rows=rows, pins=standing, now=utc_now(), **words)

    @routes.get("/upgrades/{upgrade_id}")
    async def upgrade_page(upgrade_id: int, remembered: Remembered = None) -> HTMLResponse:
        try:
            name = reviewer_of(None, remembered)
        except ApiError:  # a cookie that this console did not set
            name = None
        async with reading(engine) as connection:
            row = await upgrades.by_id(connection, upgrade_id)
        if row is None:
            return render("message.html", 404, title="No such upgrade", text="`/upgrades` lists all.")
        return render("upgrade.html", row=row, who=name, acts=ACTS.get(row.state, ()), now=utc_now(), **words)
