"""What can a program ask and say about alerts? The list, what happened to one, and acknowledge, snooze, unsnooze, close."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from shadow.alerting.text import alert_json
from shadow.console.answers import ApiError, ErrorBody
from shadow.console.api_labels import Remembered, reviewer_of
from shadow.console.parameters import Limit, Word
from shadow.store import alert_actions, alert_history, alerts, deliveries
from shadow.store.console_session import reading, writing
from shadow.store.engine import AsyncEngine, utc_now

NOT_OPEN: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody}}


class Said(BaseModel):
    """by: who says so; default: the name that the browser remembers. note: why, for those who look later."""

    model_config = ConfigDict(extra="forbid")

    by: Annotated[str | None, Field(max_length=200)] = None
    note: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")] = ""


class Snoozed(Said):
    """hours: for how long nothing is sent about it, unless it becomes more severe."""

    hours: Annotated[float, Field(gt=0, le=alert_actions.LONGEST_SNOOZE.total_seconds() / 3600)]


def add_alert_routes(routes: APIRouter, engine: AsyncEngine) -> None:
    """Alerts: what is wrong, and what people do about it."""

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

    @routes.get("/alerts/{alert_id}", responses=NOT_OPEN)
    async def one_alert(alert_id: int) -> dict[str, Any]:
        """An alert with what happened to it, oldest first, and what became of the messages about it, newest first."""
        async with reading(engine) as connection:
            found = await alerts.alert_by_id(connection, alert_id)
            if found is None:
                raise ApiError(404, "not_found", f"there is no alert {alert_id}", param="alert_id")
            happened = (await alert_history.history(connection, [found.id])).get(found.id, [])
            sent = await deliveries.last_deliveries(connection, alert_ids=[found.id])
        return {**alert_json(found), "events": happened, "deliveries": sent}

    @routes.post("/alerts/{alert_id}/ack", status_code=204, responses=NOT_OPEN)
    async def acknowledge(alert_id: int, said: Said | None = None, remembered: Remembered = None) -> None:
        """Say that somebody looks after it. It stays open."""
        by, note = _who(said, remembered)
        async with writing(engine) as connection:
            done = await alert_actions.acknowledge(connection, alert_id, by=by, now=utc_now(), text=note)
        _needed(done, alert_id)

    @routes.post("/alerts/{alert_id}/snooze", status_code=204, responses=NOT_OPEN)
    async def snooze(alert_id: int, said: Snoozed, remembered: Remembered = None) -> None:
        """Send nothing about it for some hours, unless it becomes more severe."""
        by, note = _who(said, remembered)
        now = utc_now()
        until = now + timedelta(hours=said.hours)
        async with writing(engine) as connection:
            done = await alert_actions.snooze(connection, alert_id, until=until, by=by, now=now, text=note)
        _needed(done, alert_id)

    @routes.post("/alerts/{alert_id}/unsnooze", status_code=204, responses=NOT_OPEN)
    async def unsnooze(alert_id: int, said: Said | None = None, remembered: Remembered = None) -> None:
        """Send messages about it again."""
        by, note = _who(said, remembered)
        async with writing(engine) as connection:
            done = await alert_actions.unsnooze(connection, alert_id, by=by, now=utc_now(), text=note)
        _needed(done, alert_id, "open and snoozed")

    @routes.post("/alerts/{alert_id}/close", status_code=204, responses=NOT_OPEN)
    async def close(alert_id: int, said: Said | None = None, remembered: Remembered = None) -> None:
        """Close an open alert; what is still wrong opens a new one at the next look."""
        by, note = _who(said, remembered)
        async with writing(engine) as connection:
            done = await alert_actions.close_alert(connection, alert_id, by=by, now=utc_now(), text=note)
        _needed(done, alert_id)


def _who(said: Said | None, remembered: str | None) -> tuple[str, str]:
    """Who speaks, and their note. Raises: ApiError where nobody says who."""
    given = said or Said()
    name = reviewer_of(given.by, remembered)
    if name is None:
        raise ApiError(422, "invalid", "by: say who does this", param="by")
    return name, given.note


def _needed(done: bool, alert_id: int, what: str = "open") -> None:
    if not done:
        raise ApiError(404, "not_found", f"there is no alert {alert_id} that is {what}", param="alert_id")
