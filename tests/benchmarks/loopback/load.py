"""How fast does a server answer, over a fixed number of connections? A raw client that keeps each of them busy
with different prompts of twenty words.

    python tests/benchmarks/loopback/load.py PORT [--path P] [--connections N] [--seconds S] [--model M] [--stream] [--header H]

Prints one JSON object: requests a second, latencies in milliseconds (p50, p90, p99), failures. A response that is not a 200, or
whose body does not hold what the upstream says, is a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import uvloop

PLACES = [
    "France",
    "Spain",
    "Italy",
    "Norway",
    "Japan",
    "Kenya",
    "Peru",
    "Chile",
    "Cuba",
    "Malta",
    "Nepal",
    "Egypt",
    "India",
    "Ghana",
    "Iran",
]
SIGHTS = ["tower", "bridge", "castle", "harbour"]
PROMPTS = [
    f"Which city is the capital of {place}, and in which year did the old {sight} there open to the public?"
    for place in PLACES
    for sight in SIGHTS
]
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_EXPECTED = b"Paris"


def request_bytes(
    port: int, path: str, model: str, *, prompt: str, stream: bool = False, headers: Sequence[str] = ()
) -> bytes:
    fields = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    body = json.dumps({**fields, "stream": True} if stream else fields, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer unused\r\ncontent-length: {len(body)}\r\n"
    )
    head += "".join(f"{header}\r\n" for header in headers) + "\r\n"
    return head.encode() + body


@dataclass(slots=True)
class Tally:
    """What was seen. latencies in seconds, in order of completion."""

    latencies: list[float] = field(default_factory=list)
    failures: int = 0
    first_failure: str = ""


class Asking(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, requests: Iterator[bytes], tally: Tally, until: float) -> None:
        self._requests, self._tally, self._until = requests, tally, until
        self._buffer = b""
        self._sent = 0.0
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        if found := _LENGTH.search(self._buffer, 0, end + 2):
            if len(self._buffer) < end + 4 + int(found.group(1)):
                return
        elif not self._buffer.endswith(b"0\r\n\r\n"):  # chunked
            return
        now = time.perf_counter()
        if self._buffer.startswith(b"HTTP/1.1 200") and _EXPECTED in self._buffer:
            self._tally.latencies.append(now - self._sent)
        else:
            self._tally.failures += 1
            self._tally.first_failure = self._tally.first_failure or self._buffer[:300].decode("latin-1")
        self._buffer = b""
        if now < self._until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if time.perf_counter() < self._until:
            self._tally.failures += 1
            self._tally.first_failure = self._tally.first_failure or f"connection lost: {error}"
        if not self.closed.done():
            self.closed.set_result(None)


async def load(
    port: int, requests: Sequence[bytes], *, connections: int, seconds: float
) -> dict[str, float | int | str]:
    """Keep `connections` busy for that long."""
    loop = asyncio.get_running_loop()
    tally = Tally()
    began = time.perf_counter()
    until = began + seconds
    endless = itertools.cycle(requests)
    protocols = [
        (await loop.create_connection(lambda: Asking(endless, tally, until), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.wait([protocol.closed for protocol in protocols], timeout=seconds + 10)
    took = time.perf_counter() - began
    p50, p90, p99 = np.percentile(tally.latencies or [0.0], [50, 90, 99]) * 1000
    return {
        "requests": len(tally.latencies),
        "per_second": len(tally.latencies) / took,
        "p50_ms": float(p50),
        "p90_ms": float(p90),
        "p99_ms": float(p99),
        "failures": tally.failures,
        "first_failure": tally.first_failure,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--path", default="/v1/chat/completions")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'")
    options = parser.parse_args()
    requests = [
        request_bytes(
            options.port,
            options.path,
            options.model,
            prompt=prompt,
            stream=options.stream,
            headers=options.header,
        )
        for prompt in PROMPTS
    ]
    result = uvloop.run(load(options.port, requests, connections=options.connections, seconds=options.seconds))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
