"""Is this body a chat completion request, and what does it ask for?

Only what the router itself relies on is checked; everything else is the provider's business and passes through untouched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.errors import RequestRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """A request: the client's bytes, and what was read from them.

    dialect: the name of the client's. in_openai: what another dialect says, said in OpenAI's; `lost` is what it could not say.
    """

    body: bytes
    fields: dict[str, Any]
    model: str
    streamed: bool
    usage_wanted: bool  # the client itself asked for the usage chunk of a stream
    max_completion_tokens: int | None
    dialect: str = "openai.chat"
    in_openai: Mapping[str, Any] | None = None
    lost: tuple[str, ...] = ()
    own_metadata: bytes | None = None  # what of `metadata` is for the provider, as JSON, where that is not all of it

    @property
    def chat_fields(self) -> Mapping[str, Any]:
        """The request as an OpenAI client would have put it: the one form for whoever looks into it."""
        return self.fields if self.in_openai is None else self.in_openai


def read_chat_request(body: bytes) -> ChatRequest:
    """Parse and check a request body.

    Raises: RequestRejected (400) that names the field at fault.
    """
    fields = parsed_object(body)
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise wrong_field("model", "a string", model, "model" in fields)
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise wrong_field("messages", "a non-empty list", messages, "messages" in fields)
    for position, message in enumerate(messages):
        if not isinstance(message, dict):
            raise wrong_field(f"messages[{position}]", "an object", message, given=True)
    streamed = fields.get("stream")
    if streamed is not None and not isinstance(streamed, bool):
        raise wrong_field("stream", "a boolean", streamed, given=True)
    options = fields.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise wrong_field("stream_options", "an object", options, given=True)
    metadata = fields.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise wrong_field("metadata", "an object", metadata, given=True)
    return ChatRequest(
        body=body,
        fields=fields,
        model=model,
        streamed=bool(streamed),
        usage_wanted=options is not None and options.get("include_usage") is True,
        max_completion_tokens=_limit(fields),
    )


def parsed_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises: RequestRejected (400)."""
    fields = _parse(body)
    if not isinstance(fields, dict):
        raise RequestRejected(400, f"The body must be a JSON object, not {_kind(fields)}.")
    return fields


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # Unpaired surrogates are legal in a JSON text, and only the slower parser reads them.
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise RequestRejected(400, "The body is not valid JSON.", code="invalid_json") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _limit(fields: dict[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def wrong_field(param: str, expected: str, value: object, given: bool) -> RequestRejected:
    """The complaint about a field of a wrong type."""
    found = f"not {_kind(value)}" if given else "and is missing"
    return RequestRejected(400, f"'{param}' must be {expected}, {found}.", param=param)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if value in ("", []):
        return "empty"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")
