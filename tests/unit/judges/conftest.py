"""A language model that answers by script, behind a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio

Script = Callable[[str], "str | tuple[int, str]"]


@dataclass(slots=True)
class ScriptedModel:
    """script: prompt -> reply text, or status and raw body. headers: lines to add. requests: what was asked."""

    base_url: str = ""
    script: Script = lambda _prompt: "VERDICT: REJECT"
    finish_reason: str = "stop"
    headers: str = ""
    hang: asyncio.Event | None = None
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                self.requests.append((headers, body))
                if self.hang is not None:
                    await self.hang.wait()
                writer.write(self._response(body["messages"][-1]["content"]))
                await writer.drain()
        writer.close()

    def _response(self, prompt: str) -> bytes:
        said = self.script(prompt)
        status, text = said if isinstance(said, tuple) else (200, "")
        if isinstance(said, str):
            message = {"role": "assistant", "content": said}
            choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
            text = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 1000, "completion_tokens": 100}})
        payload = text.encode()
        head = f"HTTP/1.1 {status} X\r\n{self.headers}content-type: application/json\r\ncontent-length: {len(payload)}"
        return f"{head}\r\n\r\n".encode() + payload


@pytest_asyncio.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    """A scripted model, listening."""
    scripted = ScriptedModel()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    scripted.base_url = f"http://127.0.0.1:{port}/v1"
    try:
        yield scripted
    finally:
        if scripted.hang is not None:
            scripted.hang.set()
        server.close()
