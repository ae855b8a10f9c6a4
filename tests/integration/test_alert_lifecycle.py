"""Alerts through their life in the store: opened, told, acknowledged, snoozed, resolved, reopened; each with a trace."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner

from shadow.cli.alerts import alerts as command
from shadow.console.app import create_console
from shadow.errors import StoreError
from shadow.settings import Settings
from shadow.store import alert_actions, alert_history, alerts, audit
from shadow.store.engine import AsyncConnection, AsyncEngine, utc_now
from shadow.store.schema_alerts import notifications

pytestmark = pytest.mark.slow
HOUR = timedelta(hours=1)


async def opened(connection: AsyncConnection, now: datetime, severity: alerts.Severity = "warning") -> bool:
    return await alerts.open_alert(
        connection, kind="gold_drift", key="rubric@1", severity=severity, message="12 worse", details={"n": 12}, now=now
    )


async def titles(connection: AsyncConnection) -> list[str]:
    return list((await connection.execute(sa.select(notifications.c.title).order_by(notifications.c.id))).scalars())


async def test_an_alert_is_told_acknowledged_snoozed_resolved_and_reopened(empty_engine: AsyncEngine) -> None:
    start = utc_now()
    async with empty_engine.begin() as connection:
        assert await opened(connection, start)
        assert not await opened(connection, start + HOUR)
        (alert,) = await alerts.last_alerts(connection)
        assert await alert_actions.acknowledge(connection, alert.id, by="mira", now=start + HOUR, text="looking")
        assert await alert_actions.snooze(
            connection, alert.id, until=start + 5 * HOUR, by="mira", now=start + HOUR, text="waiting for the provider"
        )
        await alert_history.tell_due(connection, now=start + 4 * HOUR)
        assert len(await titles(connection)) == 1, "who snoozes is left alone"
        await opened(connection, start + 4 * HOUR, "critical")
        await alert_history.tell_due(connection, now=start + 6 * HOUR)
        await opened(connection, start + 6 * HOUR, "warning")
        assert await alerts.close_alerts(connection, "gold_drift", ["rubric@1", "other"], now=start + 7 * HOUR) == 1
        last = sa.select(notifications.c.severity).order_by(notifications.c.id.desc()).limit(1)
        assert await connection.scalar(last) == "critical", "its end is told to whom its worst was told"
        assert await opened(connection, start + 9 * HOUR)
        (alert,) = await alerts.last_alerts(connection)
        assert (alert.opened_at, alert.since, alert.acknowledged_by) == (start, start + 9 * HOUR, None)
        about = "a judge has become worse at the gold set (rubric@1)"
        assert await titles(connection) == [
            f"Warning: {about}",
            f"Critical now: {about}",
            f"Critical, still open: {about}",
            f"Resolved: {about}",
            f"Warning, open again: {about}",
        ]
        assert await alert_actions.close_alert(connection, alert.id, by="jo", now=start + 10 * HOUR)
        assert not await alert_actions.close_alert(connection, alert.id, by="jo", now=start + 10 * HOUR)
        assert not await alert_actions.acknowledge(connection, alert.id, by="jo", now=start + 10 * HOUR)
        assert len(await titles(connection)) == 5, "who closes it knows"
        assert await opened(connection, start + 11 * HOUR)
        newest, older = await alerts.last_alerts(connection)
        assert (newest.closed_by, older.closed_by) == (None, "jo"), "one that a person closed is not opened again"
        happened = (await alert_history.history(connection, [older.id]))[older.id]
        assert [event.what for event in happened] == [
            "opened",
            "acknowledged",
            "snoozed",
            "raised",
            "lowered",
            "closed",
            "reopened",
            "closed",
        ]
        assert [row.action for row in await audit.listed(connection, action="alert")] == [
            "alert.closed",
            "alert.snoozed",
            "alert.acknowledged",
        ]
        with pytest.raises(StoreError, match="up to 90 days"):
            await alert_actions.snooze(connection, newest.id, until=start, by="jo", now=start + HOUR)


async def test_one_that_flaps_is_one_row_and_few_messages(empty_engine: AsyncEngine) -> None:
    now = utc_now()
    async with empty_engine.begin() as connection:
        for _ in range(8):
            assert await opened(connection, now)
            now += timedelta(minutes=15)
            await alerts.close_alerts(connection, "gold_drift", ["rubric@1"], now=now)
            now += timedelta(minutes=15)
        (alert,) = await alerts.last_alerts(connection)
        assert [title.partition(":")[0] for title in await titles(connection)] == [
            "Warning",
            "Resolved",
            "Warning, open again",
            "Flapping",
        ]
        await alert_history.tell_due(connection, now=now + 7 * HOUR)
        assert (await titles(connection))[-1].startswith("Settled, resolved: ")
        assert alert.told == "flapping"


async def test_programs_and_people_act_on_alerts_by_api_and_command(
    empty_engine: AsyncEngine, database_url: str, console_config: Settings, tmp_path: Path
) -> None:
    async with empty_engine.begin() as connection:
        await opened(connection, utc_now())
        (alert,) = await alerts.last_alerts(connection)
    transport = httpx.ASGITransport(create_console(console_config, empty_engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8081/api/v1/alerts/") as client:
        here = f"{alert.id}/"
        refused = await client.post(here + "ack")
        assert (refused.status_code, refused.json()["error"]["param"]) == (422, "by")
        client.cookies.set("shadow_reviewer", "mira", domain="localhost.local")
        assert (await client.post(here + "ack", json={"note": "looking"})).status_code == 204
        assert (await client.post(here + "snooze", json={"hours": 9000})).status_code == 422
        assert (await client.post(here + "snooze", json={"hours": 4})).status_code == 204
        assert (await client.post(here + "unsnooze")).status_code == 204
        assert (await client.post(here + "unsnooze")).status_code == 404
        assert (await client.post("999999999999999999999/close")).status_code == 404
        shown = (await client.get(here[:-1])).json()
        assert [event["what"] for event in shown["events"]] == ["opened", "acknowledged", "snoozed", "unsnoozed"]
        assert (shown["acknowledged_by"], shown["snoozed_until"]) == ("mira", None)

    config = tmp_path / "shadow.yaml"
    content = console_config.model_dump(mode="json", include={"providers", "tiers", "routing"}, exclude_unset=True)
    config.write_text(yaml.safe_dump({**content, "database": {"url": database_url}}), encoding="utf-8")
    runner = CliRunner()

    async def run(*words: str, code: int = 0) -> str:
        done = await asyncio.to_thread(runner.invoke, command, [*words, "--config", str(config)])
        assert done.exit_code == code, done.output
        return done.output

    number = str(alert.id)
    assert "by jo" in await run("ack", number, "--author", "jo", "--note", "mine")
    assert "4:30:00" in await run("snooze", number, "--author", "jo", "--for", "4.5h")
    assert "such as 30m" in await run("snooze", number, "--author", "jo", "--for", "soon", code=2)
    assert "snoozed until" in await run("list")
    await run("unsnooze", number, "--author", "jo")
    await run("close", number, "--author", "jo")
    assert await run("list") == "no open alert\n"
    (closed,) = json.loads(await run("list", "--all", "--json"))["alerts"]
    assert closed["closed_by"] == "jo"

    notify = [{"name": "team", "url_env": "TEAM_URL_OF_NOBODY"}, {"name": "hook", "url": "json://127.0.0.1:9/x"}]
    config.write_text(yaml.safe_dump({**content, "alerts": {"notify": notify}}), encoding="utf-8")
    tried = await run("test", code=1)
    assert "team: not accepted: the environment variable TEAM_URL_OF_NOBODY is not set here" in tried
    assert "hook: not accepted: A Connection error" in tried
