"""How is an OpenAI completion said to an Anthropic client, whole and as it streams?

Of several choices the first is said. What a provider tells of its reasoning is left out: a thinking block needs a signature
that only Anthropic can make.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from router.answers import Usage, estimated_usage, read_answer, read_usage
from router.dialects.anthropic_answer import ESTIMATED, text_or_none
from router.dialects.anthropic_restream import event
from router.errors import UpstreamFailed

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def to_anthropic_answer(body: bytes, *, model: str, prompt_tokens: int = 0) -> bytes:
    """A chat completion as a message. prompt_tokens: an estimate, for a completion that says no usage.

    Raises: UpstreamFailed ("bad_body"), also where the arguments of a tool call are no JSON object: a message can't hold them.
    """
    answer = read_answer(body)
    fields = orjson.loads(body)
    choice = next((c for c in fields["choices"] if isinstance(c, dict)), {})
    message: Any = choice.get("message")
    message = message if isinstance(message, dict) else {}
    blocks: list[dict[str, Any]] = []
    if text := answer.text or text_or_none(message.get("refusal")):
        blocks.append({"type": "text", "text": text})
    calls = orjson.loads(answer.tool_calls) if answer.tool_calls else []
    for position, call in enumerate(calls):
        if isinstance(call, dict) and isinstance(function := call.get("function"), dict):
            known = {"name": text_or_none(function.get("name")) or "", "input": _input(function.get("arguments"))}
            blocks.append({"type": "tool_use", "id": text_or_none(call.get("id")) or f"call_{position}", **known})
    called = any(block["type"] == "tool_use" for block in blocks)
    return orjson.dumps(
        {
            **_head(fields, answer.model or model),
            "content": blocks,
            "stop_reason": stop_reason(answer.finish_reason, called=called),
            "stop_sequence": None,
            "usage": anthropic_usage(answer.usage or estimated_usage(prompt_tokens, answer.text, answer.tool_calls)),
        }
    )


def stop_reason(finish_reason: str | None, *, called: bool) -> str:
    """A finish reason in Anthropic's words. Some endpoints say "stop" behind a tool call."""
    if called and finish_reason in (None, "stop"):
        return "tool_use"
    return _STOP_REASONS.get(finish_reason or "stop", "end_turn")


def anthropic_usage(usage: Usage) -> dict[str, Any]:
    """An Anthropic usage object, whose input tokens leave out the cached ones. It can't be left out, so an estimate says so."""
    told = {ESTIMATED: True} if usage.estimated else {}
    return {
        **told,
        "input_tokens": max(0, usage.prompt_tokens - usage.cached_tokens),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
    }


class ToAnthropicStream:
    """A `StreamTranslator` from chat.completion.chunk events to message events.

    Blocks of a message come one after the other, but parallel tool calls may be streamed side by side. So text and the first
    call go out as they come, and whatever comes behind the first call's beginning for other blocks waits for the end.
    """

    def __init__(self, *, model: str, prompt_tokens: int) -> None:
        """prompt_tokens: an estimate for `message_start`; the last event has the true figure where it is known."""
        self._model = model
        self._usage: Usage | None = None
        self._prompt_tokens = prompt_tokens
        self._said: list[str] = []  # for an estimate of the usage
        self._begun = False
        self._index = 0
        self._open: str | None = None  # "text" or "tool_use": the block at `_index`
        self._live: object = None  # the index of the call that is streamed
        self._calls: dict[object, dict[str, Any]] = {}  # the calls that wait
        self._late: list[str] = []  # text behind the first call
        self._reason: str | None = None

    def take(self, payload: Mapping[str, Any]) -> bytes:
        if (usage := read_usage(payload.get("usage"))) is not None:
            self._usage = usage
        parts = [] if self._begun else [self._start(payload)]
        choices = payload.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, dict) or choice.get("index", 0) != 0:
                continue
            self._reason = text_or_none(choice.get("finish_reason")) or self._reason
            if isinstance(delta := choice.get("delta"), dict):
                parts += self._delta(delta)
        return b"".join(parts)

    def end(self) -> bytes:
        parts = [] if self._begun else [self._start({})]
        called = self._live is not None
        parts += self._stop()
        for position, call in enumerate(self._calls.values(), 1):
            parts += [
                self._begin_call(call["id"] or f"call_{position}", call["name"]),
                self._json("".join(call["parts"])),
            ]
            parts += self._stop()
        if self._late:
            parts += [*self._text("".join(self._late)), *self._stop()]
        delta = {"stop_reason": stop_reason(self._reason, called=called), "stop_sequence": None}
        usage = self._usage or estimated_usage(self._prompt_tokens, "".join(self._said), "")
        parts += [event("message_delta", delta=delta, usage=anthropic_usage(usage)), event("message_stop")]
        return b"".join(parts)

    def _start(self, payload: Mapping[str, Any]) -> bytes:
        self._begun = True
        message = {**_head(payload, text_or_none(payload.get("model")) or self._model), "content": []}
        usage = self._usage or Usage(prompt_tokens=self._prompt_tokens, completion_tokens=0)  # provisional here, always
        rest = {"stop_reason": None, "stop_sequence": None, "usage": anthropic_usage(usage)}
        return event("message_start", message={**message, **rest})

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[bytes]:
        for name in ("content", "refusal"):
            if text := text_or_none(delta.get(name)):
                self._said.append(text)
                if self._open == "tool_use":
                    self._late.append(text)
                else:
                    yield from self._text(text)
        calls = delta.get("tool_calls")
        if not isinstance(calls, list) and isinstance(delta.get("function_call"), dict):
            calls = [{"function": delta["function_call"]}]  # the older shape of the same thing
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                yield from self._call(call)

    def _text(self, text: str) -> Iterator[bytes]:
        if self._open is None:
            self._open = "text"
            yield event("content_block_start", index=self._index, content_block={"type": "text", "text": ""})
        yield event("content_block_delta", index=self._index, delta={"type": "text_delta", "text": text})

    def _call(self, call: Mapping[str, Any]) -> Iterator[bytes]:
        index = call.get("index", 0)
        index = index if isinstance(index, int) else 0
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        name, part = text_or_none(function.get("name")), text_or_none(function.get("arguments"))
        self._said += [name or "", part or ""]
        if self._live is None:
            yield from self._stop()
            self._live = index
            yield self._begin_call(text_or_none(call.get("id")) or "call_0", name or "")
        if index == self._live:
            if part:
                yield self._json(part)
            return
        waiting = self._calls.setdefault(index, {"id": None, "name": "", "parts": []})
        waiting["id"] = waiting["id"] or text_or_none(call.get("id"))
        waiting["name"] += name or ""
        waiting["parts"].append(part or "")

    def _begin_call(self, call_id: str, name: str) -> bytes:
        self._open = "tool_use"
        block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        return event("content_block_start", index=self._index, content_block=block)

    def _json(self, part: str) -> bytes:
        return event("content_block_delta", index=self._index, delta={"type": "input_json_delta", "partial_json": part})

    def _stop(self) -> Iterator[bytes]:
        if self._open is not None:
            self._open = None
            yield event("content_block_stop", index=self._index)
            self._index += 1


def _head(fields: Mapping[str, Any], model: str) -> dict[str, Any]:
    given = text_or_none(fields.get("id"))
    return {"id": f"msg_{given}" if given else "msg_translated", "type": "message", "role": "assistant", "model": model}


def _input(arguments: object) -> dict[str, Any]:
    if arguments in (None, ""):
        return {}
    try:
        value = orjson.loads(arguments) if isinstance(arguments, str) else arguments
    except orjson.JSONDecodeError as error:
        raise UpstreamFailed("bad_body", "the arguments of a tool call are not JSON") from error
    if not isinstance(value, dict):
        raise UpstreamFailed("bad_body", "the arguments of a tool call are no JSON object")
    return value
