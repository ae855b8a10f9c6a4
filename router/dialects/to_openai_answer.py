"""How is an Anthropic answer said to an OpenAI client, whole and as it streams?

Thinking and the blocks of server tools have no place in a chat completion and are left out: an OpenAI client cannot have
asked for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from router.answers import Usage
from router.dialects.anthropic_answer import (
    finish_reason,
    message_fields,
    read_message,
    read_message_usage,
    text_or_none,
)
from router.dialects.anthropic_stream import block_index
from router.dialects.openai_restream import event
from router.sse import DONE_EVENT


def to_openai_answer(body: bytes, *, model: str, created: int) -> bytes:
    """A message as a chat completion. created: seconds since 1970, UTC. Raises: UpstreamFailed ("bad_body")."""
    fields, answer = message_fields(body), read_message(body)
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.tool_calls:
        message["tool_calls"] = orjson.loads(answer.tool_calls)
    elif not answer.text:
        message["content"] = ""
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason or "stop"}
    said = {**_head(fields, model, created, "chat.completion"), "choices": [choice]}
    return orjson.dumps({**said, "usage": openai_usage(answer.usage)} if answer.usage else said)


def openai_usage(usage: Usage) -> dict[str, Any]:
    """An OpenAI usage object."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


class ToOpenAIStream:
    """A `StreamTranslator` from message events to chat.completion.chunk events."""

    def __init__(self, *, model: str, created: int, usage_wanted: bool) -> None:
        self._model = model
        self._created = created
        self._usage_wanted = usage_wanted
        self._head: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._calls: dict[int, int] = {}  # index of the block -> index of the call
        self._inputs: dict[int, object] = {}  # inputs that came whole, until a delta says otherwise
        self._reason: str | None = None
        self._begun = False

    def take(self, payload: Mapping[str, Any]) -> bytes:
        kind = payload.get("type")
        if kind == "message_start":
            # Nothing is said yet: as long as that is so, somebody else may take over.
            message = payload.get("message")
            self._start(message if isinstance(message, dict) else {})
            return b""
        first = self._begin()
        if kind == "content_block_start":
            return first + self._open(block_index(payload), payload.get("content_block"))
        if kind == "content_block_delta":
            return first + self._delta(block_index(payload), payload.get("delta"))
        if kind == "content_block_stop":
            return first + self._close(block_index(payload))
        if kind == "message_delta":
            self._learn(payload.get("usage"))
            delta = payload.get("delta")
            if isinstance(delta, dict):
                self._reason = finish_reason(delta.get("stop_reason")) or self._reason
        return first

    def end(self) -> bytes:
        first = self._begin()
        last = self._chunk({}, self._reason or ("tool_calls" if self._calls else "stop"))
        usage = read_message_usage(self._usage)
        if self._usage_wanted and usage is not None:
            last += event({**self._head, "choices": [], "usage": openai_usage(usage)})
        return first + last + DONE_EVENT

    def _start(self, message: Mapping[str, Any]) -> None:
        self._head = _head(message, self._model, self._created, "chat.completion.chunk")
        self._learn(message.get("usage"))

    def _begin(self) -> bytes:
        """The first chunk, once."""
        if self._begun:
            return b""
        self._begun = True
        if not self._head:
            self._start({})
        return self._chunk({"role": "assistant", "content": ""})

    def _open(self, index: int, block: object) -> bytes:
        if not isinstance(block, dict):
            return b""
        if block.get("type") == "text":
            text = text_or_none(block.get("text"))
            return self._chunk({"content": text}) if text else b""
        if block.get("type") != "tool_use":
            return b""
        number = self._calls[index] = len(self._calls)
        if block.get("input"):
            self._inputs[index] = block["input"]
        function = {"name": text_or_none(block.get("name")) or "", "arguments": ""}
        call = {"index": number, "id": text_or_none(block.get("id")), "type": "function", "function": function}
        return self._chunk({"tool_calls": [call]})

    def _delta(self, index: int, delta: object) -> bytes:
        if not isinstance(delta, dict):
            return b""
        if delta.get("type") == "text_delta" and (text := text_or_none(delta.get("text"))):
            return self._chunk({"content": text})
        if delta.get("type") == "input_json_delta" and index in self._calls:
            self._inputs.pop(index, None)
            if part := text_or_none(delta.get("partial_json")):
                return self._arguments(index, part)
        return b""

    def _close(self, index: int) -> bytes:
        if index not in self._inputs:
            return b""
        return self._arguments(index, orjson.dumps(self._inputs.pop(index)).decode())

    def _arguments(self, index: int, part: str) -> bytes:
        return self._chunk({"tool_calls": [{"index": self._calls[index], "function": {"arguments": part}}]})

    def _learn(self, usage: object) -> None:
        if isinstance(usage, dict):
            self._usage.update({name: value for name, value in usage.items() if value is not None})

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        return event({**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def _head(message: Mapping[str, Any], model: str, created: int, kind: str) -> dict[str, Any]:
    return {
        "id": text_or_none(message.get("id")) or "chatcmpl-translated",
        "object": kind,
        "created": created,
        "model": text_or_none(message.get("model")) or model,
    }
