"""How does a whole OpenAI completion look as a stream?

Every choice becomes one chunk with all it said and one with its finish reason. Unknown parts of message and choice come along.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from router.errors import UpstreamFailed
from router.sse import DONE_EVENT


def completion_as_stream(body: bytes, *, usage_wanted: bool) -> bytes:
    """The events of a completion, `[DONE]` included. Raises: UpstreamFailed ("bad_body")."""
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UpstreamFailed("bad_body", "the answer is not JSON") from error
    if not isinstance(whole, dict) or not isinstance(whole.get("choices"), list):
        raise UpstreamFailed("bad_body", "the answer has no choices")
    head = {name: value for name, value in whole.items() if name not in ("choices", "usage", "object")}
    head["object"] = "chat.completion.chunk"
    chunks = [{**head, "choices": [choice]} for choice in _choices(whole["choices"])]
    if usage_wanted:
        chunks.append({**head, "choices": [], "usage": whole.get("usage")})
    return b"".join([*map(event, chunks), DONE_EVENT])


def event(chunk: dict[str, Any]) -> bytes:
    """One chunk as a server-sent event."""
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def _choices(choices: list[Any]) -> Iterator[dict[str, Any]]:
    for position, choice in enumerate(choices):
        if not isinstance(choice, dict):
            continue
        index = choice.get("index", position)
        rest = {name: value for name, value in choice.items() if name not in ("message", "finish_reason", "index")}
        message = choice.get("message")
        delta: dict[str, Any] = {"role": "assistant", **message} if isinstance(message, dict) else {"role": "assistant"}
        if isinstance(calls := delta.get("tool_calls"), list):
            delta["tool_calls"] = [{"index": i, **call} for i, call in enumerate(calls) if isinstance(call, dict)]
        yield {**rest, "index": index, "delta": delta, "finish_reason": None}
        yield {"index": index, "delta": {}, "finish_reason": choice.get("finish_reason")}
