"""What is to come of each fault, in each way to ask?

The pool: tier `fast` with the models fast-a and fast-b, tier `top` with top-a and a window ten times as large. fast-a has the
fault, unless a case says that all have it. "whole" is not streamed, "held" is streamed but kept back, "streamed" is passed on as
it comes. Limits: 1 s for a whole answer and between two chunks, 0.7 s to the first token, one retry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from router.testing.faults import (
    alternating,
    broken_off,
    byte_by_byte,
    commenting_for_ever,
    complaining,
    compressed,
    filtered,
    other_way,
    slow_first_token,
    without_done,
    without_stream_options,
)
from router.testing.provider import Behaviour, answering, reset, silence, status, streaming

Mode = Literal["whole", "held", "streamed"]
MODES: tuple[Mode, ...] = ("whole", "held", "streamed")
ALL_MODELS = ("fast-a", "fast-b", "top-a")


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """answer: by that model. error: with that status. broken: a stream that begins, and ends in an in-band error of that kind.
    passed: the provider's own complaint with that status. attempts: their outcomes, in order."""

    kind: Literal["answer", "error", "broken", "passed"]
    what: str
    attempts: tuple[str, ...]
    seconds: tuple[float, float] = (0.0, 1.0)


def answer(model: str, *attempts: str, seconds: tuple[float, float] = (0.0, 1.0)) -> End:
    return End(kind="answer", what=model, attempts=attempts, seconds=seconds)


def error(code: int, *attempts: str, seconds: tuple[float, float] = (0.0, 1.0)) -> End:
    return End(kind="error", what=str(code), attempts=attempts, seconds=seconds)


def broken(kind: str, seconds: tuple[float, float] = (0.0, 1.0)) -> End:
    return End(kind="broken", what=kind, attempts=(kind,), seconds=seconds)


def passed(code: int, *attempts: str) -> End:
    return End(kind="passed", what=str(code), attempts=attempts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fault. script: what the faulty models do, one after the other, then they answer well; always: what they always do."""

    name: str
    script: tuple[Behaviour, ...] = ()
    always: Behaviour | None = None
    models: tuple[str, ...] = ("fast-a",)
    body: Mapping[str, Any] = field(default_factory=dict)
    paused: bool = False  # the provider has named a time that is still far off when it is well again
    again_seconds: tuple[float, float] | None = None  # between the first two requests that the provider gets
    ends: Mapping[Mode, End]


def case(
    name: str,
    *script: Behaviour,
    end: End | None = None,
    always: Behaviour | None = None,
    models: tuple[str, ...] = ("fast-a",),
    body: Mapping[str, Any] | None = None,
    paused: bool = False,
    again_seconds: tuple[float, float] | None = None,
    **ends: End,
) -> Case:
    """end: in the modes that `ends` does not name."""
    told = {mode: ends.get(mode, end) for mode in MODES}
    known = {mode: found for mode, found in told.items() if found is not None}
    return Case(
        name=name,
        script=script,
        always=always,
        models=models,
        body=body or {},
        paused=paused,
        again_seconds=again_seconds,
        ends=known,
    )


_LATE, _LATE_STREAM = (1.0, 1.6), (0.7, 1.3)
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_WANTS_JSON = {"response_format": {"type": "json_schema", "json_schema": {"name": "city", "schema": _SCHEMA}}}
_TOO_LONG = complaining("This model's maximum context length is 8192 tokens.", code="context_length_exceeded")
_PREFILL = complaining("This model does not support assistant message prefill.")
_FILTERED = complaining("The response was filtered by the content management policy.", code="content_filter")
_JSON_ANSWER = answering('{"city":"Paris"}')

CASES: tuple[Case, ...] = (
    case(
        "429, Retry-After 1",
        status(429, headers={"retry-after": "1"}),
        again_seconds=(1.0, 1.2),
        end=answer("fast-a", "http_429", "ok", seconds=(1.0, 2.0)),
    ),
    case(
        "429, Retry-After 30",
        always=status(429, headers={"retry-after": "30"}),
        end=answer("fast-b", "http_429", "ok", seconds=(0, 0.5)),
    ),
    case("429, no Retry-After", status(429), end=answer("fast-a", "http_429", "ok")),
    case(
        "429 everywhere",
        always=status(429, headers={"retry-after": "90"}),
        models=ALL_MODELS,
        paused=True,
        end=error(429, *["http_429"] * 3),
    ),
    case("500 once", status(500), end=answer("fast-a", "http_500", "ok")),
    case("503 always", always=status(503), end=answer("fast-b", "http_503", "http_503", "ok")),
    case("503 everywhere", always=status(503), models=ALL_MODELS, end=error(502, *["http_503"] * 6, seconds=(0, 1.5))),
    case("reset once", reset(), end=answer("fast-a", "reset", "ok")),
    case("reset always", always=reset(), end=answer("fast-b", *["reset"] * 3, "ok")),
    case(
        "silence",
        always=silence(),
        whole=answer("fast-b", "timeout", "ok", seconds=_LATE),
        end=answer("fast-b", "first_token", "ok", seconds=_LATE_STREAM),
    ),
    case(
        "silence everywhere",
        always=silence(),
        models=ALL_MODELS,
        whole=error(504, *["timeout"] * 3, seconds=(3.0, 4.0)),
        end=error(504, *["first_token"] * 3, seconds=(2.1, 3.1)),
    ),
    case("slow first token, in time", slow_first_token(0.3), end=answer("fast-a", "ok", seconds=(0.3, 1.0))),
    case(
        "slow first token, too late",
        slow_first_token(2.0),
        whole=answer("fast-b", "timeout", "ok", seconds=_LATE),
        end=answer("fast-b", "first_token", "ok", seconds=_LATE_STREAM),
    ),
    case("cut", broken_off("cut"), end=answer("fast-b", "cut", "ok"), streamed=broken("cut")),
    case(
        "cut everywhere",
        always=broken_off("cut"),
        models=ALL_MODELS,
        end=error(502, *["cut"] * 4, seconds=(0, 1.5)),
        streamed=broken("cut"),
    ),
    case(
        "stall",
        broken_off("hang"),
        whole=answer("fast-b", "timeout", "ok", seconds=_LATE),
        held=answer("fast-b", "idle", "ok", seconds=_LATE),
        streamed=broken("idle", seconds=_LATE),
    ),
    case(
        "stall behind comments",
        commenting_for_ever(),
        whole=answer("fast-b", "timeout", "ok", seconds=_LATE),
        held=answer("fast-b", "idle", "ok", seconds=_LATE),
        streamed=broken("idle", seconds=_LATE),
    ),
    case(
        "malformed chunk",
        broken_off("clean", last=b"data: {nonsense}\n\n"),
        end=answer("fast-b", "bad_body", "ok"),
        streamed=broken("bad_body"),
    ),
    case(
        "malformed from the start",
        status(200, b"data: {nonsense}\n\n", {"content-type": "text/event-stream"}),
        end=answer("fast-b", "bad_body", "ok"),
    ),
    case(
        "torn last event",
        broken_off("clean", last=b'data: {"choices": [{"del'),
        whole=answer("fast-b", "bad_body", "ok"),
        held=answer("fast-b", "cut", "ok"),
        streamed=broken("cut"),
    ),
    case(
        "error event",
        broken_off("clean", last=b'data: {"error": {"message": "overloaded"}}\n\n'),
        whole=answer("fast-b", "bad_body", "ok"),
        held=answer("fast-b", "error_event", "ok"),
        streamed=broken("error_event"),
    ),
    case("no [DONE], finished", without_done(), end=answer("fast-a", "ok")),
    case(
        "no [DONE], not finished",
        broken_off("clean"),
        whole=answer("fast-b", "bad_body", "ok"),
        held=answer("fast-b", "cut", "ok"),
        streamed=broken("cut"),
    ),
    case("stream of nothing", streaming([b"data: [DONE]\n\n"]), end=answer("fast-b", "bad_body", "ok")),
    case("context length", _TOO_LONG, end=answer("top-a", "context_length", "ok")),
    case(
        "context length everywhere",
        always=_TOO_LONG,
        models=ALL_MODELS,
        end=passed(400, "context_length", "context_length"),
    ),
    case("content filter, 400", always=_FILTERED, end=passed(400, "content_filter")),
    case("content filter, finish reason", filtered(), end=answer("fast-a", "ok")),
    case("prefill rejected", _PREFILL, end=answer("fast-b", "prefill", "ok")),
    case("prefill rejected everywhere", always=_PREFILL, models=ALL_MODELS, end=passed(400, *["prefill"] * 3)),
    case("bad request", always=complaining("temperature must be at most 2"), end=passed(400, "refused")),
    case(
        "flapping",
        *alternating(status(503), answering(), reset(), answering(), times=5),
        end=answer("fast-a", "http_503", "ok"),
    ),
    case(
        "text/html",
        status(200, b"<html>hello</html>", {"content-type": "text/html"}),
        end=answer("fast-b", "bad_body", "ok"),
    ),
    case("the other way round", other_way(), end=answer("fast-b", "bad_body", "ok")),
    case(
        "200 with an error body", status(200, {"error": {"message": "quota"}}), end=answer("fast-b", "bad_body", "ok")
    ),
    case("200 with nothing", status(200, b""), end=answer("fast-b", "bad_body", "ok")),
    case("401", always=status(401), end=answer("fast-b", "http_401", "ok")),
    case("gzip", compressed(), end=answer("fast-a", "ok")),
    case("damaged gzip", compressed(damaged=True), end=answer("fast-b", "cut", "ok")),
    case("one byte a chunk", byte_by_byte(), end=answer("fast-a", "ok")),
    case(
        "no stream_options",
        always=without_stream_options(),
        whole=answer("fast-a", "ok"),
        end=answer("fast-a", "stream_options", "ok"),
    ),
    case("empty answer", answering(""), end=answer("top-a", "empty", "ok"), streamed=answer("fast-a", "ok")),
    case(
        "broken JSON schema",
        answering("Paris"),
        _JSON_ANSWER,
        body=_WANTS_JSON,
        end=answer("top-a", "schema", "schema"),
        streamed=answer("fast-a", "ok"),
    ),
)
