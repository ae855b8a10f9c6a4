"""What if there were a provider whose every answer is known to be right or wrong? One that speaks the OpenAI chat API.

`python -m shadow.lab.provider --port 0 --seed 1` serves the models of the lab's tiers and prints one line of JSON with its
port when ready. Each call draws anew whether it succeeds, so that the same question asked twice may get two answers.
`POST /lab/faults` makes it fail (see `shadow.lab.faults`), `GET /lab/faults` tells what is in force. `POST /lab/impostors` lets
another model answer in the name of one (see `shadow.lab.impostors`), `POST /lab/slips` makes one worse (see `shadow.lab.slips`).
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from shadow.lab.asgi import (
    Connection,
    Receive,
    Scope,
    Send,
    build_server,
    fail,
    lifespan,
    listen,
    read_body,
    reply,
    stream_out,
)
from shadow.lab.candidates import CANDIDATES
from shadow.lab.faults import FaultPlan
from shadow.lab.impostors import Impostor, read_impostors
from shadow.lab.processes import announce
from shadow.lab.seeds import stream
from shadow.lab.slips import read_slips
from shadow.lab.tiers import TIERS, LabTier
from shadow.lab.tokens import conversation_tokens, count_tokens
from shadow.lab.wire import Completion, cut_to, error_body, models_body
from shadow.lab.world import World
from shadow.process import die_with_parent

LATENCY_SPREAD = 0.35
_STREAM_PIECES = 8
_MAX_CHOICES = 16
_CREATED = 1_777_593_600  # 2026-05-01, when the models of the lab are said to have come out
_GENERIC = {
    "terse": "I can help with that.",
    "plain": "I can help with that. Could you tell me a bit more?",
    "thorough": "I'd be glad to help with that. Could you tell me a bit more about what you have in mind?",
}


class Provider:
    """The ASGI application. latency_scale: factor on the tiers' latencies, 0 = none. latency_spread: sigma of their logarithm."""

    def __init__(
        self,
        world: World,
        *,
        latency_scale: float = 1.0,
        latency_spread: float = LATENCY_SPREAD,
        faults: FaultPlan | None = None,
    ) -> None:
        self.world = world
        self.faults = faults if faults is not None else FaultPlan()
        self.impostors: dict[str, Impostor] = {}
        self.slips: dict[tuple[str, str], float] = {}
        self.calls: Counter[str] = Counter()
        self._latency_scale = latency_scale
        self._latency_spread = latency_spread
        self._tiers = {tier.model: (index, tier) for index, tier in enumerate(world.tiers)}
        self._asked: Counter[tuple[int, int]] = Counter()
        self._luck = stream(world.seed, "provider")
        self._prompt_tokens: dict[int, int] = {}

    @property
    def models(self) -> frozenset[str]:
        return frozenset(self._tiers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        match scope["method"], scope["path"]:
            case "POST", "/v1/chat/completions":
                await self._complete(scope, receive, send)
            case "GET", "/v1/models":
                await reply(send, 200, models_body(sorted(self._tiers), _CREATED))
            case "GET", "/healthz":
                await reply(send, 200, orjson.dumps({"status": "ok", "calls": dict(self.calls)}))
            case "GET", "/lab/faults":
                await reply(send, 200, orjson.dumps(self.faults.as_json()))
            case "POST", "/lab/faults":
                await self._set_faults(receive, send)
            case "POST", "/lab/impostors":
                await self._set_impostors(receive, send)
            case "POST", "/lab/slips":
                await self._set_slips(receive, send)
            case _, path:
                await reply(send, 404, error_body(f"no such path: {path}", "invalid_request_error"))

    async def _set_faults(self, receive: Receive, send: Send) -> None:
        try:
            self.faults.update(orjson.loads(await read_body(receive)), self.models)
        except ValueError as exc:
            await reply(send, 400, error_body(str(exc), "invalid_request_error"))
            return
        await reply(send, 200, orjson.dumps(self.faults.as_json()))

    async def _set_impostors(self, receive: Receive, send: Send) -> None:
        try:
            self.impostors = read_impostors(orjson.loads(await read_body(receive)), self.models)
        except ValueError as exc:
            await reply(send, 400, error_body(str(exc), "invalid_request_error"))
            return
        await reply(send, 200, orjson.dumps({"impostors": sorted(self.impostors)}))

    async def _set_slips(self, receive: Receive, send: Send) -> None:
        try:
            self.slips = read_slips(orjson.loads(await read_body(receive)), self.models)
        except ValueError as exc:
            await reply(send, 400, error_body(str(exc), "invalid_request_error"))
            return
        await reply(send, 200, orjson.dumps({"slips": len(self.slips)}))

    async def _complete(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = orjson.loads(await read_body(receive))
            model, messages = str(body["model"]), list(body["messages"])
        except (ValueError, KeyError, TypeError):
            await reply(send, 400, error_body("the body must be JSON with model and messages", "invalid_request_error"))
            return
        if model not in self._tiers:
            text = f"The model `{model}` does not exist or you do not have access to it."
            await reply(send, 404, error_body(text, "invalid_request_error", "model_not_found"))
            return
        self.calls[model] += 1
        fault = self.faults.strike(model, self._luck)
        if fault is not None and fault.mode != "cut":
            await fail(fault, Connection(scope, receive), send)
            return
        impostor = self.impostors.get(model, Impostor())
        column, tier = self._tiers[impostor.answers_as or model]
        named = self._tiers[model][1]
        completion = replace(
            self._answer(column, tier, body, messages),
            model=impostor.reports or model,
            system_fingerprint=named.system_fingerprint if impostor.reports is None else f"fp_{impostor.reports}",
        )
        seconds = tier.latency_seconds * self._latency_scale * math.exp(self._luck.gauss(0.0, self._latency_spread))
        broken = None if fault is None else Connection(scope, receive)
        if body.get("stream"):
            options = body.get("stream_options")
            usage = isinstance(options, dict) and bool(options.get("include_usage"))
            await stream_out(send, completion.events(_STREAM_PIECES, include_usage=usage), seconds, broken)
            return
        await asyncio.sleep(seconds)
        await reply(send, 200, completion.body(), broken=broken)

    def _answer(self, column: int, tier: LabTier, body: dict[str, Any], messages: Sequence[Any]) -> Completion:
        texts, item = self._texts(column, tier, body, messages)
        counts = [count_tokens(text) for text in texts]
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        finish = "stop"
        if isinstance(limit, int) and max(counts) > limit > 0:
            texts = [cut_to(text, tokens, limit) for text, tokens in zip(texts, counts, strict=True)]
            counts = [min(tokens, limit) for tokens in counts]
            finish = "length"
        return Completion(
            completion_id=f"chatcmpl-lab{self._luck.getrandbits(64):016x}",
            created=int(time.time()),
            model=tier.model,
            system_fingerprint=tier.system_fingerprint,
            texts=tuple(texts),
            finish_reason=finish,
            prompt_tokens=self._count_prompt(item, messages),
            completion_tokens=sum(counts),
            with_logprobs=bool(body.get("logprobs")),
        )

    def _texts(
        self, column: int, tier: LabTier, body: dict[str, Any], messages: Sequence[Any]
    ) -> tuple[list[str], int | None]:
        """The choices and the item that was asked. A stream of its own for the n-th call keeps runs comparable."""
        wanted = body.get("n")
        choices = min(wanted, _MAX_CHOICES) if isinstance(wanted, int) and wanted > 0 else 1
        item = self.world.index_of([message for message in messages if isinstance(message, dict)])
        if item is None:
            return [_GENERIC[tier.style]] * choices, None
        texts = []
        slip = self.slips.get((tier.model, self.world.items[item].kind), 0.0)
        for _ in range(choices):
            rng = stream(self.world.seed, "call", item, tier.model, self._asked[item, column])
            self._asked[item, column] += 1
            success = self.world.draw_success(item, column, rng) and not (slip and self._luck.random() < slip)
            texts.append(self.world.items[item].write(success, tier.style, rng))
        return texts, item

    def _count_prompt(self, item: int | None, messages: Sequence[Any]) -> int:
        known = None if item is None or len(messages) > 2 else self._prompt_tokens.get(item)
        if known is not None:
            return known
        tokens = conversation_tokens([_text(m.get("content")) for m in messages if isinstance(m, dict)])
        if item is not None and len(messages) <= 2:
            self._prompt_tokens[item] = tokens
        return tokens


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop. Exit code 2: an argument is wrong or the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m shadow.lab.provider", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--candidates", action="store_true", help="serve models that could take the middle one's place, too"
    )
    parser.add_argument("--items", type=int, default=1200, help="number of distinct tasks")
    parser.add_argument("--latency-scale", type=float, default=1.0, help="factor on the tiers' latencies; 0: none")
    spread = "sigma of the logarithm of a latency; 0: always the same"
    parser.add_argument("--latency-spread", type=float, default=LATENCY_SPREAD, help=spread)
    parser.add_argument("--faults", default="{}", help='JSON as for POST /lab/faults, e.g. {"*": {"mode": "down"}}')
    options = parser.parse_args(arguments)
    die_with_parent()
    try:
        provider = Provider(
            World(options.seed, options.items, (*TIERS, *(CANDIDATES.values() if options.candidates else ()))),
            latency_scale=options.latency_scale,
            latency_spread=options.latency_spread,
        )
        provider.faults.update(read_json(options.faults), provider.models)
        sock = listen(options.host, options.port)
    except (ValueError, OSError) as exc:
        sys.stderr.write(f"lab provider: {exc}\n")
        return 2
    announce(port=sock.getsockname()[1], models=[tier.model for tier in provider.world.tiers])
    build_server(provider).run(sockets=[sock])
    return 0


def read_json(text: str) -> object:
    """The value of a JSON text. Raises: ValueError."""
    value: object = orjson.loads(text)
    return value


if __name__ == "__main__":
    sys.exit(main())
