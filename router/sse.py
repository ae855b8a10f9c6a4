"""Where does one server-sent event end and the next begin, and what is in it?

The bytes of an event are kept as they came, with the blank line that ends it, so that what is forwarded is what was sent.
"""

from __future__ import annotations

import re
from typing import Final

import orjson

from router.errors import UpstreamFailed

MAX_EVENT_BYTES = 8 * 1024 * 1024
DONE: Final = b"[DONE]"
DONE_EVENT: Final = b"data: [DONE]\n\n"
_BLANK_LINE = re.compile(rb"\n\n|\r\n\r\n|\r\r|\n\r\n")
_WITHOUT_DATA = (b":", b"event", b"id", b"retry")
_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventSplitter:
    """Cuts a byte stream into whole events, however it was cut into chunks."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events completed by this chunk. Raises: UpstreamFailed("bad_body") for an endless one."""
        # Only where the chunk begins can it complete a blank line that the rest had started.
        searched = max(0, len(self._rest) - 3)
        buffer = self._rest + chunk if self._rest else chunk
        events: list[bytes] = []
        start = 0
        for match in _BLANK_LINE.finditer(buffer, searched):
            events.append(buffer[start : match.end()])
            start = match.end()
        self._rest = buffer[start:]
        if len(self._rest) > MAX_EVENT_BYTES:
            raise UpstreamFailed("bad_body", f"an event of more than {MAX_EVENT_BYTES} bytes")
        return events

    def finish(self) -> bytes:
        """What is left at the end of the stream; b"" when it ended behind a blank line."""
        rest, self._rest = self._rest, b""
        return rest if rest.strip() else b""


def data_of(event: bytes) -> bytes | None:
    """The payload of an event, or None for a comment (a keep-alive, say).

    Raises: UpstreamFailed("bad_body") for what is no event at all: a page, or an error that was written into the stream as it is.
    """
    if event.startswith(b"data: ") and event.find(b"\n", 0, -2) == -1:
        return event[6:].strip()
    if event.startswith(b"event: "):
        start = event.find(b"\n") + 1
        if event.startswith(b"data: ", start) and event.find(b"\n", start, -2) == -1:
            return event[start + 6 :].strip()
    split = _LINE_END.split(event)
    lines = [line[5:].removeprefix(b" ") for line in split if line.startswith(b"data:") or line == b"data"]
    if lines:
        return b"\n".join(lines).strip()
    if not all(line.startswith(_WITHOUT_DATA) for line in split if line):
        raise UpstreamFailed("bad_body", "something in the stream is no event", http_status=200)
    return None


def error_event(message: str, code: str) -> bytes:
    """An in-band error, in the shape that the OpenAI clients raise as an error."""
    error = {"message": message, "type": "upstream_error", "param": None, "code": code}
    return b"data: " + orjson.dumps({"error": error}) + b"\n\n"
