"""How does the simulated provider speak HTTP, and how does it break off? Plain ASGI, and a protocol that can hang up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shadow.lab.faults import Fault
from shadow.lab.wire import error_body

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Where our protocol leaves the transport.
_TRANSPORT = "lab.transport"


@dataclass(frozen=True, slots=True)
class Connection:
    """The client's connection, for faults that break it. Needs `LabProtocol`."""

    scope: Scope
    receive: Receive

    async def close(self) -> None:
        """Close it, with or without an answer on its way."""
        self.scope[_TRANSPORT].close()
        await self.gone()

    async def gone(self) -> None:
        """Return when the client is gone."""
        while (await self.receive())["type"] != "http.disconnect":
            continue


class LabProtocol(HttpToolsProtocol):
    """uvicorn's protocol; the application may break the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Scope = self.scope  # type: ignore[assignment]
        scope[_TRANSPORT] = self.transport


async def fail(fault: Fault, connection: Connection, send: Send) -> None:
    """Do what the fault says instead of answering."""
    match fault.mode:
        case "error500":
            await reply(send, 500, error_body("The server had an error processing your request.", "server_error"))
        case "http429":
            body = error_body("Rate limit reached for requests.", "requests", "rate_limit_exceeded")
            await reply(send, 429, body, headers=((b"retry-after", b"1"),))
        case "hang":
            try:
                async with asyncio.timeout(fault.seconds):
                    await connection.gone()
            except TimeoutError:
                await connection.close()
        case _:
            await connection.close()


async def stream_out(send: Send, events: Iterable[bytes], seconds: float, broken: Connection | None) -> None:
    """Half of the time until the first event, the other half spread over the rest. broken: cut off half-way."""
    await asyncio.sleep(seconds / 2)
    chunks = list(events)
    pause = seconds / 2 / max(len(chunks) - 3, 1)
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for position, chunk in enumerate(chunks):
        if broken is not None and position == len(chunks) // 2:
            await broken.close()
            return
        if 0 < position < len(chunks) - 2 and pause > 0:
            await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def reply(
    send: Send,
    status: int,
    body: bytes,
    *,
    headers: Sequence[tuple[bytes, bytes]] = (),
    broken: Connection | None = None,
) -> None:
    """Answer in one piece. broken: send half of it, then close the connection."""
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    if broken is not None:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await broken.close()
        return
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def read_body(receive: Receive) -> bytes:
    """The whole body of the request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def lifespan(receive: Receive, send: Send) -> None:
    """Say yes to start and end."""
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def build_server(app: Application) -> uvicorn.Server:
    """A uvicorn server for it; give `serve` the listening socket."""
    config = uvicorn.Config(
        app,
        http=LabProtocol,
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    sock = socket.create_server((host, port), backlog=1024)
    sock.setblocking(False)
    return sock
