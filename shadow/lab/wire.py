"""What do completions look like on the wire? OpenAI chat bodies, whole and as chunks of a stream."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

_TOKENS = re.compile(r"\s*\S{1,6}|\s+$")
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """An answer about to be sent. texts: one per choice. created: seconds since 1970, UTC."""

    completion_id: str
    created: int
    model: str
    system_fingerprint: str
    texts: tuple[str, ...]
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    with_logprobs: bool = False

    @property
    def usage(self) -> dict[str, int]:
        total = self.prompt_tokens + self.completion_tokens
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": total,
        }

    def body(self) -> bytes:
        """The answer in one piece."""
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": _logprobs(text) if self.with_logprobs else None,
                "finish_reason": self.finish_reason,
            }
            for index, text in enumerate(self.texts)
        ]
        return orjson.dumps({**self._head("chat.completion"), "choices": choices, "usage": self.usage})

    def events(self, pieces: int, *, include_usage: bool) -> Iterator[bytes]:
        """The answer as server-sent events: at most `pieces` of text for each choice, the finish, the usage if asked."""
        extra = {"usage": None} if include_usage else {}
        for index, text in enumerate(self.texts):
            delta: dict[str, Any] = {"role": "assistant", "content": ""}
            yield self._event(index, delta, None, extra)
            for piece in split_text(text, pieces):
                yield self._event(index, {"content": piece}, None, extra, piece if self.with_logprobs else None)
            yield self._event(index, {}, self.finish_reason, extra)
        if include_usage:
            yield _sse({**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage})
        yield DONE

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.completion_id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.system_fingerprint,
        }

    def _event(
        self,
        index: int,
        delta: Mapping[str, Any],
        finish: str | None,
        extra: Mapping[str, Any],
        logged: str | None = None,
    ) -> bytes:
        logprobs = None if logged is None else _logprobs(logged)
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return _sse({**self._head("chat.completion.chunk"), "choices": [choice], **extra})


def split_text(text: str, pieces: int) -> list[str]:
    """The text in at most `pieces` parts that together are the text, cut between tokens."""
    tokens = _TOKENS.findall(text)
    size = max(math.ceil(len(tokens) / pieces), 1)
    return ["".join(tokens[i : i + size]) for i in range(0, len(tokens), size)]


def cut_to(text: str, tokens: int, limit: int) -> str:
    """About the first `limit` of the text's tokens."""
    parts = _TOKENS.findall(text)
    return "".join(parts[: max(len(parts) * limit // max(tokens, 1), 0)])


def error_body(message: str, kind: str, code: str | None = None) -> bytes:
    """An error in OpenAI's shape."""
    return orjson.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})


def models_body(models: Sequence[str], created: int) -> bytes:
    """The list of models."""
    data = [{"id": model, "object": "model", "created": created, "owned_by": "lab"} for model in models]
    return orjson.dumps({"object": "list", "data": data})


def _logprobs(text: str) -> dict[str, Any]:
    content = [
        {"token": token, "logprob": -0.1, "bytes": list(token.encode()), "top_logprobs": []}
        for token in _TOKENS.findall(text)
    ]
    return {"content": content, "refusal": None}


def _sse(event: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(event) + b"\n\n"
