"""Messages: asked for once by key, sent once per channel, and nothing of it lost while an endpoint is down."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa

from shadow.configuration.alerts import AlertSettings
from shadow.notifying.channel import Message, send
from shadow.notifying.delivery import deliver
from shadow.notifying.schedule import LEASE
from shadow.store import deliveries, notifications
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.schema_alerts import notifications as outbox

pytestmark = pytest.mark.slow
SECRET = "t0ken-of-the-team"


class Hook:
    """A webhook on a port of its own that can be down, and can refuse. received: what it accepted."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.refused = 0
        self.refuses = False
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/{SECRET}"

    def up(self) -> None:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if hook.refuses:
                    hook.refused += 1
                else:
                    hook.received.append(body)
                self.send_response(503 if hook.refuses else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def hook() -> Iterator[Hook]:
    one = Hook()
    one.up()
    yield one
    one.down()


class Killed(BaseException):
    """The end of a process: nothing after it is done."""


class Clock:
    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **length: float) -> None:
        self.now += timedelta(**length)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def asked(engine: AsyncEngine, clock: Clock, *keys: str, severity: notifications.Severity = "warning") -> None:
    async with engine.begin() as connection:
        for key in keys:
            await notifications.enqueue(
                connection, key=key, title=f"About {key}", body="b", severity=severity, now=clock(), url="/alerts"
            )


async def state(engine: AsyncEngine) -> list[deliveries.Delivery]:
    async with engine.connect() as connection:
        return list(reversed(await deliveries.last_deliveries(connection)))


async def test_a_message_is_asked_for_once_by_its_key(empty_engine: AsyncEngine) -> None:
    async with empty_engine.begin() as connection:
        new = [
            await notifications.enqueue(connection, key=key, title="t", body=body, severity="info", now=utc_now())
            for key, body in (("weekly/1", "first"), ("weekly/1", "second"), ("weekly/2", "third"))
        ]
        bodies = (await connection.execute(sa.select(outbox.c.body).order_by(outbox.c.id))).scalars().all()
    assert new == [True, False, True]
    assert bodies == ["first", "third"]


async def test_what_an_endpoint_misses_in_an_hour_arrives_afterwards_once(
    empty_engine: AsyncEngine, hook: Hook, clock: Clock
) -> None:
    quiet = {"name": "quiet", "url": "json://127.0.0.1:9/none", "min_severity": "critical", "occasions": ["opened"]}
    settings = AlertSettings.model_validate(
        {
            "notify": [{"name": "team", "url_env": "TEAM"}, quiet],
            "public_url": "https://shadow.example.org",
        }
    )
    environ = {"TEAM": hook.url}
    hook.down()
    await asked(empty_engine, clock, "one")
    for minute in range(60):
        if minute == 30:  # something answers again, but accepts nothing
            hook.refuses = True
            hook.up()
            await asked(empty_engine, clock, "two")
        assert await deliver(empty_engine, settings, environ=environ, clock=clock) == 0
        clock.passes(minutes=1)
    waiting = await state(empty_engine)
    assert [(row.channel, row.state) for row in waiting] == [("team", "pending")] * 2
    assert all(5 <= row.attempts <= 9 for row in waiting), "it is asked less and less often"
    assert all(row.last_error and SECRET not in row.last_error for row in waiting)
    assert hook.refused > 0
    hook.refuses = False
    for _ in range(20):
        await deliver(empty_engine, settings, environ=environ, clock=clock)
        clock.passes(minutes=1)
    assert sorted(body["title"] for body in hook.received) == ["About one", "About two"]
    assert "https://shadow.example.org/alerts" in hook.received[0]["message"]
    done = await state(empty_engine)
    assert all(row.state == "delivered" and row.delivered_at and row.last_error is None for row in done)


async def test_two_leaders_send_each_message_once(empty_engine: AsyncEngine, hook: Hook, clock: Clock) -> None:
    settings = AlertSettings.model_validate({"notify": [{"name": "team", "url_env": "TEAM"}]})
    await asked(empty_engine, clock, *(f"m{n}" for n in range(12)))
    environ = {"TEAM": hook.url}
    counts = await asyncio.gather(*(deliver(empty_engine, settings, environ=environ, clock=clock) for _ in range(2)))
    assert sum(counts) == len(hook.received) == 12
    assert {row.attempts for row in await state(empty_engine)} == {1}


async def test_a_sender_that_ends_before_its_mark_repeats_the_message_once_and_says_so(
    empty_engine: AsyncEngine, hook: Hook, clock: Clock
) -> None:
    settings = AlertSettings.model_validate({"notify": [{"name": "team", "url_env": "TEAM"}]})

    async def send_and_end(url: str, message: Message) -> str | None:
        await send(url, message)
        raise Killed

    await asked(empty_engine, clock, "one")
    environ = {"TEAM": hook.url}
    with pytest.raises(BaseExceptionGroup):
        await deliver(empty_engine, settings, environ=environ, clock=clock, send=send_and_end)
    assert await deliver(empty_engine, settings, environ=environ, clock=clock) == 0, "another one may still be sending"
    clock.passes(seconds=LEASE.total_seconds() + 1)
    assert await deliver(empty_engine, settings, environ=environ, clock=clock) == 1
    clock.passes(hours=2)
    assert await deliver(empty_engine, settings, environ=environ, clock=clock) == 0
    assert ["may be a repetition" in body["message"] for body in hook.received] == [False, True]
    (row,) = await state(empty_engine)
    assert (row.state, row.attempts, row.unconfirmed) == ("delivered", 2, 1)


async def test_a_message_is_given_up_after_two_days_or_with_its_channel(
    empty_engine: AsyncEngine, clock: Clock
) -> None:
    settings = AlertSettings.model_validate({"notify": [{"name": "team", "url_env": "TEAM"}]})
    await asked(empty_engine, clock, "one")
    await deliver(empty_engine, settings, environ={}, clock=clock)
    clock.passes(hours=49)
    await deliver(empty_engine, settings, environ={}, clock=clock)
    await asked(empty_engine, clock, "two")
    await deliver(empty_engine, settings, environ={}, clock=clock)
    await deliver(empty_engine, AlertSettings(), environ={}, clock=clock)
    assert [(row.state, row.last_error) for row in await state(empty_engine)] == [
        ("given_up", "the environment variable TEAM is not set where the scheduler runs"),
        ("given_up", "the channel is not configured any more"),
    ]
