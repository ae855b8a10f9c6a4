"""Who is asked, in which order, how often, and when is it time to give up?

A plan is a list of targets: the fallback chain of the chosen tier, then the tiers above it. For each target whose breaker
admits it:
- a connection that drops before the answer begins is tried again at once, one time (a pooled connection may have been
  closed by the provider at that very moment);
- connection errors, 429 and 5xx are retried up to `max_retries` times with jittered, doubling pauses, or after the provider's
  `Retry-After` where it names one; a pause beyond the deadline, or beyond `PATIENCE_SECONDS` when there is somebody else to
  ask, means moving on at once;
- time-outs and unreadable answers move on: asking the same model again costs the client the same wait again;
- 401, 402, 403, 404 and redirects are our own account's or configuration's trouble, so they move on as well;
- any other 4xx is the client's mistake: it passes through untouched and ends the search.
Every attempt is noted in the journal with its cost, the cancelled one too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

import orjson

from router.answers import Answer, read_answer
from router.chat import ChatRequest
from router.errors import AllFailed, UpstreamFailed
from router.health import Health
from router.journal import Journal
from router.pool import Target
from router.splice import splice, with_model
from router.streaming import Relay
from router.upstream import Reply, Upstream

PATIENCE_SECONDS = 2.0
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 2.0
_OURS = frozenset({401, 402, 403, 404, 407})
_TRANSIENT = frozenset({408, 425, 429})
_TIMEOUTS = frozenset({"timeout", "first_token", "idle"})
_REFUSAL_READ_SECONDS = 10.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A whole completion, as bytes and as facts."""

    target: Target
    body: bytes
    content_type: str
    answer: Answer
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The provider says that the client's request is at fault; its words pass through."""

    target: Target
    status: int
    body: bytes
    content_type: str
    request_id: str | None


class Dispatcher:
    """Gets an answer from somebody. `clock` is monotonic, `rng` makes the jitter."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        health: Health,
        clock: Callable[[], float],
        rng: Random,
        deadline_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._upstream = upstream
        self._health = health
        self._clock = clock
        self._rng = rng
        self._deadline_seconds = deadline_seconds
        self._sleep = sleep

    async def complete(
        self, plan: Sequence[Target], journal: Journal, forwarded: Mapping[str, str]
    ) -> Completed | Refused:
        """A whole answer. Raises: AllFailed."""

        async def call(target: Target) -> Completed | Refused:
            sent = self._clock()
            reply: Reply | None = None
            try:
                async with asyncio.timeout(target.timeout_seconds):
                    reply = await self._send(target, journal.request, None, forwarded)
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
                return self._refused(target, reply, body, journal, self._clock() - sent)
            answer = read_answer(body)
            self._health.succeeded(target.key)
            latency = self._clock() - sent
            journal.attempted(target, "ok", latency, usage=journal.usage_of(answer), http_status=reply.status)
            return Completed(
                target=target,
                body=body,
                content_type=reply.content_type,
                answer=answer,
                request_id=reply.request_id,
            )

        return await self._search(plan, journal, call)

    async def open_stream(
        self, plan: Sequence[Target], journal: Journal, forwarded: Mapping[str, str]
    ) -> Relay | Refused:
        """A stream that has begun. The caller reads it and then says `stream_ended`. Raises: AllFailed."""

        async def call(target: Target) -> Relay | Refused:
            sent = self._clock()
            reply = await self._send(target, journal.request, target.first_token_seconds, forwarded)
            try:
                if reply.status >= 400:
                    body = await reply.read(_REFUSAL_READ_SECONDS)
                    return self._refused(target, reply, body, journal, self._clock() - sent)
                if reply.content_type.lower().startswith("application/json"):
                    raise UpstreamFailed("bad_body", "a stream was asked for, JSON came", http_status=reply.status)
                relay = Relay(
                    target,
                    reply,
                    usage_wanted=journal.request.usage_wanted,
                    clock=self._clock,
                    clock_sent=sent,
                )
                await relay.open(max(0.001, target.first_token_seconds - (self._clock() - sent)))
            except BaseException:
                reply.close()
                raise
            return relay

        return await self._search(plan, journal, call)

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

    def _refused(self, target: Target, reply: Reply, body: bytes, journal: Journal, latency_seconds: float) -> Refused:
        self._health.abandoned(target.key)  # a complaint about the request says nothing about the model
        journal.attempted(target, "refused", latency_seconds, http_status=reply.status)
        return Refused(
            target=target,
            status=reply.status,
            body=body,
            content_type=reply.content_type,
            request_id=reply.request_id,
        )

    async def _send(
        self, target: Target, request: ChatRequest, within_seconds: float | None, forwarded: Mapping[str, str]
    ) -> Reply:
        reply = await self._upstream.send(
            target,
            upstream_body(request, target),
            streamed=request.streamed,
            within_seconds=within_seconds,
            forwarded=forwarded,
        )
        status = reply.status
        if 200 <= status < 300 or (400 <= status < 500 and status not in _OURS and status not in _TRANSIENT):
            return reply
        reply.close()
        raise UpstreamFailed(f"http_{status}", http_status=status, retry_after_seconds=reply.retry_after_seconds)

    async def _search(self, plan: Sequence[Target], journal: Journal, call: Callable[[Target], Awaitable[T]]) -> T:
        clock_deadline = journal.clock_started + self._deadline_seconds
        failures: list[UpstreamFailed] = []
        waits: list[float] = []
        for position, target in enumerate(plan):
            retries, may_resend = 0, True
            while self._clock() < clock_deadline:
                if not self._health.admits(target.key):
                    waits.append(self._health.retry_after_seconds(target.key))
                    break
                sent = self._clock()
                try:
                    return await call(target)
                except UpstreamFailed as failure:
                    journal.attempted(target, failure.kind, self._clock() - sent, http_status=failure.http_status)
                    if failure.kind == "reset" and may_resend:
                        self._health.abandoned(target.key)
                        may_resend = False
                        continue
                    self._health.failed(target.key)
                    failures.append(failure)
                    left = clock_deadline - self._clock()
                    alone = position + 1 == len(plan)
                    pause = pause_seconds(failure, retries=retries, left_seconds=left, alone=alone, rng=self._rng)
                    if pause is None or retries >= target.max_retries:
                        break
                except BaseException as error:
                    # A cancelled attempt, or a bug of ours: neither speaks against the model.
                    self._health.abandoned(target.key)
                    kind = "cancelled" if isinstance(error, asyncio.CancelledError) else "internal"
                    journal.attempted(target, kind, self._clock() - sent)
                    raise
                retries += 1
                await self._sleep(pause)
        raise _all_failed(plan, failures, waits)


def pause_seconds(
    failure: UpstreamFailed, *, retries: int, left_seconds: float, alone: bool, rng: Random
) -> float | None:
    """Seconds until the same model is asked again; None: do not. alone: nobody else is left to ask."""
    if not (failure.kind in ("connect", "reset") or _is_transient(failure.http_status, failure.kind)):
        return None
    pause = failure.retry_after_seconds
    if pause is None:
        ceiling = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**retries)
        pause = ceiling * (0.5 + 0.5 * rng.random())
    limit = left_seconds if alone else min(left_seconds, PATIENCE_SECONDS)
    return pause if pause <= limit else None


def upstream_body(request: ChatRequest, target: Target) -> bytes:
    """The client's bytes with our model id, and with usage asked for when the answer is streamed."""
    body = with_model(request.body, target.model_json)
    if request.streamed and not request.usage_wanted:
        options = request.fields.get("stream_options") or {}
        body = splice(body, {"stream_options": orjson.dumps({**options, "include_usage": True})})
    return body


def _is_transient(status: int | None, kind: str) -> bool:
    return kind.startswith("http_") and status is not None and (status in _TRANSIENT or status >= 500)


def _all_failed(plan: Sequence[Target], failures: Sequence[UpstreamFailed], waits: Sequence[float]) -> AllFailed:
    """What the client is told: 429 if all were rate limits, 503 if nobody could be asked, 504 if time ran out, else 502."""
    asked = ", ".join(dict.fromkeys(f"{target.tier}/{target.model}" for target in plan))
    if not failures:
        wait = max(1.0, min(waits, default=1.0))
        return AllFailed(
            503, "unavailable", f"No model is available at the moment ({asked}).", retry_after_seconds=wait
        )
    kinds = ", ".join(dict.fromkeys(failure.kind for failure in failures))
    message = f"No model could answer ({asked}): {kinds}."
    last = failures[-1]
    if all(failure.http_status == 429 for failure in failures):
        named = [f.retry_after_seconds for f in failures if f.retry_after_seconds is not None]
        return AllFailed(429, last.kind, message, retry_after_seconds=max(1.0, min(named, default=1.0)))
    status = 504 if last.kind in _TIMEOUTS else 502
    return AllFailed(status, last.kind, message)
