"""How is one model asked, and what makes its answer an answer?

Three ways to ask: for a whole answer; for a stream that is passed on as it comes; for a stream that is *held* back until it
is complete, so that a fault in its middle can still be rescued by somebody else. Whole and held answers are inspected, and
a flawed one sends the request to the tiers above (the *cascade*) as far as the configuration allows. Whom to ask is `Search`'s
business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import orjson

from router.answers import Answer
from router.cascade import Cascade
from router.chat import ChatRequest
from router.complaints import complaint_kind
from router.crossing import ask_across
from router.dialects.known import OPENAI, dialect_named
from router.errors import UpstreamFailed
from router.health import Health
from router.inspection import Inspector
from router.journal import Journal
from router.pool import Target
from router.results import Completed, Refused, Trial
from router.retries import is_transient
from router.search import Search
from router.splice import splice, with_model
from router.streaming import Relay
from router.upstream import MAX_REPLY_BYTES, Reply, Upstream

_OURS = frozenset({401, 402, 404, 407})
_REFUSAL_READ_SECONDS = 10.0
_DRAIN_SECONDS = 0.02
_NO_STREAMS = ("application/json", "text/html")
_JSON = b"application/json"
_EVENTS = b"text/event-stream; charset=utf-8"


class Dispatcher:
    """Gets an answer from somebody. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        health: Health,
        search: Search,
        inspector: Inspector,
        cascade: Cascade,
        clock: Callable[[], float],
    ) -> None:
        self._upstream = upstream
        self._health = health
        self._search = search
        self._inspector = inspector
        self._cascade = cascade
        self._clock = clock
        self._without_usage: set[str] = set()  # providers found not to know `stream_options`

    async def complete(
        self, plan: Sequence[Target], journal: Journal, forwarded: Mapping[str, str]
    ) -> Completed | Refused:
        """A whole answer; of a streamed request, all of its events. Raises: AllFailed."""
        ask = self._held if journal.held else self._whole
        call = partial(ask, journal, forwarded)
        result = await self._search.run(plan, journal, call)
        if isinstance(result, Refused) or result.flaw is None:
            return result
        return await self._cascade.climb(result, plan, journal, partial(self._search.run, journal=journal, call=call))

    async def open_stream(
        self, plan: Sequence[Target], journal: Journal, forwarded: Mapping[str, str]
    ) -> Relay | Refused:
        """A stream that has begun. The caller reads it and then says `stream_ended`. Raises: AllFailed."""
        return await self._search.run(plan, journal, partial(self._open, journal, forwarded))

    def stream_ended(self, relay: Relay, journal: Journal, outcome: str) -> None:
        """Note how a stream came out: "ok", "cancelled" or the kind of its failure."""
        answer = relay.answer()
        if outcome == "ok":
            self._health.succeeded(relay.target.key)
        elif outcome == "cancelled":
            self._health.abandoned(relay.target.key)
        else:
            self._health.failed(relay.target.key)
        latency = self._clock() - relay.clock_sent
        journal.attempted(relay.target, outcome, latency, usage=journal.usage_of(answer), http_status=200)

    async def _whole(self, journal: Journal, forwarded: Mapping[str, str], trial: Trial) -> Completed | Refused:
        target = trial.target
        reply: Reply | None = None
        try:
            async with asyncio.timeout(target.timeout_seconds):
                reply = await self._send(target, journal, None, forwarded)
                body = await reply.read(None)
        except TimeoutError as error:
            if reply is not None:
                reply.close()
            raise UpstreamFailed("timeout", f"no answer within {target.timeout_seconds:g} s") from error
        except asyncio.CancelledError:
            if reply is not None:
                reply.close()
            raise
        if reply.status >= 400:
            return self._refused(trial, reply, body, journal)
        return self._completed(trial, reply, body, self._read(journal, body), journal, _JSON)

    async def _held(self, journal: Journal, forwarded: Mapping[str, str], trial: Trial) -> Completed | Refused:
        """A stream, read to its end before anybody sees it."""
        relay = await self._open(journal, forwarded, trial)
        if isinstance(relay, Refused):
            return relay
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._search.left_seconds(journal)):
                while (piece := await relay.next_piece()) is not None:
                    pieces.append(piece)
                    size += len(piece)
                    if size > MAX_REPLY_BYTES:
                        raise UpstreamFailed("bad_body", f"more than {MAX_REPLY_BYTES} bytes", http_status=200)
        except BaseException as error:
            relay.close()
            trial.usage = journal.usage_of(relay.answer())  # what was said until now is billed
            if isinstance(error, TimeoutError):
                raise UpstreamFailed("timeout", "the deadline came before the end", http_status=200) from error
            raise
        await relay.drain(_DRAIN_SECONDS)
        return self._completed(trial, relay.reply, b"".join([*pieces, relay.final]), relay.answer(), journal, _EVENTS)

    async def _open(self, journal: Journal, forwarded: Mapping[str, str], trial: Trial) -> Relay | Refused:
        target = trial.target
        reply = await self._send(target, journal, target.first_token_seconds, forwarded)
        try:
            if reply.status >= 400:
                return self._refused(trial, reply, await reply.read(_REFUSAL_READ_SECONDS), journal)
            if reply.content_type.lower().startswith(_NO_STREAMS):
                if "json" in reply.content_type.lower():
                    trial.usage = self._read(journal, await reply.read(_REFUSAL_READ_SECONDS)).usage
                raise UpstreamFailed("bad_body", f"no stream but {reply.content_type[:80]}", http_status=reply.status)
            relay = Relay(
                target,
                reply,
                dialect=dialect_named(journal.request.dialect),
                usage_wanted=journal.request.usage_wanted,
                clock=self._clock,
                clock_sent=trial.clock_sent,
            )
            await relay.open(max(0.001, target.first_token_seconds - (self._clock() - trial.clock_sent)))
        except BaseException:
            reply.close()
            raise
        return relay

    def _completed(
        self, trial: Trial, reply: Reply, body: bytes, answer: Answer, journal: Journal, content_type: bytes
    ) -> Completed:
        target = trial.target
        self._health.succeeded(target.key)
        flaw, validation = self._inspector.inspect(journal.request, answer)
        latency = self._clock() - trial.clock_sent
        journal.attempted(target, flaw or "ok", latency, usage=journal.usage_of(answer), http_status=reply.status)
        return Completed(
            target=target,
            body=body,
            content_type=content_type,
            answer=answer,
            request_id=reply.request_id,
            flaw=flaw,
            validation=validation,
        )

    def _refused(self, trial: Trial, reply: Reply, body: bytes, journal: Journal) -> Refused:
        """Raises: UpstreamFailed where the complaint is about something of ours."""
        target, status = trial.target, reply.status
        kind = complaint_kind(body)
        if kind == "stream_options" and self._asks_for_usage(target, journal.request):
            self._without_usage.add(target.provider)
            raise UpstreamFailed("stream_options", "the endpoint does not know stream_options", http_status=status)
        if status == 403 and kind != "content_filter":
            raise UpstreamFailed("http_403", http_status=status)
        self._health.abandoned(target.key)  # a complaint about the request says nothing about the model
        outcome = "refused" if kind == "other" else kind
        journal.attempted(target, outcome, self._clock() - trial.clock_sent, http_status=status)
        return Refused(
            target=target,
            kind=kind,
            status=status,
            body=body,
            content_type=reply.content_type,
            request_id=reply.request_id,
        )

    async def _send(
        self, target: Target, journal: Journal, within_seconds: float | None, forwarded: Mapping[str, str]
    ) -> Reply:
        """The reply, in the client's dialect whatever the target speaks."""
        request = journal.request
        ask_for_usage = self._asks_for_usage(target, request)
        if target.dialect == request.dialect:
            reply = await self._upstream.send(
                target,
                upstream_body(request, target, ask_for_usage=ask_for_usage),
                streamed=request.streamed,
                within_seconds=within_seconds,
                forwarded=forwarded,
            )
        else:
            reply = await ask_across(
                self._upstream,
                journal,
                target,
                ask_for_usage=ask_for_usage,
                within_seconds=within_seconds,
                forwarded=forwarded,
            )
        status = reply.status
        if 200 <= status < 300 or (400 <= status < 500 and status not in _OURS and not is_transient(status)):
            return reply
        reply.close()
        raise UpstreamFailed(f"http_{status}", http_status=status, retry_after_seconds=reply.retry_after_seconds)

    def _read(self, journal: Journal, body: bytes) -> Answer:
        return dialect_named(journal.request.dialect).read_answer(body)

    def _asks_for_usage(self, target: Target, request: ChatRequest) -> bool:
        """Does the router ask for the usage chunk on its own account?"""
        return (
            request.streamed
            and target.dialect == OPENAI.name
            and not (request.usage_wanted and request.dialect == OPENAI.name)
            and target.stream_usage
            and target.provider not in self._without_usage
        )


def upstream_body(request: ChatRequest, target: Target, *, ask_for_usage: bool) -> bytes:
    """The client's bytes with our model id, and with usage asked for when the answer is streamed."""
    body = with_model(request.body, target.model_json)
    if request.own_metadata is not None:
        body = splice(body, {"metadata": request.own_metadata})
    if ask_for_usage:
        options = request.fields.get("stream_options") or {}
        body = splice(body, {"stream_options": orjson.dumps({**options, "include_usage": True})})
    return body
