"""What would Anthropic answer, whole and as events? Written by hand, not by the code that is tested with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from router.testing.completions import MODEL_SUFFIX, Seen


def message(call: Seen, text: str, usage: Mapping[str, Any] | None) -> dict[str, Any]:
    """A plausible message: thinking where it is enabled, a tool call where tools are given, else text."""
    blocks: list[dict[str, Any]] = []
    thinking = call.fields.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") == "enabled":
        blocks.append({"type": "thinking", "thinking": "The user asks.", "signature": "c2lnbmVk"})
    tools = call.fields.get("tools")
    if tools:
        blocks.append({"type": "tool_use", "id": "toolu_1", "name": tools[0]["name"], "input": {"city": "Paris"}})
    else:
        blocks.append({"type": "text", "text": text})
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": call.model + MODEL_SUFFIX,
        "content": blocks,
        "stop_reason": "tool_use" if tools else "end_turn",
        "stop_sequence": None,
        "usage": _usage(usage),
    }


def events(call: Seen, text: str, usage: Mapping[str, Any] | None) -> list[bytes]:
    """The same message as it streams, a word or a few characters an event, with a ping in its middle."""
    whole = message(call, text, usage)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    said = [_event("message_start", message=begun)]
    for index, block in enumerate(whole["content"]):
        empty, deltas = _streamed(block)
        said.append(_event("content_block_start", index=index, content_block=empty))
        said.append(_event("ping"))
        said += [_event("content_block_delta", index=index, delta=delta) for delta in deltas]
        said.append(_event("content_block_stop", index=index))
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    said.append(_event("message_delta", delta=delta, usage={"output_tokens": whole["usage"]["output_tokens"]}))
    return [*said, _event("message_stop")]


def _usage(usage: Mapping[str, Any] | None) -> dict[str, int]:
    given = usage or {}
    cached = (given.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    return {
        "input_tokens": given.get("prompt_tokens", 0) - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": given.get("completion_tokens", 0),
    }


def _streamed(block: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if block["type"] == "text":
        words = block["text"].split(" ")
        parts = [word if i == 0 else f" {word}" for i, word in enumerate(words)]
        return {**block, "text": ""}, [{"type": "text_delta", "text": part} for part in parts]
    if block["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": block["thinking"]}]
        return {**block, "thinking": "", "signature": ""}, [
            *deltas,
            {"type": "signature_delta", "signature": "c2lnbmVk"},
        ]
    text = orjson.dumps(block["input"]).decode()
    parts = ["", *(text[start : start + 5] for start in range(0, len(text), 5))]
    return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in parts]


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\n".encode() + b"data: " + orjson.dumps({"type": kind, **fields}) + b"\n\n"
