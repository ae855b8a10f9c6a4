"""How does Anthropic ask and answer? Messages."""

from __future__ import annotations

import orjson

from router.answers import Answer
from router.chat import ChatRequest
from router.dialects.anthropic_answer import read_message
from router.dialects.anthropic_request import read_messages_request
from router.dialects.anthropic_restream import event, message_as_stream
from router.dialects.anthropic_stream import AnthropicStream
from router.dialects.openai import error_words

#: Of the requests that we write. Later versions no longer take `temperature` and `top_p`, which OpenAI clients send; a client
#: of this dialect brings its own version along.
VERSION = "2023-06-01"
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class Anthropic:
    """The `Dialect` of `POST /v1/messages`."""

    name = "anthropic.messages"
    end_event = event("message_stop")
    native_headers: tuple[str, ...] = ("anthropic-beta", "anthropic-version")
    keep_alive = event("ping")

    def read_request(self, body: bytes) -> ChatRequest:
        return read_messages_request(body)

    def read_answer(self, body: bytes) -> Answer:
        return read_message(body)

    def reader(self, *, usage_wanted: bool) -> AnthropicStream:
        return AnthropicStream()

    def streamed(self, body: bytes, *, usage_wanted: bool) -> bytes:
        return message_as_stream(body)

    def error_body(
        self, status: int, message: str, *, kind: str | None = None, code: str | None = None, param: str | None = None
    ) -> bytes:
        """The type follows from the status; code and param have no place in this dialect."""
        told = _KINDS.get(status) or ("invalid_request_error" if status < 500 else "api_error")
        return orjson.dumps({"type": "error", "error": {"type": told, "message": message}})

    def error_event(self, message: str, code: str) -> bytes:
        told = "timeout_error" if code in ("idle", "timeout") else "api_error"
        return event("error", error={"type": told, "message": message})

    def error_message(self, body: bytes) -> tuple[str, str | None]:
        return error_words(body)

    def request_id_header(self) -> bytes:
        return b"request-id"

    def key_headers(self, api_key: str | None) -> dict[str, str]:
        version = {"anthropic-version": VERSION}
        return {**version, "x-api-key": api_key} if api_key else version
