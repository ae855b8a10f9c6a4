"""What does the fastest possible provider look like? A raw loopback server that returns one fixed completion.

    python tests/benchmarks/loopback/upstream.py

Prints its port on the first line and serves until it is stopped. It does no more than find the end of each request, so that
what is in front of it is what gets measured. A request whose body asks for a stream gets the same answer as events.
"""

from __future__ import annotations

import asyncio
import json
import re

import uvloop

TEXT = "Paris is the capital of France. " * 4
USAGE = {"prompt_tokens": 32, "completion_tokens": 28, "total_tokens": 60}
_HEAD = {"id": "chatcmpl-fixed", "created": 1_800_000_000, "model": "fixed-1"}
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def whole_answer() -> bytes:
    message = {"role": "assistant", "content": TEXT}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    body = json.dumps({**_HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()
    return _response(b"application/json", body)


def streamed_answer() -> bytes:
    deltas = [{"role": "assistant", "content": ""}, *({"content": word + " "} for word in TEXT.split())]
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": USAGE}]
    events = [json.dumps({**_HEAD, "object": "chat.completion.chunk", **chunk}) for chunk in chunks]
    return _response(b"text/event-stream", "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode())


def _response(content_type: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s" % (content_type, len(body), body)


class Answering(asyncio.Protocol):
    """One connection."""

    whole, streamed = whole_answer(), streamed_answer()

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._buffer, 0, end)
            size = end + 4 + (int(found.group(1)) if found else 0)
            if len(self._buffer) < size:
                return
            request, self._buffer = self._buffer[:size], self._buffer[size:]
            is_stream = b'"stream":true' in request or b'"stream": true' in request
            self._transport.write(self.streamed if is_stream else self.whole)  # type: ignore[attr-defined]


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
