"""What happens when a model silently gets worse at one kind of question? Two minutes stand for two weeks, and all parts are real.

The cheapest model slips in the second minute, at one query type only. The scheduler's report of that minute has to name that cell
and no other, and its message has to arrive at a webhook.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from shadow.demo.running import ROLES, Plan, Scene, prepare
from shadow.lab.asgi import Receive, Scope, Send, build_server, lifespan, listen, read_body, reply
from shadow.lab.audience import Audience
from shadow.lab.traffic import Traffic
from shadow.lab.world import World
from shadow.process import pause
from shadow.regressions.findings import named
from shadow.settings import Settings
from shadow.store import regression_reports
from shadow.store.engine import AsyncEngine, engine_for, utc_now
from shadow.store.regression_reports import ReportRow
from shadow.supervisor import Supervisor

MINUTE = timedelta(minutes=1)
KIND, SLIP = "order_status", 0.5
ASKED = (KIND, "short_qa")
#: Requests a second: enough verdicts of a cell within a minute for it to be tested, and few enough to be judged soon.
RATE = 12.0
CHANGES: dict[str, dict[str, Any]] = {
    "sampling": {
        "up": 0.9,
        "down": 0.0,
        "control_top": 0.05,
        "intermediate_share": 0.0,
        "all_tiers_share": 0.0,
        "control_share": 0.0,
        "concurrency": 64,
    },
    "judges": {"panel": ["structured", "lexical", "markers"]},
}
#: For all verdicts to be in; a machine with other things to do takes its time.
WAIT = timedelta(minutes=17)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of it. expected: tier and query type of the cells that lost, whatever their feature; worse: those named.
    report: None where none was made. messages: those that arrived about that report."""

    expected: str
    worse: tuple[str, ...]
    report: ReportRow | None
    found: dict[str, Any]
    messages: tuple[str, ...]
    served: int
    failed: int

    @property
    def succeeded(self) -> bool:
        """A cell that lost was named, no other was, and that was told exactly once."""
        return set(self.worse) == {self.expected} and len(self.messages) == 1 and self.failed == 0


class Webhook:
    """A place that messages are posted to, in this process. bodies: what came, as JSON."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        self.bodies.append(orjson.loads(await read_body(receive)))
        await reply(send, 200, b"{}")

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Listen on a free port of the loopback; the URL for a channel."""
        sock = listen("127.0.0.1", 0)
        server = build_server(self)
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        try:
            yield f"json://127.0.0.1:{sock.getsockname()[1]}/demo"
        finally:
            server.should_exit = True
            await serving


async def run_regression(plan: Plan, stop: asyncio.Event, show: Callable[[Scene | str], None]) -> Ended:
    """Run the scenario; a few minutes. show: as of `shadow.demo.running.run_demo`.

    Raises: ShadowError where something can't start.
    """
    webhook = Webhook()
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(webhook.open())
        weekly = {"cron": "* * * * *", "days": MINUTE / timedelta(days=1), "weeks_before": 1, "wait_minutes": 15}
        # A watch of streams needs weeks; here is only the report.
        alerts = {"notify": [{"name": "demo", "url": url, "occasions": ["report"]}], "weekly": weekly}
        config, settings = prepare(replace(plan, local=None), stack, show, {**CHANGES, "alerts": alerts})
        show("starting the embedded PostgreSQL, the router, the intake, the worker and the scheduler")
        supervisor = await stack.enter_async_context(
            Supervisor(settings, config, roles=ROLES, log_dir=config.parent / "logs")
        )
        engine = engine_for(supervisor.database_url)
        stack.push_async_callback(engine.dispose)
        traffic = Traffic(
            Audience(world=World(seed=plan.seed), seed=plan.seed, rate=RATE, hinted_share=1.0, kinds=ASKED),
            f"http://{settings.server.host}:{settings.server.port}/v1",
        )
        scene = Scene(settings=settings, traffic=traffic, engine=engine, since=utc_now() - MINUTE)
        flowing = asyncio.create_task(traffic.run(None))
        watch = asyncio.create_task(supervisor.wait(stop))
        try:
            row, found = await _played(settings, scene, show, stop)
            told = await _told(webhook, row, stop) if row is not None else []
        finally:
            traffic.stop()
            await flowing
            watch.cancel()
        return Ended(
            expected=f"{settings.tier_names[0]} / {KIND}",
            worse=tuple(f"{one['tier']} / {one['query_type']}" for one in found["cells"]["worse"]) if found else (),
            report=row,
            found=found,
            messages=tuple(told),
            served=flowing.result().answered,
            failed=flowing.result().failed,
        )


async def _played(
    settings: Settings, scene: Scene, show: Callable[[Scene | str], None], stop: asyncio.Event
) -> tuple[ReportRow | None, dict[str, Any]]:
    """A minute as before, a minute with slips, and the report that the scheduler makes of it."""
    model = settings.tiers[0].models[0].model
    slips = settings.providers["lab"].base_url.removesuffix("/v1") + "/lab/slips"
    first = _minute_after(utc_now() + timedelta(seconds=10))
    show(f"traffic is flowing; the minute that is compared with begins at {first:%H:%M:%S} UTC")
    async with httpx.AsyncClient(trust_env=False) as client:
        await _until(first + MINUTE, scene, show, stop)
        show(f"{model} gets {SLIP:.0%} of its right answers to {KIND} wrong from now on")
        await client.post(slips, json={model: {KIND: SLIP}})
        await _until(first + 2 * MINUTE, scene, show, stop)
    scene.traffic.stop()
    show("waiting for all verdicts, and for the scheduler to report on the last minute")
    deadline = utc_now() + WAIT
    while utc_now() < deadline and not stop.is_set():
        found = await _report(scene.engine, since=first + MINUTE)
        if found is not None:
            return found
        await pause(stop, 1.0)
    return None, {}


async def _report(engine: AsyncEngine, *, since: datetime) -> tuple[ReportRow, dict[str, Any]] | None:
    async with engine.connect() as connection:
        known = [row for row in await regression_reports.last_reports(connection, limit=10) if row.since == since]
        return await regression_reports.load(connection, known[0].id) if known else None


async def _told(webhook: Webhook, row: ReportRow, stop: asyncio.Event) -> list[str]:
    """Messages about the report; waits for the first, and a while for a second that must not come."""
    deadline = utc_now() + timedelta(seconds=90)
    while utc_now() < deadline and not stop.is_set() and not _about(webhook, row):
        await pause(stop, 0.5)
    await pause(stop, 3.0)
    return _about(webhook, row)


def _about(webhook: Webhook, row: ReportRow) -> list[str]:
    return [str(body.get("message", "")) for body in webhook.bodies if row.headline in str(body.get("message", ""))]


async def _until(moment: datetime, scene: Scene, show: Callable[[Scene | str], None], stop: asyncio.Event) -> None:
    while (left := (moment - utc_now()).total_seconds()) > 0 and not stop.is_set():
        show(scene)
        await pause(stop, min(1.0, left))


def _minute_after(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0) + MINUTE


def regression_json(ended: Ended) -> dict[str, Any]:
    """The outcome as one JSON object."""
    row = ended.report
    return {
        "scenario": "regression",
        "state": ", ".join(sorted(set(ended.worse))) or "nothing was named",
        "expected": ended.expected,
        "ok": ended.succeeded,
        "succeeded": ended.succeeded,
        "evidence": {
            "tested": ended.found["cells"]["tested"] if ended.found else 0,
            "pairs": [one["pairs"]["path"] for one in ended.found["cells"]["worse"]] if ended.found else [],
        },
        "message": ended.messages[0] if ended.messages else None,
        "worse": list(ended.worse),
        "served": ended.served,
        "failed": ended.failed,
        "report_id": row.id if row else None,
        "headline": row.headline if row else None,
        "messages": list(ended.messages),
        "report": ended.found,
    }


def regression_lines(ended: Ended) -> list[str]:
    """The outcome for a terminal."""
    if ended.report is None:
        return [f"no report was made; expected: {ended.expected} got worse"]
    cells = ended.found["cells"]
    shown = [f"  {named(one)}: quiet" for one in cells["quiet"]]
    verdict = "as it should be" if ended.succeeded else f"expected: {ended.expected} alone, told once"
    return [
        f"{ended.served:,} requests served, {ended.failed:,} failed",
        ended.report.headline,
        *shown,
        f"{len(ended.messages)} message at the webhook; {verdict}",
    ]
