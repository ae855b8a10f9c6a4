"""What does the page about proposals show? Thresholds that the tuner found and scorers trained anew, and what became of each."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from shadow.challenger.findings_text import challenger_lines
from shadow.settings import Settings
from shadow.store import challengers, policies, proposals
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine, utc_now
from shadow.tuning.findings_text import tuned_lines

_ROWS = 30
_WAITING = frozenset({"comparing", "proposed"})


def add_proposal_page(
    routes: APIRouter,
    settings: Settings,
    engine: AsyncEngine,
    *,
    render: Callable[..., HTMLResponse],
) -> None:
    """`/proposals`."""

    @routes.get("/proposals")
    async def proposal_page() -> HTMLResponse:
        async with reading(engine) as connection:
            found = await proposals.listed(connection, limit=_ROWS)
            scorers = await challengers.listed(connection, limit=_ROWS)
            history = await policies.history(connection, limit=1)
        in_force = history[0].policy.thresholds if history else {}
        waiting = next((row for row in found if row.state == "open"), None)
        return render(
            "proposals.html",
            waiting=waiting,
            lines=tuned_lines(waiting.evidence, in_force) if waiting else [],
            proposals=found,
            mode=settings.tuning.mode,
            scorers=[(row, challenger_lines(row, None)[1:] if row.state in _WAITING else []) for row in scorers],
            trains=settings.challenger.every_hours is not None,
            now=utc_now(),
        )
