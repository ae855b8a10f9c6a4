"""How is one chat request served, from its decision to its last byte?

Nothing here waits for anything but the provider and the client. Whatever happens after the decision (an answer, a refusal,
a cut stream, a hang-up, a bug), exactly one exchange is recorded, and it is recorded before the last byte leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from router.asgi import JSON, Client
from router.chat import ChatRequest
from router.coalesce import Coalescer
from router.contracts import Exchange, Hints, Recorder
from router.decider import Decider
from router.dialects.known import dialect_named
from router.dispatch import Dispatcher
from router.errors import AllFailed, UpstreamFailed
from router.feedback_memory import RequestMemory
from router.feedback_retry import Retry
from router.headers import completed_headers, decision_headers, request_id_header, retry_after_header, stream_headers
from router.journal import Journal
from router.pins import Pins
from router.pool import Pin, Pool, Target
from router.results import Completed, Refused
from router.settings import RoutingSettings
from router.streaming import Relay
from router.telemetry import Telemetry

CLIENT_CLOSED_REQUEST = 499
_NO_HEADERS: Mapping[str, str] = {}
log = structlog.get_logger("router.inline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """Serves chat requests. `clock` is monotonic, in seconds."""

    pool: Pool
    decider: Decider
    dispatcher: Dispatcher
    recorder: Recorder
    telemetry: Telemetry
    routing: RoutingSettings
    clock: Callable[[], float]
    memory: RequestMemory | None = None  # of requests that a client may want answered again
    coalescer: Coalescer | None = None
    pins: Pins | None = None  # models in place of configured ones

    async def serve(
        self,
        client: Client,
        request: ChatRequest,
        *,
        request_id: str,
        pin: Pin | None,
        hints: Hints,
        key_id: str | None,
        forwarded: Mapping[str, str],
        retry: Retry | None = None,
        hold: bool | None = None,
        drop_unsupported: bool | None = None,
    ) -> None:
        """Decide, answer, record.

        retry: the client was not pleased with an earlier answer. hold: what the caller says about holding a streamed answer
        back; None: nothing. drop_unsupported: whether what can't be said in a model's dialect may be left out; None: as
        configured.
        """
        clock_started = self.clock()
        started_at = datetime.now(UTC)
        decided = await self.decider.decide(request, hints, pin, request_id=request_id, key_id=key_id)
        if retry is not None:
            decided = retry.applied_to(decided, self.pool)
        journal = Journal(
            request_id=request_id,
            started_at=started_at,
            clock_started=clock_started,
            request=request,
            hints=hints,
            decided=decided,
            mode=self.routing.mode,
            key_id=key_id,
            attempts=list(decided.attempts),
            retry_of=retry.of if retry is not None else None,
            held=request.streamed and (self.routing.hold == "full" if hold is None else hold),
            native_headers=_native(request, forwarded),
            drop_unsupported=self.routing.drop_unsupported if drop_unsupported is None else drop_unsupported,
        )
        tier = decided.decision.chosen
        if self.routing.mode == "observe" and pin is None and retry is None:
            tier = self.routing.observe_tier or self.pool.tiers[-1]
        chains = None if self.pins is None else self.pins.chains_for(request_id)
        plan = self.pool.plan(tier, pin, decided.needed_tokens, chains)
        await self._guarded(client, journal, plan, forwarded)

    async def _guarded(
        self, client: Client, journal: Journal, plan: tuple[Target, ...], forwarded: Mapping[str, str]
    ) -> None:
        """Answer for as long as the client listens."""
        task: asyncio.Task[Any] | None = asyncio.current_task()
        assert task is not None
        try:
            with client.cancelling(task):
                await self._answer(client, journal, plan, forwarded)
        except asyncio.CancelledError:
            await self._record(
                journal,
                status="cancelled",
                http_status=CLIENT_CLOSED_REQUEST,
                error_kind="client_disconnect" if client.gone else "shutdown",
            )
            if not client.gone:
                raise
            task.uncancel()
        finally:
            if journal.place is not None:
                journal.place.give_back()

    async def _answer(
        self, client: Client, journal: Journal, plan: tuple[Target, ...], forwarded: Mapping[str, str]
    ) -> None:
        """Answer, and turn every failure into a record and an error."""
        try:
            if journal.request.streamed and not journal.held:
                await self._stream(client, journal, plan, forwarded)
            else:
                await self._whole(client, journal, plan, forwarded)
        except AllFailed as failure:
            log.warning("request.failed", request_id=journal.request_id, status=failure.status, kind=failure.kind)
            await self._record(journal, status="failed", http_status=failure.status, error_kind=failure.kind)
            await client.respond(
                failure.status,
                dialect_named(journal.request.dialect).error_body(
                    failure.status, failure.message, kind="upstream_error", code=failure.kind
                ),
                [JSON, *decision_headers(journal), *retry_after_header(failure.retry_after_seconds)],
            )
        except Exception:
            log.exception("request.crashed", request_id=journal.request_id)
            await self._record(journal, status="failed", http_status=500, error_kind="internal")
            await self._apologise(client, journal)

    async def _whole(
        self, client: Client, journal: Journal, plan: tuple[Target, ...], forwarded: Mapping[str, str]
    ) -> None:
        answerer = self.dispatcher if self.coalescer is None else self.coalescer
        result = await answerer.complete(plan, journal, forwarded)
        if isinstance(result, Refused):
            await self._refuse(client, journal, result)
            return
        await self._record(
            journal,
            status="answered",
            http_status=200,
            served=result.target,
            answer=result.answer,
            first_token_seconds=self.clock() - journal.clock_started if journal.held else None,
            extra=_extra(result),
        )
        await client.respond(200, result.body, completed_headers(self.pool, journal, result))

    async def _stream(
        self, client: Client, journal: Journal, plan: tuple[Target, ...], forwarded: Mapping[str, str]
    ) -> None:
        relay = await self.dispatcher.open_stream(plan, journal, forwarded)
        if isinstance(relay, Refused):
            await self._refuse(client, journal, relay)
            return
        try:
            await client.begin(200, stream_headers(self.pool, journal, relay))
            while (piece := await relay.next_piece()) is not None:
                await client.piece(piece)
        except UpstreamFailed as failure:
            relay.close()
            self.dispatcher.stream_ended(relay, journal, failure.kind)
            log.warning("stream.broken", request_id=journal.request_id, kind=failure.kind)
            await self._record_stream(journal, relay, status="failed", error_kind=failure.kind)
            said = failure.detail if failure.kind == "error_event" else f"The answer broke off ({failure.kind})."
            await client.end(dialect_named(journal.request.dialect).error_event(said, failure.kind))
            return
        except BaseException as error:
            relay.close()
            gone = isinstance(error, asyncio.CancelledError)
            self.dispatcher.stream_ended(relay, journal, "cancelled")
            await self._record_stream(
                journal,
                relay,
                status="cancelled" if gone else "failed",
                error_kind=("client_disconnect" if client.gone else "shutdown") if gone else "internal",
            )
            raise
        self.dispatcher.stream_ended(relay, journal, "ok")
        await self._record_stream(journal, relay, status="answered", error_kind=None)
        await client.end(relay.final)
        await relay.drain()

    async def _refuse(self, client: Client, journal: Journal, refused: Refused) -> None:
        await self._record(
            journal,
            status="failed",
            http_status=refused.status,
            error_kind=refused.error_kind,
            extra=_ids(refused),
        )
        content_type = (b"content-type", (refused.content_type or "application/json").encode("latin-1", "replace"))
        headers = [content_type, *decision_headers(journal), *request_id_header(journal, refused.request_id)]
        await client.respond(refused.status, refused.body, headers)

    async def _record_stream(self, journal: Journal, relay: Relay, *, status: str, error_kind: str | None) -> None:
        first = relay.clock_first_event
        await self._record(
            journal,
            status=status,
            http_status=CLIENT_CLOSED_REQUEST if status == "cancelled" else 200,
            error_kind=error_kind,
            served=relay.target,
            answer=relay.answer(),
            first_token_seconds=None if first is None else first - journal.clock_started,
            extra=_ids(relay),
        )

    async def _record(self, journal: Journal, **outcome: Any) -> None:
        """Close the journal, once. A recorder with a bug must not cost the client its answer."""
        if journal.recorded:
            return
        journal.recorded = True
        exchange: Exchange = journal.exchange(
            self.pool, latency_seconds=self.clock() - journal.clock_started, **outcome
        )
        try:
            await self.recorder.record(exchange)
            self.telemetry.exchanged(exchange)
            if self.memory is not None and exchange.status == "answered" and exchange.served_tier is not None:
                self.memory.remember(
                    exchange.request_id,
                    body=journal.request.body,
                    dialect=exchange.dialect,
                    hints=exchange.hints,
                    key_id=exchange.key_id,
                    served_tier=exchange.served_tier,
                )
        except Exception:
            log.exception("exchange.lost", request_id=journal.request_id)

    async def _apologise(self, client: Client, journal: Journal) -> None:
        message = f"The router failed on this request (id {journal.request_id})."
        dialect = dialect_named(journal.request.dialect)
        if not client.begun:
            body = dialect.error_body(500, message, kind="internal_error", code="internal")
            await client.respond(500, body, [JSON, *decision_headers(journal)])
        elif not client.finished:
            await client.end(dialect.error_event(message, "internal") if journal.request.streamed else b"")


def _native(request: ChatRequest, forwarded: Mapping[str, str]) -> Mapping[str, str]:
    names = dialect_named(request.dialect).native_headers
    return {name: forwarded[name] for name in names if name in forwarded} if names else _NO_HEADERS


def _ids(result: Completed | Refused | Relay) -> dict[str, str]:
    return {"provider_request_id": result.request_id[:200]} if result.request_id else {}


def _extra(completed: Completed) -> dict[str, str]:
    extra = _ids(completed)
    if completed.flaw is not None:
        extra["flaw"] = completed.flaw
    if completed.validation is not None:
        extra["validation"] = completed.validation
    return extra
