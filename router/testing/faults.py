"""Which faults can a provider have, beyond the simplest ones, and how does each look on the wire?

Every behaviour knows both ways to be asked: for a whole answer and for a stream.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from router.testing.completions import Seen, chunks, completion, usage
from router.testing.provider import Behaviour, Call, Event, answering, status, streaming

TEXT = "Paris is the capital."
DONE = b"data: [DONE]\n\n"


def complaining(message: str, *, code: str | None = None, http_status: int = 400) -> Behaviour:
    """Turns the request down, in OpenAI's words."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return status(http_status, {"error": error})


def delayed(seconds: float, behaviour: Behaviour) -> Behaviour:
    """The same, later."""

    async def behave(call: Call) -> None:
        await asyncio.sleep(seconds)
        await behaviour(call)

    return behave


def slow_first_token(seconds: float) -> Behaviour:
    """The head of the answer at once, its content later."""

    async def behave(call: Call) -> None:
        if not call.seen.fields.get("stream"):
            await delayed(seconds, answering(TEXT))(call)
            return
        await call.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        await call.chunk(b": processing\n\n")
        await asyncio.sleep(seconds)
        for event in [*map(_as_event, chunks(call.seen, TEXT, usage())), DONE]:
            await call.chunk(event)
        await call.write(b"0\r\n\r\n")

    return behave


def broken_off(ending: str, *, last: bytes | None = None) -> Behaviour:
    """Says two words, then maybe `last`, and ends badly: "cut", "hang", or "clean" but without the rest."""

    async def behave(call: Call) -> None:
        if call.seen.fields.get("stream"):
            begun: list[Event] = [*chunks(call.seen, TEXT, usage())[:3]]
            await streaming([*begun, *([last] if last else [])], ending=ending)(call)
            return
        body = orjson.dumps(completion(call.seen, TEXT, usage()))
        if ending == "clean":
            await call.whole(200, body[:40] + (last or b""), {})
            return
        await call.head(200, {"content-type": "application/json", "content-length": str(len(body))})
        await call.write(body[:40])
        if ending == "hang":
            await call.reader.read()
        call.keep_alive = False

    return behave


def commenting_for_ever(every_seconds: float = 0.05) -> Behaviour:
    """Says two words, then nothing but keep-alive comments."""

    async def behave(call: Call) -> None:
        if not call.seen.fields.get("stream"):
            await call.reader.read()
            return
        await call.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        for event in map(_as_event, chunks(call.seen, TEXT, usage())[:3]):
            await call.chunk(event)
        while not call.reader.at_eof():
            await call.chunk(b": waiting\n\n")
            await asyncio.sleep(every_seconds)

    return behave


def without_done() -> Behaviour:
    """A stream that says all it has to say, finish reason included, and forgets `[DONE]`."""

    async def behave(call: Call) -> None:
        if call.seen.fields.get("stream"):
            await streaming([*chunks(call.seen, TEXT, usage())])(call)
        else:
            await answering(TEXT)(call)

    return behave


def other_way() -> Behaviour:
    """A stream where a whole answer was asked for, and the other way round."""

    async def behave(call: Call) -> None:
        if call.seen.fields.get("stream"):
            await call.whole(200, orjson.dumps(completion(call.seen, TEXT, usage())), {})
        else:
            await streaming([*chunks(call.seen, TEXT, usage()), DONE])(call)

    return behave


def compressed(*, damaged: bool = False) -> Behaviour:
    """Compressed although nobody asked for it."""

    async def behave(call: Call) -> None:
        packed = gzip.compress(_body(call.seen))
        if damaged:
            packed = b"no gzip" + packed[7:]
        kind = "text/event-stream" if call.seen.fields.get("stream") else "application/json"
        await call.whole(200, packed, {"content-type": kind, "content-encoding": "gzip"})

    return behave


def byte_by_byte() -> Behaviour:
    """One byte in each chunk."""

    async def behave(call: Call) -> None:
        kind = "text/event-stream" if call.seen.fields.get("stream") else "application/json"
        await call.head(200, {"content-type": kind, "transfer-encoding": "chunked"})
        body = _body(call.seen)
        await call.write(b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n")

    return behave


def filtered() -> Behaviour:
    """An answer that the provider's content filter has stopped."""

    async def behave(call: Call) -> None:
        whole = completion(call.seen, "", usage())
        whole["choices"][0]["finish_reason"] = "content_filter"
        if call.seen.fields.get("stream"):
            events: list[dict[str, Any]] = chunks(call.seen, "", usage())
            for event in events:
                for choice in event["choices"]:
                    if choice["finish_reason"]:
                        choice["finish_reason"] = "content_filter"
            await streaming([*events, DONE])(call)
        else:
            await call.whole(200, orjson.dumps(whole), {})

    return behave


def without_stream_options() -> Behaviour:
    """An endpoint that does not know `stream_options`."""

    async def behave(call: Call) -> None:
        if "stream_options" in call.seen.fields:
            await complaining("Unrecognized request argument supplied: stream_options")(call)
        else:
            await answering(TEXT)(call)

    return behave


def alternating(*behaviours: Behaviour, times: int) -> Sequence[Behaviour]:
    """One after the other, over and over."""
    return [behaviour for _ in range(times) for behaviour in behaviours]


def _body(seen: Seen) -> bytes:
    if not seen.fields.get("stream"):
        return orjson.dumps(completion(seen, TEXT, usage()))
    return b"".join([*map(_as_event, chunks(seen, TEXT, usage())), DONE])


def _as_event(chunk: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"
