"""What does the page about alerts show? What is wrong, who looks after it, what happened to it, and do messages arrive?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from shadow.alerting.kinds import anchor_of
from shadow.console.answers import ApiError
from shadow.console.api_labels import Remembered, reviewer_of
from shadow.settings import Settings
from shadow.store import alert_history, alerts, deliveries
from shadow.store.alert_history import Event
from shadow.store.alerts import Alert
from shadow.store.console_session import reading
from shadow.store.deliveries import ChannelState, Delivery
from shadow.store.engine import AsyncEngine, utc_now

OPEN, CLOSED, SENT = 200, 30, 400
#: Lengths that the page offers, in hours.
SNOOZES = ((1, "1 hour"), (4, "4 hours"), (24, "1 day"), (168, "1 week"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """open: newest first, snoozed ones last. events, sent: by alert id. channels: by name, as configured and as recorded."""

    open: list[Alert]
    closed: list[Alert]
    events: Mapping[int, list[Event]]
    sent: Mapping[int, list[Delivery]]
    channels: Mapping[str, ChannelState | None]


async def load_alert_page(engine: AsyncEngine, settings: Settings) -> AlertPage:
    """Read the page. Raises: StoreError where the database can't be read."""
    now = utc_now()
    async with reading(engine) as connection:
        found = await alerts.last_alerts(connection, is_open=True, limit=OPEN)
        closed = await alerts.last_alerts(connection, is_open=False, limit=CLOSED)
        ids = [alert.id for alert in (*found, *closed)]
        events = await alert_history.history(connection, ids)
        sent: dict[int, list[Delivery]] = {}
        for one in await deliveries.last_deliveries(connection, alert_ids=ids, limit=SENT):
            sent.setdefault(one.alert_id or 0, []).append(one)
        states = await deliveries.channel_states(connection)
    return AlertPage(
        open=sorted(found, key=lambda alert: alert.is_snoozed(now)),
        closed=closed,
        events=events,
        sent=sent,
        channels={channel.name: states.get(channel.name) for channel in settings.alerts.notify},
    )


def add_alert_page(
    routes: APIRouter,
    settings: Settings,
    engine: AsyncEngine,
    *,
    render: Callable[..., HTMLResponse],
) -> None:
    """`/alerts`. What people say goes to the control API, by script: forms can be sent from nowhere."""

    @routes.get("/alerts")
    async def alert_page(remembered: Remembered = None) -> HTMLResponse:
        try:
            name = reviewer_of(None, remembered)
        except ApiError:  # a cookie that this console did not set
            name = None
        page = await load_alert_page(engine, settings)
        return render(
            "alert_page.html",
            page=page,
            who=name,
            now=utc_now(),
            snoozes=SNOOZES,
            runbook=lambda kind: settings.alerts.runbook_url + anchor_of(kind),
        )
