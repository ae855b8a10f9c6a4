"""What does an Anthropic stream say, event by event?

A message begins (`message_start`), its blocks come one after the other (`content_block_start`, deltas, `content_block_stop`),
then stop reason and usage (`message_delta`), then the end (`message_stop`). A ping may come anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from router.answers import Answer, estimated_usage
from router.dialects.anthropic_answer import call_of, finish_reason, read_message_usage, text_or_none
from router.dialects.openai_stream import parsed
from router.errors import UpstreamFailed
from router.sse import data_of

_BEGINS = frozenset({"content_block_start", "content_block_delta", "message_delta"})


class AnthropicStream:
    """A `StreamReader` of message events, ended by `message_stop`."""

    __slots__ = ("_arguments", "_calls", "_counted", "_finish_reason", "_model", "_texts", "_usage", "began", "done")

    def __init__(self) -> None:
        self.began = False
        self.done = False
        self._model: str | None = None
        self._finish_reason: str | None = None
        self._usage: dict[str, Any] = {}
        self._counted = False
        self._texts: list[str] = []
        self._calls: dict[object, Mapping[str, Any]] = {}
        self._arguments: dict[object, list[str]] = {}

    @property
    def finished(self) -> bool:
        return self._finish_reason is not None

    def take(self, event: bytes) -> Mapping[str, Any] | None:
        data = data_of(event)
        if not data:
            return None
        payload = parsed(data)
        kind = payload.get("type")
        kind = kind if isinstance(kind, str) else None
        if kind == "error" or (kind is None and payload.get("error")):
            raise UpstreamFailed("error_event", _message(payload.get("error")), http_status=200)
        if kind == "message_stop":
            if not self.began:
                raise UpstreamFailed("bad_body", "the stream ended before it said anything", http_status=200)
            self.done = True
            return None
        if kind == "ping":
            return None
        if kind in _BEGINS:
            self.began = True
        self._gather(kind, payload)
        return payload

    def is_for_client(self, payload: Mapping[str, Any] | None) -> bool:
        return True

    def answer(self) -> Answer:
        calls = [
            call_of(block, "".join(self._arguments.get(index, ())) or block.get("input"))
            for index, block in self._calls.items()
        ]
        text, tool_calls = "".join(self._texts), orjson.dumps(calls).decode() if calls else ""
        usage = read_message_usage(self._usage)
        if usage is not None and not self._counted:
            # What the first event says of the answer's tokens is where their count begins, not what they are.
            usage = estimated_usage(usage.prompt_tokens, text, tool_calls)
        return Answer(
            model=self._model, text=text, tool_calls=tool_calls, finish_reason=self._finish_reason, usage=usage
        )

    def _gather(self, kind: object, payload: Mapping[str, Any]) -> None:
        if kind == "content_block_delta":
            delta = payload.get("delta")
            if not isinstance(delta, dict):
                return
            if isinstance(text := delta.get("text"), str):
                self._texts.append(text)
            elif isinstance(part := delta.get("partial_json"), str):
                self._arguments.setdefault(block_index(payload), []).append(part)
        elif kind == "content_block_start":
            block = payload.get("content_block")
            if not isinstance(block, dict):
                return
            if block.get("type") == "tool_use":
                self._calls[block_index(payload)] = block
            elif block.get("type") == "text" and isinstance(text := block.get("text"), str):
                self._texts.append(text)
        elif kind == "message_start":
            message = payload.get("message")
            if isinstance(message, dict):
                self._model = text_or_none(message.get("model"))
                self._learn_usage(message.get("usage"))
        elif kind == "message_delta":
            delta = payload.get("delta")
            if isinstance(delta, dict) and (reason := finish_reason(delta.get("stop_reason"))) is not None:
                self._finish_reason = reason
            self._counted = True
            self._learn_usage(payload.get("usage"))

    def _learn_usage(self, usage: object) -> None:
        """The counts are cumulative, and the later events leave out what has not changed."""
        if isinstance(usage, dict):
            self._usage.update({name: value for name, value in usage.items() if value is not None})


def block_index(payload: Mapping[str, Any]) -> int:
    """Which block an event is about; 0 for what is no number."""
    index = payload.get("index")
    return index if isinstance(index, int) else 0


def _message(error: object) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return str(message)[:500]
