"""How are ASGI messages read and written?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any

from router.errors import ClientGone, RequestRejected

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
_PATIENCE_SECONDS = 0.03
_DISCARD_BYTES = 64 * 1024 * 1024


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first header of that (lower-case) name."""
    return next((value for key, value in headers if key == name), None)


async def read_body(receive: Receive, max_bytes: int) -> bytes:
    """The request body.

    One that is too large is read on and thrown away (up to a limit), because a client that is still sending would see a
    broken connection in place of the answer.

    Raises: RequestRejected (413), ClientGone.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size <= max_bytes:
            parts.append(part)
        else:
            parts.clear()
        if not message.get("more_body", False) or size > _DISCARD_BYTES:
            break
    if size > max_bytes:
        raise RequestRejected(413, f"The body is larger than {max_bytes} bytes.", code="request_too_large")
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Client:
    """The other end of one request, and how far the response to it has come."""

    __slots__ = ("_receive", "_send", "begun", "finished", "gone")

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.begun = False
        self.finished = False  # the last bytes are on their way: a disconnect is no longer news
        self.gone = False

    async def read_body(self, max_bytes: int) -> bytes:
        return await read_body(self._receive, max_bytes)

    async def respond(self, status: int, body: bytes, headers: Headers) -> None:
        """A whole response."""
        await self.begin(status, [*headers, (b"content-length", b"%d" % len(body))])
        await self.end(body)

    async def begin(self, status: int, headers: Headers) -> None:
        self.begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def piece(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, body: bytes) -> None:
        self.finished = True
        await self._send({"type": "http.response.body", "body": body})

    def cancelling(self, task: asyncio.Task[Any]) -> Watching:
        """A context in which `task` is cancelled when the client hangs up before its answer is complete."""
        return Watching(self, task)

    async def watch(self, task: asyncio.Task[Any]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self.finished:
            self.gone = True
            task.cancel()


class Watching:
    """Watches for a client's hang-up. Nobody looks in the first moments: a quick answer is not worth a task of its own."""

    __slots__ = ("_client", "_task", "_timer", "_watch")

    def __init__(self, client: Client, task: asyncio.Task[Any]) -> None:
        self._client = client
        self._task = task
        self._watch: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._begin)

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    def _begin(self) -> None:
        self._watch = asyncio.create_task(self._client.watch(self._task), name="client-watch")
