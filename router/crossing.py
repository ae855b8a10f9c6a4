"""How is a model asked that speaks another dialect than the client?

The request is said in the model's dialect, and what comes back is a `Reply` in the client's: so whoever reads it needs to
know one dialect only. Where both are the same, nothing here is used and the bytes stay as they are.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from router.chat import ChatRequest, read_chat_request
from router.dialects.contracts import StreamTranslator, Translated
from router.dialects.known import OPENAI, dialect_named
from router.dialects.to_anthropic_answer import ToAnthropicStream, to_anthropic_answer
from router.dialects.to_openai_answer import ToOpenAIStream, to_openai_answer
from router.dialects.translation import translated, translated_body
from router.errors import UpstreamFailed
from router.journal import Journal
from router.pool import Target
from router.sse import EventSplitter
from router.upstream import Reply, Upstream

_NAMED_AT_MOST = 20


def said_for(request: ChatRequest, target: Target) -> Translated:
    """The request in the dialect of a target that does not share the client's."""
    if request.in_openai is not None:
        return Translated(fields=request.in_openai, lost=request.lost)
    return translated(request.fields, target.dialect)


def _body(said: Translated, target: Target, *, ask_for_usage: bool) -> bytes:
    return translated_body(
        said,
        dialect=target.dialect,
        model=target.model,
        url=target.url,
        default_max_tokens=target.default_max_tokens,
        ask_for_usage=ask_for_usage,
    )


async def ask_across(
    upstream: Upstream,
    journal: Journal,
    target: Target,
    *,
    ask_for_usage: bool,
    within_seconds: float | None,
    forwarded: Mapping[str, str],
) -> Reply:
    """Send a request to a target that does not share its dialect. Raises: UpstreamFailed.

    Where something of it would get lost, and the client did not agree to that, nobody is asked: the reply is a refusal.
    """
    request = journal.request
    said = said_for(request, target)
    if said.lost and not journal.drop_unsupported:
        return _Unsaid(request, target, said.lost)
    if said.lost:
        journal.dropped[target.key] = said.lost
    own = dialect_named(request.dialect).native_headers
    reply = await upstream.send(
        target,
        _body(said, target, ask_for_usage=ask_for_usage),
        streamed=request.streamed,
        within_seconds=within_seconds,
        forwarded={name: value for name, value in forwarded.items() if name not in own},
    )
    return CrossedReply(reply, request, target, prompt_tokens=journal.features.conversation_tokens)


class _Unsaid:
    """The `Reply` of nobody: what the client asked for can't be said to this target."""

    status = 400
    content_type = "application/json"
    retry_after_seconds: float | None = None
    request_id: str | None = None

    def __init__(self, request: ChatRequest, target: Target, lost: tuple[str, ...]) -> None:
        names = ", ".join(lost[:_NAMED_AT_MOST]) + (", ..." if len(lost) > _NAMED_AT_MOST else "")
        message = (
            f"The model does not support {names}: {target.tier}/{target.model} is asked in another dialect"
            f" ({target.dialect}), which has no word for it. Leave it out, or send x-shadow-drop-unsupported: true."
        )
        client = dialect_named(request.dialect)
        self._body = client.error_body(400, message, code="unsupported_parameter", param=lost[0])

    async def read(self, within_seconds: float | None) -> bytes:
        return self._body

    async def chunk(self, within_seconds: float) -> bytes:
        return b""

    def close(self) -> None:
        """There is no connection to give up."""


class CrossedReply:
    """A `Reply` of a target, said in the client's dialect."""

    def __init__(self, reply: Reply, request: ChatRequest, target: Target, *, prompt_tokens: int = 0) -> None:
        """prompt_tokens: an estimate, for dialects that tell the figure before the provider does."""
        self.status = reply.status
        self.content_type = reply.content_type if reply.status < 400 else "application/json"
        self.retry_after_seconds = reply.retry_after_seconds
        self.request_id = reply.request_id
        self._reply = reply
        self._client = dialect_named(request.dialect)
        self._reader = dialect_named(target.dialect).reader(usage_wanted=True)
        self._model = target.model
        self._prompt_tokens = prompt_tokens
        self._translator: StreamTranslator
        if self._client is OPENAI:
            self._translator = ToOpenAIStream(model=target.model, created=int(time.time()), usage_wanted=True)
        else:
            self._translator = ToAnthropicStream(model=target.model, prompt_tokens=prompt_tokens)
        self._splitter = EventSplitter()
        self._failure: UpstreamFailed | None = None

    async def read(self, within_seconds: float | None) -> bytes:
        body = await self._reply.read(within_seconds)
        if self.status >= 400:
            message, code = OPENAI.error_message(body)  # it reads the errors of either dialect
            return self._client.error_body(self.status, message, code=code)
        if self._client is OPENAI:
            return to_openai_answer(body, model=self._model, created=int(time.time()))
        return to_anthropic_answer(body, model=self._model, prompt_tokens=self._prompt_tokens)

    async def chunk(self, within_seconds: float) -> bytes:
        """Translated events as they come. What was said before a failure is said before the failure is raised."""
        while True:
            if self._failure is not None:
                raise self._failure
            chunk = await self._reply.chunk(within_seconds)
            if self._reader.done:
                return chunk and self._client.keep_alive  # nothing of what comes behind the end is looked at
            said = self._translated(chunk)
            if said or not chunk:
                if not chunk and self._failure is not None:
                    raise self._failure
                return said

    def close(self) -> None:
        self._reply.close()

    def _translated(self, chunk: bytes) -> bytes:
        parts: list[bytes] = []
        try:
            for event in self._splitter.feed(chunk) if chunk else self._rest():
                payload = self._reader.take(event)
                if payload is not None:
                    parts.append(self._translator.take(payload))
                elif self._reader.done:
                    break
                else:
                    parts.append(self._client.keep_alive)
            if self._reader.done or (not chunk and self._reader.finished):
                self._reader.done = True
                parts.append(self._translator.end())
        except UpstreamFailed as failure:
            self._failure = failure
        return b"".join(parts)

    def _rest(self) -> list[bytes]:
        rest = self._splitter.finish()
        return [rest.rstrip(b"\r\n") + b"\n\n"] if rest else []


class InOpenAI:
    """An `Upstream` for those who speak OpenAI's dialect only, whatever the target speaks."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def send(
        self, target: Target, body: bytes, *, streamed: bool, within_seconds: float | None, forwarded: Mapping[str, str]
    ) -> Reply:
        if target.dialect == OPENAI.name:
            return await self._upstream.send(
                target, body, streamed=streamed, within_seconds=within_seconds, forwarded=forwarded
            )
        request = read_chat_request(body)
        crossed = _body(said_for(request, target), target, ask_for_usage=False)
        reply = await self._upstream.send(
            target, crossed, streamed=streamed, within_seconds=within_seconds, forwarded=forwarded
        )
        return CrossedReply(reply, request, target)
