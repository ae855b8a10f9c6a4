"""What does the port to the providers look like without a network?

`ScriptedUpstream` answers from a script, per model, in the test's own event loop: for tests of what happens behind the port.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from router.errors import UpstreamFailed
from router.pool import Target
from router.testing.completions import Seen, chunks, completion, usage

DONE = b"data: [DONE]\n\n"


@dataclass(slots=True, kw_only=True)
class ScriptedReply:
    """A provider's answer. chunks: as they come; a failure among them is raised, None means silence for ever."""

    status: int = 200
    content_type: str = "application/json"
    chunks: Sequence[bytes | UpstreamFailed | None] = ()
    retry_after_seconds: float | None = None
    request_id: str | None = None
    closed: bool = False
    _next: int = 0

    async def read(self, within_seconds: float | None) -> bytes:
        parts: list[bytes] = []
        async with asyncio.timeout(within_seconds):
            while part := await self.chunk(within_seconds or 60):
                parts.append(part)
        return b"".join(parts)

    async def chunk(self, within_seconds: float) -> bytes:
        if self._next >= len(self.chunks):
            return b""
        part = self.chunks[self._next]
        self._next += 1
        if isinstance(part, UpstreamFailed):
            raise part
        if part is None:
            try:
                async with asyncio.timeout(within_seconds):
                    await asyncio.Event().wait()
            except TimeoutError:
                raise UpstreamFailed("idle") from None
        return part or b""

    def close(self) -> None:
        self.closed = True


Script = ScriptedReply | UpstreamFailed | str | None


@dataclass(slots=True)
class ScriptedUpstream:
    """Answers each call with the next entry of the model's script, and with a good answer when there is none.

    An entry is a reply, a failure to raise, the text of a good answer, or None: the call never returns. gate: when given, calls
    wait for it, so that a test can see several under way.
    """

    scripts: dict[str, deque[Script]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Script] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    gate: asyncio.Event | None = None
    cancelled: int = 0

    async def send(
        self, target: Target, body: bytes, *, streamed: bool, within_seconds: float | None, forwarded: Mapping[str, str]
    ) -> ScriptedReply:
        self.asked.append(target.model)
        self.bodies.append(body)
        script = self.scripts[target.model]
        entry = script.popleft() if script else self.always.get(target.model, "Paris.")
        try:
            async with asyncio.timeout(within_seconds):
                if self.gate is not None:
                    await self.gate.wait()
                if entry is None:
                    await asyncio.Event().wait()
        except TimeoutError as error:
            raise UpstreamFailed("first_token" if streamed else "timeout") from error
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(entry, UpstreamFailed):
            raise entry
        if isinstance(entry, ScriptedReply):
            return replace(entry)  # it may be given again
        return good_reply(target.model, body, entry or "")


def good_reply(model: str, body: bytes, text: str) -> ScriptedReply:
    """A whole answer or a stream, as the body asks for."""
    seen = Seen(headers={}, body=body, fields=orjson.loads(body))
    if not seen.fields.get("stream"):
        return ScriptedReply(chunks=[orjson.dumps(completion(seen, text, usage()))])
    events = [b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks(seen, text, usage())]
    return ScriptedReply(content_type="text/event-stream", chunks=[*events, DONE])


def complaint(message: str, *, code: str | None = None, http_status: int = 400) -> ScriptedReply:
    """A provider that turns the request down."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return ScriptedReply(status=http_status, chunks=[orjson.dumps({"error": error})])


def busy(http_status: int = 429, retry_after_seconds: float | None = None) -> ScriptedReply:
    """A provider that says: not now."""
    return ScriptedReply(status=http_status, retry_after_seconds=retry_after_seconds)
