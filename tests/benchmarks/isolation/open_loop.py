"""How long do clients wait when they come at a fixed rate, whoever else is being served? An open-loop client over raw HTTP.

    python tests/benchmarks/isolation/open_loop.py PORT --rate 150 --settle 3 --seconds 6 --seed 1

Arrivals are a Poisson process and the prompts are the lab's tasks, both the same for the same seed. A request is sent when it is
due, never later because an answer is late. Latencies count from that moment, or from the moment it was really sent if the event
loop's timer woke up to two milliseconds late. Prints one JSON object: latencies in milliseconds of the requests after the
settling time, and the number of failures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time

import numpy as np
import orjson

from shadow.lab.world import World

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
#: A timer of the event loop is this coarse; what is later than that counts as waiting.
_TIMER_SECONDS = 0.002
_DRAIN_SECONDS = 30.0


class Connection(asyncio.Protocol):
    """A kept-alive connection, asked one thing at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self.answer: asyncio.Future[tuple[float, bool]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def ask(self, request: bytes) -> asyncio.Future[tuple[float, bool]]:
        """A future of when the answer was complete, and whether it was a 200."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)  # type: ignore[attr-defined]
        return self.answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        found = _LENGTH.search(self._buffer, 0, end + 2)
        if found and len(self._buffer) >= end + 4 + int(found.group(1)):
            good, self._buffer = self._buffer.startswith(b"HTTP/1.1 200"), b""
            if self.answer is not None and not self.answer.done():
                self.answer.set_result((time.perf_counter(), good))

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_result((time.perf_counter(), False))


class Clients:
    """As many connections as are needed at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[Connection] = []
        self.latencies: list[tuple[float, float]] = []  # (when it was due, seconds)
        self.failures = 0

    async def open(self, count: int) -> None:
        for _ in range(count):
            _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self._port)
            self._free.append(connection)

    async def send(self, request: bytes, due: float) -> None:
        if not self._free:
            await self.open(1)
        connection = self._free.pop()
        now = time.perf_counter()
        began = now if now - due < _TIMER_SECONDS else due
        ended, good = await connection.ask(request)
        if good:
            self.latencies.append((due, ended - began))
            self._free.append(connection)
        else:
            self.failures += 1


async def run(port: int, *, rate: float, seconds: float, settle_seconds: float, seed: int) -> dict[str, object]:
    """Send for settling time and measured time, and wait for the last answer."""
    rng = np.random.default_rng(seed)
    requests = prepared(port)
    count = int(rate * (seconds + settle_seconds) * 1.2) + 50
    moments = np.cumsum(rng.exponential(1 / rate, count))
    chosen = rng.integers(0, len(requests), count)
    clients = Clients(port)
    await clients.open(32)
    tasks = set()
    began = time.perf_counter()
    for at, item in zip(moments[moments < seconds + settle_seconds], chosen, strict=False):
        wait = began + at - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(clients.send(requests[item], began + at))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    unfinished = len((await asyncio.wait(tasks, timeout=_DRAIN_SECONDS))[1]) if tasks else 0
    measured = [1000 * latency for due, latency in clients.latencies if due - began >= settle_seconds]
    return {"latencies_ms": measured, "failures": clients.failures + unfinished}


def prepared(port: int) -> list[bytes]:
    """The lab's tasks as HTTP requests."""
    requests = []
    for task in World(1, 200).items:
        body = orjson.dumps({"model": "auto", "messages": task.messages})
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        requests.append(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    return requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--settle", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    result = asyncio.run(
        run(
            options.port,
            rate=options.rate,
            seconds=options.seconds,
            settle_seconds=options.settle,
            seed=options.seed,
        )
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
