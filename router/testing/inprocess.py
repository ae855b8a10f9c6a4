"""How does a test ask the inline path without a server, a spool or a network?

`Front` wires the real parts around a `ScriptedUpstream` and takes requests as the application would. It belongs to the running
event loop, which may be an `InstantLoop`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.asgi import Client, Message
from router.chat import read_chat_request
from router.contracts import Exchange, Hints, Policy, PolicySource
from router.decider import Decider
from router.gate import Gate
from router.health import Health
from router.inline import Inline
from router.pins import Pins
from router.pool import build_pool
from router.rules import Rules
from router.scorers.choice import scorer_for
from router.settings import RouterSettings
from router.telemetry import Telemetry
from router.testing.completions import MODEL_SUFFIX
from router.testing.upstream import ScriptedUpstream
from router.wiring import answering


@dataclass(slots=True, kw_only=True)
class Received:
    """What a client got. status 0: nothing, it left before."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False  # the response was ended
    seconds: float = 0.0

    @property
    def model(self) -> str:
        return self.headers.get("x-shadow-model", "").removesuffix(MODEL_SUFFIX)

    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(slots=True)
class _Recorder:
    exchanges: list[Exchange] = field(default_factory=list)

    async def record(self, exchange: Exchange) -> bool:
        self.exchanges.append(exchange)
        return True


@dataclass(frozen=True, slots=True)
class _Fixed:
    policy: Policy

    def current(self) -> Policy:
        return self.policy


class Front:
    """The inline path of one router."""

    def __init__(
        self, settings: RouterSettings, upstream: ScriptedUpstream, *, policy: PolicySource | None = None
    ) -> None:
        clock = asyncio.get_running_loop().time
        pool = build_pool(settings, {})
        parts = answering(settings, pool, upstream, clock=clock)
        routing = settings.routing
        policy = policy or _Fixed(Policy(version=1, thresholds=routing.thresholds, band=routing.band))
        self._clock = clock
        self._pool = pool
        self._recorder = _Recorder()
        self.health: Health = parts.health
        self.dispatcher = parts.dispatcher
        self._inline = Inline(
            pool=pool,
            decider=Decider(
                gate=Gate.of(pool.tiers, pool.windows(), Rules.of(settings.routing.rules)),
                scorer=scorer_for(settings.routing.scorer, pool.tiers),
                policy=policy,
            ),
            dispatcher=parts.dispatcher,
            coalescer=parts.coalescer,
            recorder=self._recorder,
            telemetry=Telemetry(pool, parts.health, policy, None),
            routing=settings.routing,
            clock=clock,
            pins=Pins(pool, settings, policy, {}),
        )

    @property
    def exchanges(self) -> list[Exchange]:
        return self._recorder.exchanges

    async def ask(
        self,
        *,
        model: str = "auto",
        request_id: str = "request-1",
        hold: bool | None = None,
        key_id: str | None = None,
        leaves_after_seconds: float | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Received:
        """One request: "What is the capital of France?", with more `fields` if given."""
        messages = [{"role": "user", "content": "What is the capital of France?"}]
        request = read_chat_request(orjson.dumps({"model": model, "messages": messages, **(fields or {})}))
        received = Received()
        began = self._clock()

        async def receive() -> Message:
            if leaves_after_seconds is None:
                await asyncio.Event().wait()
            left = (leaves_after_seconds or 0.0) - (self._clock() - began)
            await asyncio.sleep(max(0.0, left))
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                received.status = message["status"]
                received.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
                return
            received.body += message["body"]
            received.whole = not message.get("more_body", False)

        await self._inline.serve(
            Client(receive, send),
            request,
            request_id=request_id,
            pin=self._pool.pin_for(request.model),
            hints=Hints(),
            key_id=key_id,
            forwarded={},
            hold=hold,
        )
        received.seconds = self._clock() - began
        return received
