"""Is this body an Anthropic messages request, and what does it ask for?"""

from __future__ import annotations

from typing import Any

import orjson

from router.chat import ChatRequest, parsed_object, wrong_field
from router.dialects.to_openai_request import to_openai_request


def read_messages_request(body: bytes) -> ChatRequest:
    """Parse and check a request body, as far as the router relies on it. Raises: RequestRejected (400)."""
    fields = parsed_object(body)
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise wrong_field("model", "a string", model, "model" in fields)
    limit = fields.get("max_tokens")
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise wrong_field("max_tokens", "a positive integer", limit, "max_tokens" in fields)
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise wrong_field("messages", "a non-empty list", messages, "messages" in fields)
    for position, message in enumerate(messages):
        if not isinstance(message, dict):
            raise wrong_field(f"messages[{position}]", "an object", message, given=True)
    streamed = fields.get("stream")
    if streamed is not None and not isinstance(streamed, bool):
        raise wrong_field("stream", "a boolean", streamed, given=True)
    metadata = fields.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise wrong_field("metadata", "an object", metadata, given=True)
    said = to_openai_request(fields)
    return ChatRequest(
        body=body,
        fields=fields,
        model=model,
        streamed=bool(streamed),
        usage_wanted=True,  # this dialect always tells the usage
        max_completion_tokens=limit,
        dialect="anthropic.messages",
        in_openai=said.fields,
        lost=said.lost,
        own_metadata=_without_hints(metadata),
    )


def _without_hints(metadata: dict[str, Any] | None) -> bytes | None:
    """Anthropic refuses metadata that it does not know, so our hints stay here. None: there are none."""
    if not metadata or not any(name.lower().startswith("x-shadow-") for name in metadata):
        return None
    return orjson.dumps({name: value for name, value in metadata.items() if not name.lower().startswith("x-shadow-")})
