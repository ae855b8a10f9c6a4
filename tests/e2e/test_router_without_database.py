"""A database that is down when the router starts costs no client its answer, and no exchange."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shadow.lab.config import demo_config, demo_yaml
from shadow.lab.processes import start_child
from shadow.testing import free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def router(tmp_path: Path) -> Iterator[str]:
    """`shadow router` beside a database that nobody listens at."""
    providers = start_child(["shadow.lab.provider", "--seed", "1", "--items", "50"])
    port = free_port()
    content = demo_config(provider_url=providers.base_url, data_dir=tmp_path / "data", port=port)
    content["database"] = {"url": f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"}
    (tmp_path / "shadow.yaml").write_text(demo_yaml(content))
    command = [sys.executable, "-m", "shadow.cli.main", "router", "--config", str(tmp_path / "shadow.yaml")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while not _ready(url):
            assert process.poll() is None, "the router ended"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        providers.stop()


def test_the_router_serves_and_keeps_what_it_served(router: str, tmp_path: Path) -> None:
    body = {"model": "auto", "messages": [{"role": "user", "content": "What is 2 + 3?"}]}
    answer = httpx.post(f"{router}/v1/chat/completions", json=body, trust_env=False, timeout=30)
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"]
    request_id = answer.headers["x-shadow-request-id"]
    spooled = "".join(path.read_text() for path in (tmp_path / "data" / "spool").glob("*.jsonl"))
    assert request_id in spooled


def _ready(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/readyz", timeout=1, trust_env=False).status_code == 200
    return False
