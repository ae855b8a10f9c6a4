"""What does an Anthropic message say, and how many tokens did it use?

Blocks of kinds that are not known here, and parts of unexpected types, are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from router.answers import Answer, Usage, token_count
from router.errors import UpstreamFailed

#: A key of ours in a usage object: the provider did not say, so this is what we think.
ESTIMATED = "x_shadow_estimated"
#: Anthropic's stop reasons in OpenAI's words. What is not listed stays as it is.
FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def read_message(body: bytes) -> Answer:
    """Read a message that was not streamed. Raises: UpstreamFailed ("bad_body")."""
    fields = message_fields(body)
    blocks = [block for block in fields["content"] if isinstance(block, dict)]
    calls = [call_of(block, block.get("input")) for block in blocks if block.get("type") == "tool_use"]
    return Answer(
        model=text_or_none(fields.get("model")),
        text="".join(b["text"] for b in blocks if b.get("type") == "text" and isinstance(b.get("text"), str)),
        tool_calls=orjson.dumps(calls).decode() if calls else "",
        finish_reason=finish_reason(fields.get("stop_reason")),
        usage=read_message_usage(fields.get("usage")),
    )


def message_fields(body: bytes) -> dict[str, Any]:
    """The object of a message, with a list as `content`. Raises: UpstreamFailed ("bad_body")."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UpstreamFailed("bad_body", "the answer is not JSON") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("content"), list) or fields.get("type") == "error":
        raise UpstreamFailed("bad_body", "the answer has no content")
    return fields


def read_message_usage(usage: object) -> Usage | None:
    """An Anthropic usage object. Its input tokens leave out what went to or came from the cache; ours count all."""
    if not isinstance(usage, Mapping):
        return None
    fresh, completion = token_count(usage.get("input_tokens")), token_count(usage.get("output_tokens"))
    if fresh is None and completion is None:
        return None
    read = token_count(usage.get("cache_read_input_tokens")) or 0
    written = token_count(usage.get("cache_creation_input_tokens")) or 0
    return Usage(
        prompt_tokens=(fresh or 0) + read + written,
        completion_tokens=completion or 0,
        cached_tokens=read,
        estimated=usage.get(ESTIMATED) is True,
    )


def finish_reason(stop_reason: object) -> str | None:
    """A stop reason in OpenAI's words."""
    return FINISH_REASONS.get(stop_reason, stop_reason) if isinstance(stop_reason, str) and stop_reason else None


def call_of(block: Mapping[str, Any], arguments: object) -> dict[str, Any]:
    """A tool_use block as an OpenAI tool call. arguments: an object, or JSON text as it was streamed."""
    said = arguments if isinstance(arguments, str) else json_text({} if arguments is None else arguments)
    name = text_or_none(block.get("name")) or ""
    return {"id": text_or_none(block.get("id")), "type": "function", "function": {"name": name, "arguments": said}}


def json_text(value: object) -> str:
    return orjson.dumps(value).decode()


def text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
