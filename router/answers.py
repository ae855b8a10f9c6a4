"""What did a model say, and how many tokens did it use?

The same facts are gathered from a whole completion and from the chunks of a stream. Providers differ in small ways, so a
part of an unexpected type is passed over, never fatal; only the bytes go to the client, and those are not touched here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.errors import UpstreamFailed
from router.features import estimated_tokens

_MAX_TOKENS = 10**9
_CACHED = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens")  # where some providers say it instead
_OTHER_CONTENT = ("audio", "images")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens billed for a call. `cached_tokens` are part of `prompt_tokens`. estimated: the provider did not say."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The first choice of a completion, and what the provider said about it."""

    model: str | None
    text: str
    tool_calls: str  # JSON list, "" if none
    finish_reason: str | None
    usage: Usage | None
    refusal: str = ""  # what the model said in the field that is made for refusing
    other_content: bool = False  # something that is neither text nor a tool call: audio, an image
    fingerprint: str | None = None  # of the build that answered, as the provider names it


def read_answer(body: bytes) -> Answer:
    """Read a completion that was not streamed.

    Raises: UpstreamFailed("bad_body") when it is none: no JSON, an error object, no choices.
    """
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UpstreamFailed("bad_body", "the answer is not JSON") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("choices"), list):
        raise UpstreamFailed("bad_body", "the answer has no choices")
    choice: dict[str, Any] = {}
    for found in fields["choices"]:
        if isinstance(found, dict):
            choice = found
            break
    message = choice.get("message")
    if not isinstance(message, dict):
        message = {}
    calls = message.get("tool_calls")
    if not calls and isinstance(message.get("function_call"), dict):  # the older shape of the same thing
        calls = [{"type": "function", "function": message["function_call"]}]
    return Answer(
        model=_text(fields.get("model")),
        text=_content(message.get("content")),
        tool_calls=orjson.dumps(calls).decode() if isinstance(calls, list) and calls else "",
        finish_reason=_text(choice.get("finish_reason")),
        usage=read_usage(fields.get("usage")),
        refusal=_text(message.get("refusal")) or "",
        other_content=bool(message.get("audio") or message.get("images")),
        fingerprint=_text(fields.get("system_fingerprint")),
    )


def read_usage(usage: object) -> Usage | None:
    """An OpenAI usage object, or None when there is none to read."""
    if not isinstance(usage, dict):
        return None
    prompt, completion = token_count(usage.get("prompt_tokens")), token_count(usage.get("completion_tokens"))
    if prompt is None and completion is None:
        return None
    details = usage.get("prompt_tokens_details")
    cached = token_count(details.get("cached_tokens")) if isinstance(details, dict) else None
    for name in _CACHED if cached is None else ():
        cached = cached or token_count(usage.get(name))
    return Usage(prompt_tokens=prompt or 0, completion_tokens=completion or 0, cached_tokens=cached or 0)


def estimated_usage(prompt_tokens: int, text: str, tool_calls: str) -> Usage:
    """What a call that began to answer will have been billed, when the provider did not say."""
    completion = (estimated_tokens(text) if text else 0) + (estimated_tokens(tool_calls) if tool_calls else 0)
    return Usage(prompt_tokens=prompt_tokens, completion_tokens=completion, estimated=True)


class AnswerBuilder:
    """Gathers an `Answer` from the chunks of a stream."""

    def __init__(self) -> None:
        self.model: str | None = None
        self.fingerprint: str | None = None
        self.finish_reason: str | None = None
        self.usage: Usage | None = None
        self._unfinished: set[object] = set()  # choices beside the first one that have begun and not ended
        self._refusals: list[str] = []
        self._other_content = False
        self._texts: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}

    @property
    def finished(self) -> bool:
        """Has every choice that began been ended by the model?"""
        return self.finish_reason is not None and not self._unfinished

    def add(self, chunk: Mapping[str, Any]) -> None:
        """Take one chat.completion.chunk in."""
        if self.model is None:
            self.model = _text(chunk.get("model"))
            self.fingerprint = _text(chunk.get("system_fingerprint"))
        if (usage := read_usage(chunk.get("usage"))) is not None:
            self.usage = usage
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            return
        for choice in choices:
            if not isinstance(choice, dict):
                continue
            if choice.get("index", 0) != 0:
                self._add_other(choice)
                continue
            if (reason := _text(choice.get("finish_reason"))) is not None:
                self.finish_reason = reason
            delta = choice.get("delta")
            if not isinstance(delta, dict):
                continue
            content = delta.get("content")
            if isinstance(content, str):
                self._texts.append(content)
            if isinstance(calls := delta.get("tool_calls"), list):
                for call in calls:
                    self._add_call(call)
            elif isinstance(function := delta.get("function_call"), dict):  # the older shape of the same thing
                self._add_call({"function": function})
            if content is None and delta:
                if isinstance(refusal := delta.get("refusal"), str):
                    self._refusals.append(refusal)
                self._other_content = self._other_content or any(delta.get(name) for name in _OTHER_CONTENT)

    def answer(self) -> Answer:
        """What has been gathered so far."""
        calls = [self._calls[index] for index in sorted(self._calls)]
        return Answer(
            model=self.model,
            text="".join(self._texts),
            tool_calls=orjson.dumps(calls).decode() if calls else "",
            finish_reason=self.finish_reason,
            usage=self.usage,
            refusal="".join(self._refusals),
            other_content=self._other_content,
            fingerprint=self.fingerprint,
        )

    def _add_other(self, choice: Mapping[str, Any]) -> None:
        index = choice.get("index")
        if not isinstance(index, int):
            return
        if _text(choice.get("finish_reason")) is None:
            self._unfinished.add(index)
        else:
            self._unfinished.discard(index)

    def _add_call(self, call: object) -> None:
        if not isinstance(call, dict):
            return
        index = call.get("index", 0)
        known = self._calls.setdefault(
            index if isinstance(index, int) else 0,
            {"id": None, "type": "function", "function": {"name": "", "arguments": ""}},
        )
        known["id"] = known["id"] or _text(call.get("id"))
        function = call.get("function")
        if isinstance(function, dict):
            for part in ("name", "arguments"):
                known["function"][part] += function.get(part) if isinstance(function.get(part), str) else ""


def _content(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    return ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def token_count(value: object) -> int | None:
    """A count of tokens in a usage object; None for what is no number."""
    if type(value) is int and 0 <= value <= _MAX_TOKENS:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(min(_MAX_TOKENS, max(0, value)))
