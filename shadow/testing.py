"""How do tests and benchmarks run the whole product and hurt it? `shadow up` as a child process, on the lab's providers."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from shadow.lab.config import demo_config, demo_yaml
from shadow.lab.processes import start_child


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A running `shadow up`. directory: its data directory. provider_url: of the lab's providers, with /v1."""

    process: subprocess.Popen[bytes]
    config: Path
    directory: Path
    port: int
    control_port: int
    provider_url: str

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def role(self, name: str) -> psutil.Process | None:
        """The process of a role, None while it is down."""
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if child.cmdline()[1:4] == ["-m", "shadow.role", name] and child.status() != psutil.STATUS_ZOMBIE:
                    return child
        return None

    def postmaster(self) -> psutil.Process | None:
        """PostgreSQL's first process, whoever its parent is now; None if none lives."""
        cluster = str(self.directory / "postgres" / "cluster")
        for process in psutil.process_iter(["cmdline", "status"]):
            words = process.info["cmdline"] or []
            if cluster in words and words[0].endswith("postgres") and process.info["status"] != psutil.STATUS_ZOMBIE:
                return process
        return None

    def database(self) -> list[psutil.Process]:
        """All of PostgreSQL's processes."""
        first = self.postmaster()
        return [] if first is None else [first, *first.children(recursive=True)]

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait for a condition. Raises: TimeoutError when it does not come true in time, RuntimeError when the product ends."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                raise RuntimeError(f"the product ended with exit code {self.process.returncode}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not true within {seconds:g} s")
            time.sleep(0.05)

    def set_faults(self, faults: Mapping[str, Any]) -> None:
        """Make the lab's providers misbehave, or stop doing so."""
        url = self.provider_url.removesuffix("/v1") + "/lab/faults"
        httpx.post(url, json=dict(faults), trust_env=False).raise_for_status()

    def stop(self, seconds: float = 60.0) -> int:
        """Ctrl-C; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(seconds)


@contextlib.contextmanager
def running_product(changes: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[Product]:
    """Start the product in a new directory and stop it after the block. changes: section -> values, over the demo's own."""
    directory = Path(tempfile.mkdtemp(prefix="shadowtier-"))
    directory.chmod(0o711)  # PostgreSQL's user must get through when we are root
    providers = start_child(["shadow.lab.provider", "--seed", "1", "--items", "200"])
    port, control_port = free_port(), free_port()
    content = demo_config(
        provider_url=providers.base_url, data_dir=directory / "data", port=port, control_port=control_port
    )
    for section, values in (changes or {}).items():
        content[section] = {**content.get(section, {}), **values}
    config = directory / "shadow.yaml"
    config.write_text(demo_yaml(content))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "shadow.cli.main", "up", "--config", str(config)], stderr=log
        )
    product = Product(
        process=process,
        config=config,
        directory=directory / "data",
        port=port,
        control_port=control_port,
        provider_url=providers.base_url,
    )
    try:
        product.until(lambda: _answers(port, "/readyz") and _answers(control_port, "/healthz"), 90)
        yield product
    finally:
        product.stop()
        providers.stop()
        shutil.rmtree(directory, ignore_errors=True)


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(port: int, path: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=1, trust_env=False).status_code == 200
    return False
