"""A scheduler that runs notices that a budget runs out, and tells it once; and once that it is over."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from shadow.lab.config import demo_config
from shadow.store.engine import libpq_url
from shadow.testing import free_port

pytestmark = pytest.mark.slow


class Hook(ThreadingHTTPServer):
    """Takes every message."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), Take)


class Take(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def scheduler(config: Path, hook: Hook) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "TEAM_URL": f"json://127.0.0.1:{hook.server_port}/alerts"}
    command = [sys.executable, "-m", "shadow.role", "scheduler", "--config", str(config)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.05)


def test_an_alarm_is_told_once_and_its_end_once(database_url: str, hook: Hook, tmp_path: Path) -> None:
    content = demo_config(
        provider_url="http://127.0.0.1:9/v1", data_dir=tmp_path / "data", port=free_port(), control_port=free_port()
    )
    content["database"] = {"url": database_url}
    content["rollup"] = {**content.get("rollup", {}), "every_seconds": 0.5}
    content["alerts"] = {"notify": [{"name": "team", "url_env": "TEAM_URL"}], "send_every_seconds": 0.5}
    content["judges"] = {**content.get("judges", {}), "budget_usd_per_day": 10}
    config = tmp_path / "shadow.yaml"
    config.write_text(yaml.safe_dump(json.loads(json.dumps(content, default=str))), encoding="utf-8")

    with psycopg.connect(libpq_url(database_url), autocommit=True) as store:

        def spend(amount: float) -> None:
            store.execute(
                "INSERT INTO budget_days (day, purpose, spent_usd) VALUES ((now() AT TIME ZONE 'UTC')::date, 'judge', %s) "
                "ON CONFLICT (day, purpose) DO UPDATE SET spent_usd = excluded.spent_usd",
                (amount,),
            )

        def told() -> str:
            row = store.execute("SELECT message FROM alerts WHERE kind = 'budget' AND closed_at IS NULL").fetchone()
            return "" if row is None else str(row[0])

        def titles() -> list[str]:
            return [body["title"] for body in hook.received if "budget" in body["title"]]

        def delivered() -> list[tuple[Any, ...]]:
            return store.execute(
                "SELECT n.occasion, d.attempts FROM notifications n JOIN notification_deliveries d ON d.notification_id = n.id "
                "WHERE d.state = 'delivered' AND n.title LIKE '%budget%' ORDER BY n.id"
            ).fetchall()

        spend(8.5)
        with scheduler(config, hook):
            until(lambda: len(delivered()) == 1, "the message")
            spend(8.6)
            until(lambda: "$8.60" in told(), "another look")
            spend(1)
            until(lambda: len(delivered()) == 2, "the end")
        assert titles() == [
            "Warning: a day's budget for shadow work runs out (judge)",
            "Resolved: a day's budget for shadow work runs out (judge)",
        ]
        assert delivered() == [("opened", 1), ("resolved", 1)]
