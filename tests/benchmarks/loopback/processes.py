"""How do the processes of a loopback benchmark start, where do they run, and how much memory do they take?

The server under test has one core for itself; the load and the upstream share another one.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil

HERE = Path(__file__).parent
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]


@contextlib.contextmanager
def process(command: Sequence[str], core: int, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A child on one core, ended with the block."""
    child = subprocess.Popen(_on(core, command), text=True, **{"stdout": subprocess.PIPE, **options})
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout:
            child.stdout.close()


def _on(core: int, command: Sequence[str]) -> list[str]:
    pinned = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); os.execvp(sys.argv[2], sys.argv[2:])"
    return [sys.executable, "-c", pinned, str(core), *command]


def script(name: str, *arguments: object) -> list[str]:
    """The command of a script in this folder."""
    return [sys.executable, str(HERE / name), *map(str, arguments)]


def first_line(child: subprocess.Popen[str]) -> int:
    """The port that a server of this folder prints."""
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line.strip():
        raise SystemExit(f"{child.args} ended before it printed its port")
    return int(line)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_listening(port: int, child: subprocess.Popen[str], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if child.poll() is not None:
            raise SystemExit(f"{child.args} ended with {child.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise SystemExit(f"{child.args} does not listen on {port} after {seconds:g} s")


def measured(
    port: int,
    *,
    connections: int,
    seconds: float,
    path: str = "/v1/chat/completions",
    stream: bool = False,
    model: str = "auto",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """One measurement by the load script. Raises: SystemExit when a request failed."""
    command = script(
        "load.py", port, "--path", path, "--connections", connections, "--seconds", seconds, "--model", model
    )
    if stream:
        command.append("--stream")
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    output = subprocess.run(_on(LOAD_CORE, command), text=True, check=True, stdout=subprocess.PIPE).stdout
    result: dict[str, Any] = json.loads(output)
    if result["failures"] or not result["requests"]:
        raise SystemExit(f"port {port}: {result['failures']} requests failed: {result['first_failure']}")
    return result


def memory_mb(child: subprocess.Popen[str]) -> float:
    """Proportional set size of a process and its children."""
    parent = psutil.Process(child.pid)
    everyone = [parent, *parent.children(recursive=True)]
    return sum(one.memory_full_info().pss for one in everyone) / 2**20
