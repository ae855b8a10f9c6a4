"""How does OpenAI ask and answer? Chat completions, as every compatible endpoint speaks them."""

from __future__ import annotations

from typing import Any

import orjson

from router.answers import Answer, read_answer
from router.chat import ChatRequest, read_chat_request
from router.dialects.openai_restream import completion_as_stream
from router.dialects.openai_stream import OpenAIStream
from router.sse import DONE_EVENT, error_event


class OpenAI:
    """The `Dialect` of `POST /v1/chat/completions`."""

    name = "openai.chat"
    end_event = DONE_EVENT
    native_headers: tuple[str, ...] = ()
    keep_alive = b": keep-alive\n\n"

    def read_request(self, body: bytes) -> ChatRequest:
        return read_chat_request(body)

    def read_answer(self, body: bytes) -> Answer:
        return read_answer(body)

    def reader(self, *, usage_wanted: bool) -> OpenAIStream:
        return OpenAIStream(usage_wanted=usage_wanted)

    def streamed(self, body: bytes, *, usage_wanted: bool) -> bytes:
        return completion_as_stream(body, usage_wanted=usage_wanted)

    def error_body(
        self, status: int, message: str, *, kind: str | None = None, code: str | None = None, param: str | None = None
    ) -> bytes:
        told = kind or ("invalid_request_error" if status < 500 else "upstream_error")
        return orjson.dumps({"error": {"message": message, "type": told, "param": param, "code": code}})

    def error_event(self, message: str, code: str) -> bytes:
        return error_event(message, code)

    def error_message(self, body: bytes) -> tuple[str, str | None]:
        return error_words(body)

    def request_id_header(self) -> bytes:
        return b"x-request-id"

    def key_headers(self, api_key: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def error_words(body: bytes) -> tuple[str, str | None]:
    """(message, code or type) of an error body of either dialect, or of some text that is neither."""
    try:
        fields: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:500].decode("utf-8", "replace"), None
    error = fields.get("error") if isinstance(fields, dict) else None
    if isinstance(error, str):
        return error[:2000], None
    if not isinstance(error, dict):
        error = fields if isinstance(fields, dict) else {}
    message, code = error.get("message"), error.get("code") or error.get("type")
    return str(message or "The provider gave no reason.")[:2000], str(code) if isinstance(code, str) else None
