"""How does a part of the lab run as a process of its own, and end with its parent?

A child of the lab calls `shadow.process.die_with_parent` first, then writes one line of JSON to its standard output when it
can be used (`{"ready": true, "port": N}`). `start_child` starts one and waits for that line.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from shadow.lab.errors import ChildError


def announce(**facts: Any) -> None:
    """Tell the parent that we are ready, and with what."""
    sys.stdout.write(orjson.dumps({"ready": True, **facts}).decode() + "\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A running process and what it announced."""

    process: subprocess.Popen[bytes]
    facts: dict[str, Any]

    @property
    def base_url(self) -> str:
        """Where it speaks the OpenAI API."""
        return f"http://127.0.0.1:{self.facts['port']}/v1"

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """End it: SIGTERM, then SIGKILL. Safe to call twice."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def start_child(arguments: Sequence[str], *, timeout_seconds: float = 30.0) -> Child:
    """Start `python -m <arguments>` and wait until it is ready. Its standard error is ours.

    Raises: ChildError.
    """
    process = subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        facts = _read_ready(process, timeout_seconds)
    except BaseException:
        Child(process=process, facts={}).stop()
        raise
    return Child(process=process, facts=facts)


def _read_ready(process: subprocess.Popen[bytes], timeout_seconds: float) -> dict[str, Any]:
    if process.stdout is None:
        raise ChildError("the process has no standard output")
    deadline = time.monotonic() + timeout_seconds
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if not selector.select(timeout=max(deadline - time.monotonic(), 0.0)):
                continue
            chunk = os.read(process.stdout.fileno(), 4096)
            if not chunk:
                raise ChildError(f"{process.args!r} ended with exit code {process.wait()} before it was ready")
            pending += chunk
            *lines, pending = pending.split(b"\n")
            for line in lines:
                if line.startswith(b'{"ready":'):
                    facts: dict[str, Any] = orjson.loads(line)
                    return facts
    raise ChildError(f"{process.args!r} was not ready within {timeout_seconds:g} seconds")
