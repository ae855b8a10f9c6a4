"""How is a shadow completion obtained? Own pools, own budget, own time limits; nothing here can touch a client's request.

A shadow completion is never served, its tool calls are never executed, and its cost goes to the shadow ledger.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import orjson

from router.pricing import Price
from router.settings import ModelSettings
from shadow.sampling import Target
from shadow.settings import Settings
from shadow.store.samples import Answer

#: Never sent along: they concern the client's connection or its account, not the answer.
_DROPPED = ("stream", "stream_options", "metadata", "user", "store", "service_tier", "n", "prompt_cache_key")
_TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504, 529}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A mirrored call before it is made. worst_case_usd: input tokens and the whole token limit, at the dearest model."""

    target: Target
    body: Mapping[str, Any]
    worst_case_usd: Decimal


class Mirror:
    """Asks the models of a tier, in the order of its fallback chain, for a completion of a recorded request."""

    def __init__(
        self,
        settings: Settings,
        prices: Mapping[tuple[str, str], Price],
        *,
        environ: Mapping[str, str] = os.environ,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._prices = prices
        self._environ = environ
        limits = httpx.Limits(max_connections=settings.sampling.concurrency * 2, max_keepalive_connections=8)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(settings.sampling.timeout_seconds, connect=10.0),
            limits=limits,
            transport=transport,
            trust_env=False,
        )
        self._tiers = {tier.name: tier for tier in settings.tiers}

    async def aclose(self) -> None:
        await self._client.aclose()

    def plan(self, target: Target, request_body: str) -> Call | None:
        """The call for a target; None if the tier is gone from the configuration or the body can't be read."""
        tier = self._tiers.get(target.tier)
        try:
            body = json.loads(request_body)
        except ValueError:
            return None
        if tier is None or not isinstance(body, dict):
            return None
        limit = self._settings.sampling.max_completion_tokens
        mirrored = {name: value for name, value in body.items() if name not in _DROPPED}
        name = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
        asked = body.get(name)
        mirrored[name] = min(asked, limit) if isinstance(asked, int) and asked > 0 else limit
        # Four bytes a token would be the mean; two is safe for any language a provider bills.
        prompt_tokens = len(request_body.encode("utf-8", "replace")) // 2 + 16
        worst = max(
            self._prices[model.provider, model.model].cost_usd(prompt_tokens, mirrored[name]) for model in tier.models
        )
        return Call(target=target, body=mirrored, worst_case_usd=worst)

    async def ask(self, call: Call) -> Answer:
        """The completion, or an answer whose outcome says why there is none. Never raises for what a provider does.

        Outcomes other than "ok": connect, timeout, http_<status>, bad_body. Cost: what the provider billed, all models tried.
        """
        answer = Answer(
            tier=call.target.tier, repeat=call.target.repeat, served=False, pi=call.target.pi, outcome="no_model"
        )
        for model in self._tiers[call.target.tier].models:
            answer = await self._ask_model(call, model)
            if answer.outcome == "ok":
                break
        return answer

    async def _ask_model(self, call: Call, model: ModelSettings) -> Answer:
        provider = self._settings.providers[model.provider]
        headers = {"content-type": "application/json"}
        if provider.api_key_env:
            headers["authorization"] = f"Bearer {self._environ.get(provider.api_key_env, '')}"
        began = time.monotonic()
        outcome, content = "ok", {}
        try:
            async with asyncio.timeout(self._settings.sampling.timeout_seconds):
                response = await self._client.post(
                    f"{provider.base_url}/chat/completions",
                    content=json.dumps({**call.body, "model": model.model}),
                    headers=headers,
                )
            if response.status_code != 200:
                outcome = f"http_{response.status_code}"
            else:
                content = orjson.loads(response.content)
        except (TimeoutError, httpx.TimeoutException):
            outcome = "timeout"
        except httpx.HTTPError:
            outcome = "connect"
        except orjson.JSONDecodeError:
            outcome = "bad_body"
        return self._read(call, model, content, outcome, time.monotonic() - began)

    def _read(self, call: Call, model: ModelSettings, content: Any, outcome: str, seconds: float) -> Answer:
        usage = content.get("usage") if isinstance(content, dict) else None
        usage = usage if isinstance(usage, dict) else {}
        prompt_tokens = _count(usage.get("prompt_tokens"))
        completion_tokens = _count(usage.get("completion_tokens"))
        details = usage.get("prompt_tokens_details")
        cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
        text, finish_reason = None, None
        if outcome == "ok":
            try:
                choice = content["choices"][0]
                message, finish_reason = choice["message"], choice.get("finish_reason")
                text = _text(message)
            except (KeyError, IndexError, TypeError, AttributeError):
                outcome = "bad_body"
        price = self._prices[model.provider, model.model]
        return Answer(
            tier=call.target.tier,
            repeat=call.target.repeat,
            served=False,
            pi=call.target.pi,
            outcome=outcome,
            model=str(content.get("model") or model.model) if isinstance(content, dict) else model.model,
            completion=text,
            finish_reason=finish_reason if isinstance(finish_reason, str) else None,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            cost_usd=price.cost_usd(prompt_tokens, completion_tokens, cached),
            latency_seconds=seconds,
        )


def is_transient(outcome: str) -> bool:
    """Whether asking again later may help."""
    if outcome.startswith("http_"):
        return int(outcome.removeprefix("http_")) in _TRANSIENT
    return outcome in {"connect", "timeout", "bad_body"}


def _text(message: Mapping[str, Any]) -> str:
    """The answer as one text; tool calls are recorded as what they are, text, and never executed."""
    parts = [message["content"]] if isinstance(message.get("content"), str) else []
    if message.get("tool_calls"):
        parts.append(orjson.dumps(message["tool_calls"]).decode())
    return "\n".join(parts).strip()


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
