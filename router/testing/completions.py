"""What would a provider answer, whole and in chunks?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MODEL_SUFFIX = "-2026-01-01"  # what the provider appends to the name of the model that answered

FINGERPRINT = "fp_0123456789"  # of the build that it says has answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as the provider got it."""

    headers: Mapping[str, str]
    body: bytes
    fields: dict[str, Any]
    path: str = "/v1/chat/completions"

    @property
    def model(self) -> str:
        return str(self.fields.get("model"))


def completion(call: Seen, text: str, usage: Mapping[str, Any] | None) -> dict[str, Any]:
    """A plausible completion: one choice for each of `n`, logprobs and a tool call when they are asked for."""
    tools = call.fields.get("tools")
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if tools:
        function = {"name": tools[0]["function"]["name"], "arguments": '{"city":"Paris"}'}
        message = {"role": "assistant", "content": None}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    choice = {"message": message, "finish_reason": "tool_calls" if tools else "stop", "logprobs": None}
    if call.fields.get("logprobs"):
        choice["logprobs"] = {"content": [{"token": text[:1], "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": call.model + MODEL_SUFFIX,
        "system_fingerprint": FINGERPRINT,
        "choices": [{"index": index, **choice} for index in range(call.fields.get("n") or 1)],
    }
    return {**answer, "usage": usage} if usage else answer


def usage(prompt_tokens: int = 10, completion_tokens: int = 5) -> dict[str, Any]:
    total = prompt_tokens + completion_tokens
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total}


def chunks(call: Seen, text: str, usage: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The same completion as a stream, a word a chunk; the usage chunk only when it is asked for."""
    whole = completion(call, text, usage)
    head = {name: whole[name] for name in ("id", "created", "model", "system_fingerprint")}
    head["object"] = "chat.completion.chunk"
    events: list[dict[str, Any]] = []
    for choice in whole["choices"]:
        message = choice["message"]
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        if calls := message.get("tool_calls"):
            name, arguments = calls[0]["function"]["name"], calls[0]["function"]["arguments"]
            first = {"index": 0, **calls[0], "function": {"name": name, "arguments": ""}}
            deltas.append({"tool_calls": [first]})
            deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in arguments]
        else:
            words = text.split(" ")
            deltas += [{"content": word if i == 0 else f" {word}"} for i, word in enumerate(words)]
        base = {"index": choice["index"], "logprobs": choice["logprobs"]}
        events += [{**head, "choices": [{**base, "delta": delta, "finish_reason": None}]} for delta in deltas]
        events.append({**head, "choices": [{**base, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    if usage and (call.fields.get("stream_options") or {}).get("include_usage"):
        events.append({**head, "choices": [], "usage": usage})
    return events
