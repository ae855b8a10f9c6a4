"""Which request goes where?

A plain ASGI application: on this path a framework costs more than everything the router does. `create_app` wires the parts
together and checks all that can be checked before the first request.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import orjson
import structlog
import uuid_utils

from router.asgi import JSON, Client, Headers, Message, Receive, Scope, Send
from router.auth import KeyRing
from router.contracts import PolicySource, Recorder
from router.decider import Decider
from router.dialects.contracts import Dialect
from router.dialects.known import ANTHROPIC, OPENAI
from router.errors import ClientGone, RequestRejected
from router.feedback import FeedbackRecorder
from router.feedback_desk import FeedbackDesk
from router.feedback_memory import RequestMemory
from router.gate import Gate
from router.hints import may_drop, read_hints, wants_hold
from router.inline import Inline
from router.pins import Pins
from router.pool import Pool, build_pool
from router.query_types.choice import query_types_for
from router.rules import Rules
from router.scorers.choice import asking_scorer_for, scorer_for
from router.sessions.memory import Sessions
from router.settings import RouterSettings, SessionSettings
from router.telemetry import SpoolHealth, Telemetry
from router.upstream import HttpUpstream
from router.wiring import answering

_CHATS = {"/v1/chat/completions": OPENAI, "/v1/messages": ANTHROPIC}
_MODELS = "/v1/models"
_FEEDBACK = "/v1/feedback"
_METHODS = {
    **dict.fromkeys(_CHATS, ("POST",)),
    _FEEDBACK: ("POST",),
    _MODELS: ("GET",),
    "/healthz": ("GET",),
    "/readyz": ("GET",),
    "/metrics": ("GET",),
}
_TRACING = ("traceparent", "tracestate")
_FORWARDED = {
    dialect.name: {name.encode(): name for name in (*_TRACING, *dialect.native_headers)}
    for dialect in (OPENAI, ANTHROPIC)
}
_NOWHERE = {
    "/v1/messages/count_tokens": "Tokens are not counted here: how many they are depends on the model that will answer,"
    " which is decided for each request."
}
log = structlog.get_logger("router.app")


class Resource(Protocol):
    """Something that lives as long as the application: a pool, a spool, a file that is followed."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...


def create_app(
    settings: RouterSettings,
    *,
    policy: PolicySource,
    recorder: Recorder,
    environ: Mapping[str, str] = os.environ,
    spool: SpoolHealth | None = None,
    feedback: FeedbackRecorder | None = None,
    resources: Sequence[Resource] = (),
) -> RouterApp:
    """Wire the router. `resources` start before and close after the connections to the providers, in reverse order.

    Raises: ConfigInvalid (PriceUnknown, ApiKeyMissing, HostNotAllowed, ModelUnusable).
    """
    keys = KeyRing.of(environ, host=settings.server.host)
    pool = build_pool(settings, environ)
    upstream = HttpUpstream()
    parts = answering(settings, pool, upstream)
    telemetry = Telemetry(pool, parts.health, policy, spool)
    scorer = scorer_for(settings.routing.scorer, pool.tiers)
    memory = _memory(settings)
    inline = Inline(
        pool=pool,
        decider=Decider(
            gate=Gate.of(pool.tiers, pool.windows(), Rules.of(settings.routing.rules)),
            scorer=scorer,
            policy=policy,
            asking=asking_scorer_for(settings, fallback=scorer, upstream=upstream, environ=environ),
            query_types=query_types_for(settings.routing.query_types),
            sessions=_sessions(settings.routing.sessions),
        ),
        dispatcher=parts.dispatcher,
        coalescer=parts.coalescer,
        recorder=recorder,
        telemetry=telemetry,
        routing=settings.routing,
        clock=time.monotonic,
        memory=memory,
        pins=Pins(pool, settings, policy, environ),
    )
    return RouterApp(
        inline=inline,
        desk=FeedbackDesk(inline=inline, pool=pool, recorder=feedback, memory=memory, telemetry=telemetry),
        pool=pool,
        keys=keys,
        telemetry=telemetry,
        spool=spool,
        max_body_bytes=settings.server.max_body_bytes,
        resources=(*resources, upstream, parts.checks),
    )


class RouterApp:
    """The ASGI application of the inline path."""

    def __init__(
        self,
        *,
        inline: Inline,
        desk: FeedbackDesk,
        pool: Pool,
        keys: KeyRing,
        telemetry: Telemetry,
        spool: SpoolHealth | None,
        max_body_bytes: int,
        resources: Sequence[Resource],
    ) -> None:
        self._inline = inline
        self._desk = desk
        self._pool = pool
        self._keys = keys
        self._telemetry = telemetry
        self._spool = spool
        self._max_body_bytes = max_body_bytes
        self._resources = tuple(resources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, Client(receive, send))
        elif kind == "lifespan":
            await self._lifespan(receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1003})

    async def _http(self, scope: Scope, client: Client) -> None:
        request_id = str(uuid_utils.uuid7())
        self._telemetry.in_progress += 1
        try:
            await self._route(scope, client, request_id)
        except RequestRejected as rejected:
            self._telemetry.rejected(rejected.status)
            body = _dialect_at(scope["path"]).error_body(
                rejected.status, rejected.message, kind=rejected.kind, code=rejected.code, param=rejected.param
            )
            await client.respond(rejected.status, body, [JSON, *_id_header(request_id), *_extra(scope, rejected)])
        except ClientGone:
            log.info("client.gone", request_id=request_id)
        except Exception:
            # Before a decision there is nothing to record, only somebody to answer.
            log.exception("request.crashed", request_id=request_id)
            if not client.begun:
                message = f"The router failed on this request (id {request_id})."
                body = _dialect_at(scope["path"]).error_body(500, message, kind="internal_error", code="internal")
                await client.respond(500, body, [JSON, *_id_header(request_id)])
        finally:
            self._telemetry.in_progress -= 1

    async def _route(self, scope: Scope, client: Client, request_id: str) -> None:
        path: str = scope["path"]
        method: str = "GET" if scope["method"] == "HEAD" else scope["method"]
        if method == "POST" and (dialect := _CHATS.get(path)) is not None:
            await self._chat(scope, client, request_id, dialect)
            return
        if path == _FEEDBACK and method == "POST":
            key_id = self._keys.check(scope["headers"])
            await self._desk.take(client, feedback_id=request_id, key_id=key_id, forwarded=_forwarded(scope["headers"]))
            return
        allowed = _METHODS.get(path) or (("GET",) if path.startswith(_MODELS + "/") else None)
        if allowed is None:
            raise RequestRejected(404, _NOWHERE.get(path, f"There is nothing at {path[:200]!r}."), code="not_found")
        if method not in allowed:
            raise RequestRejected(405, f"{path[:200]} takes {' or '.join(allowed)}.", code="method_not_allowed")
        if path == "/healthz":
            await client.respond(200, b'{"status":"ok"}', [JSON])
        elif path == "/readyz":
            await client.respond(200, self._readiness(), [JSON])
        else:
            self._keys.check(scope["headers"])
            if path == "/metrics":
                page = self._telemetry.page()
                await client.respond(200, page, [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")])
            else:
                await client.respond(200, self._models(path), [JSON, *_id_header(request_id)])

    async def _chat(self, scope: Scope, client: Client, request_id: str, dialect: Dialect) -> None:
        headers = scope["headers"]
        key_id = self._keys.check(headers)
        request = dialect.read_request(await client.read_body(self._max_body_bytes))
        await self._inline.serve(
            client,
            request,
            request_id=request_id,
            pin=self._pool.pin_for(request.model),
            hints=read_hints(headers, request.fields),
            key_id=key_id,
            hold=wants_hold(headers, request.fields) if request.streamed else None,
            forwarded=_forwarded(headers, dialect),
            drop_unsupported=may_drop(headers),
        )

    def _readiness(self) -> bytes:
        """The router can always serve; what may be degraded is the safety of its records."""
        reason = self._spool.degraded_reason() if self._spool is not None else None
        return orjson.dumps({"status": "degraded", "reason": reason} if reason else {"status": "ok"})

    def _models(self, path: str) -> bytes:
        names = self._pool.names()
        entries = [{"id": name, "object": "model", "created": 0, "owned_by": "shadowtier"} for name in names]
        if path == _MODELS:
            return orjson.dumps({"object": "list", "data": entries})
        wanted = path.removeprefix(_MODELS + "/")
        self._pool.pin_for(wanted)  # rejects what is not known
        return orjson.dumps(entries[names.index(wanted)])

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        started: list[Resource] = []
        while True:
            message: Message = await receive()
            if message["type"] == "lifespan.startup":
                for resource in self._resources:
                    await resource.start()
                    started.append(resource)
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                for resource in reversed(started):
                    await resource.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _sessions(settings: SessionSettings) -> Sessions | None:
    if not settings.enabled:
        return None
    return Sessions(
        likeness=settings.likeness,
        seconds=settings.minutes * 60,
        capacity=settings.capacity,
        clock=time.monotonic,
    )


def _memory(settings: RouterSettings) -> RequestMemory | None:
    kept = settings.routing.feedback_retry
    if not kept.seconds or not kept.megabytes:
        return None
    return RequestMemory(max_bytes=int(kept.megabytes * 1024 * 1024), seconds=kept.seconds, clock=time.monotonic)


def _dialect_at(path: str) -> Dialect:
    """In which dialect an error at a path is told."""
    return ANTHROPIC if path.startswith("/v1/messages") else OPENAI


def _forwarded(headers: Headers, dialect: Dialect = OPENAI) -> dict[str, str]:
    """What of a client's headers goes to a provider."""
    wanted = _FORWARDED[dialect.name]
    return {wanted[name]: value.decode("latin-1") for name, value in headers if name in wanted}


def _id_header(request_id: str) -> Headers:
    return [(b"x-shadow-request-id", request_id.encode())]


def _extra(scope: Scope, rejected: RequestRejected) -> Headers:
    if rejected.status == 405:
        allowed = _METHODS.get(scope["path"], ("GET",))
        return [(b"allow", ", ".join(allowed).encode())]
    if rejected.status == 401:
        return [(b"www-authenticate", b"Bearer")]
    return []
