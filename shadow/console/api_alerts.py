"""What can a program ask about alerts and the gold set?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from shadow.alerts_text import alert_json
from shadow.console.answers import ApiError, ErrorBody
from shadow.console.parameters import Limit, Word
from shadow.store import alerts, gold
from shadow.store.console_session import reading, writing
from shadow.store.engine import AsyncEngine, utc_now


def add_alert_routes(routes: APIRouter, engine: AsyncEngine) -> None:
    """Alerts, and the judges' record on the gold set."""

    @routes.get("/alerts")
    async def list_alerts(
        open: Annotated[bool | None, Query(description="Only the open ones, or only the closed ones.")] = None,  # noqa: A002
        kind: Word = None,
        limit: Limit = 50,
    ) -> list[dict[str, Any]]:
        """What somebody should look at, newest first; never two open ones of the same kind and key."""
        async with reading(engine) as connection:
            found = await alerts.last_alerts(connection, is_open=open, kind=kind, limit=limit)
        return [alert_json(alert) for alert in found]

    @routes.post("/alerts/{alert_id}/close", status_code=204, responses={404: {"model": ErrorBody}})
    async def close(alert_id: int) -> None:
        """Close an open alert; what is still wrong opens a new one at the next look."""
        async with writing(engine) as connection:
            known = 0 < alert_id < 2**63 and await alerts.close_alert(connection, alert_id, now=utc_now())
        if not known:
            raise ApiError(404, "not_found", f"there is no open alert {alert_id}", param="alert_id")

    @routes.get("/gold")
    async def list_gold(limit: Limit = 100) -> dict[str, Any]:
        """Versions of the gold set, and what each judge made of them, day by day, newest first. No items."""
        async with reading(engine) as connection:
            versions = [asdict(version) for version in await gold.versions(connection)]
            return {"versions": versions, "figures": await gold.figure_rows(connection, limit=limit)}
