"""What does an OpenAI stream say, event by event?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from router.answers import Answer, AnswerBuilder
from router.errors import UpstreamFailed
from router.sse import DONE, data_of


class OpenAIStream:
    """A `StreamReader` of chat.completion.chunk events, ended by `[DONE]`."""

    __slots__ = ("_builder", "_usage_wanted", "began", "done")

    def __init__(self, *, usage_wanted: bool) -> None:
        self.began = False
        self.done = False
        self._usage_wanted = usage_wanted
        self._builder = AnswerBuilder()

    @property
    def finished(self) -> bool:
        return self._builder.finished

    def take(self, event: bytes) -> Mapping[str, Any] | None:
        data = data_of(event)
        if not data:
            return None  # a comment or an empty event
        if data == DONE:
            if not self.began:
                raise UpstreamFailed("bad_body", "the stream ended before it said anything", http_status=200)
            self.done = True
            return None
        chunk = parsed(data)
        if chunk.get("error"):
            raise UpstreamFailed("error_event", _message(chunk["error"]), http_status=200)
        self.began = True
        self._builder.add(chunk)
        return chunk

    def is_for_client(self, payload: Mapping[str, Any] | None) -> bool:
        """A chunk that carries nothing but usage is kept from a client that did not ask for it."""
        if payload is None or self._usage_wanted:
            return True
        return bool(payload.get("choices")) or payload.get("usage") is None

    def answer(self) -> Answer:
        return self._builder.answer()


def parsed(data: bytes) -> dict[str, Any]:
    """The JSON object in an event. Raises: UpstreamFailed ("bad_body")."""
    try:
        payload: Any = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise UpstreamFailed("bad_body", "a chunk of the stream is not JSON", http_status=200) from error
    if not isinstance(payload, dict):
        raise UpstreamFailed("bad_body", "a chunk of the stream is not a JSON object", http_status=200)
    return payload


def _message(error: object) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return str(message)[:500]
