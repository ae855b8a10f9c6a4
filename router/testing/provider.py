"""What does a provider look like that can fail in every way, on demand?

`FakeProvider` is an OpenAI-compatible server, and at `/v1/messages` an Anthropic one, on a loopback port in a thread of its
own, for tests of whatever talks to providers. It speaks raw HTTP/1.1, because the interesting faults (a reset, half an event,
a kept-alive connection that is closed) are below any framework. By default it answers; `then` queues other behaviours,
`always` sets one, both per model.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import orjson

from router.testing import messages
from router.testing.completions import Seen, chunks, completion, usage

Event = dict[str, Any] | bytes


@dataclass(slots=True, kw_only=True)
class Call:
    """One request at the provider's end, with the means to answer it well or badly."""

    seen: Seen
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    keep_alive: bool = True

    async def write(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def head(self, status: int, headers: Mapping[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        await self.write("\r\n".join(lines).encode())

    async def whole(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        await self.head(status, {"content-type": "application/json", **headers, "content-length": str(len(body))})
        await self.write(body)

    async def chunk(self, content: bytes) -> None:
        await self.write(b"%x\r\n%s\r\n" % (len(content), content))


Behaviour = Callable[[Call], Awaitable[None]]


def answering(text: str = "Paris is the capital.", tokens: Mapping[str, Any] | None = None) -> Behaviour:
    """A good answer, streamed when asked to. tokens: the usage object; an empty one means that none is sent."""

    async def behave(call: Call) -> None:
        used = usage() if tokens is None else tokens
        if call.seen.path.endswith("/messages"):
            await _answer_messages(call, text, used)
        elif call.seen.fields.get("stream"):
            events: list[Event] = [*chunks(call.seen, text, used), b"data: [DONE]\n\n"]
            await streaming(events)(call)
        else:
            body = orjson.dumps(completion(call.seen, text, used))
            await call.whole(200, body, {"x-request-id": "req-upstream"})

    return behave


async def _answer_messages(call: Call, text: str, used: Mapping[str, Any]) -> None:
    if call.seen.fields.get("stream"):
        await streaming(messages.events(call.seen, text, used))(call)
    else:
        body = orjson.dumps(messages.message(call.seen, text, used))
        await call.whole(200, body, {"request-id": "req-upstream"})


def status(code: int, body: Mapping[str, Any] | bytes = b"{}", headers: Mapping[str, str] | None = None) -> Behaviour:
    """A whole response of any status."""

    async def behave(call: Call) -> None:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        await call.whole(code, content, headers or {})

    return behave


def streaming(events: Sequence[Event], *, ending: str = "clean", piece_bytes: int | None = None) -> Behaviour:
    """A stream of these events. ending: "clean" (well-formed HTTP), "cut" (connection closed inside the body), "hang"."""

    async def behave(call: Call) -> None:
        headers = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}
        await call.head(200, headers)
        for event in events:
            content = event if isinstance(event, bytes) else b"data: " + orjson.dumps(event) + b"\n\n"
            step = piece_bytes or len(content)
            for start in range(0, len(content), step):
                await call.chunk(content[start : start + step])
        if ending == "clean":
            await call.write(b"0\r\n\r\n")
        elif ending == "cut":
            call.keep_alive = False
        else:
            await call.reader.read()  # until the other side gives up

    return behave


def silence() -> Behaviour:
    """Takes the request and never answers."""

    async def behave(call: Call) -> None:
        await call.reader.read()

    return behave


def reset() -> Behaviour:
    """Takes the request and drops the connection."""

    async def behave(call: Call) -> None:
        call.writer.transport.abort()
        call.keep_alive = False

    return behave


@dataclass(slots=True)
class FakeProvider:
    """An OpenAI-compatible provider on a loopback port; a context manager. Thread-safe to script and to inspect."""

    seen: list[Seen] = field(default_factory=list)
    seen_at: list[float] = field(default_factory=list)  # when each of them came, on the monotonic clock
    hung_up: threading.Event = field(default_factory=threading.Event)  # a client left while an answer was due
    asked: threading.Event = field(default_factory=threading.Event)  # a request has arrived
    close_when_idle: bool = False  # drop each kept-alive connection when its second request arrives
    _scripts: dict[str, deque[Behaviour]] = field(default_factory=lambda: defaultdict(deque))
    _always: dict[str, Behaviour] = field(default_factory=dict)
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _port: int = 0
    _connections: set[asyncio.Task[Any]] = field(default_factory=set)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def then(self, model: str, *behaviours: Behaviour) -> None:
        """Queue behaviours for the next requests to a model."""
        self._scripts[model].extend(behaviours)

    def always(self, model: str, behaviour: Behaviour) -> None:
        """What a model does when nothing is queued."""
        self._always[model] = behaviour

    def heal(self) -> None:
        """From now on every model answers."""
        self._scripts.clear()
        self._always.clear()

    def models(self) -> list[str]:
        """The models that were asked, in order."""
        return [seen.model for seen in self.seen]

    def __enter__(self) -> FakeProvider:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop)
            self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._stopped = asyncio.Event()
            server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
            self._port = server.sockets[0].getsockname()[1]
            ready.set()
            await self._stopped.wait()
            server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

        asyncio.run(main())

    def _stop(self) -> None:
        self._stopped.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            served = 0
            while (seen := await _request(reader)) is not None:
                if self.close_when_idle and served:
                    writer.transport.abort()
                    break
                served += 1
                self.seen.append(seen)
                self.seen_at.append(time.monotonic())
                self.asked.set()
                call = Call(seen=seen, reader=reader, writer=writer)
                script = self._scripts[seen.model]
                behave = script.popleft() if script else self._always.get(seen.model, answering())
                try:
                    await behave(call)
                    if reader.at_eof():
                        self.hung_up.set()
                except ConnectionError:
                    self.hung_up.set()
                    raise
                if not call.keep_alive:
                    break
        writer.close()


async def _request(reader: asyncio.StreamReader) -> Seen | None:
    """The next request of a connection; None when it was closed."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")[:-2]
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(headers=headers, body=body, fields=json.loads(body) if body else {}, path=first.split(" ")[1])
