"""How is a shadow completion obtained? Own pools, own budget, own time limits; nothing here can touch a client's request.

A shadow completion is never served, its tool calls are never executed, and its cost goes to the shadow ledger.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from router.answers import Answer as Said
from router.answers import Usage
from router.dialects.known import dialect_named
from router.dialects.translation import translated, translated_body
from router.errors import PriceUnknown, UpstreamFailed
from router.pool import DIALECTS, endpoint
from router.pricing import Price
from router.settings import ModelSettings, ProviderSettings
from shadow.sampling.draws import Target
from shadow.settings import Settings
from shadow.store.engine import utc_now
from shadow.store.model_reports import Sighting
from shadow.store.samples import Answer, Sample
from shadow.upgrades.pins import price_of

#: Never sent along: they concern the client's connection or its account, not the answer.
_DROPPED = ("stream", "stream_options", "metadata", "user", "store", "service_tier", "n", "prompt_cache_key")
_LIMITS = ("max_completion_tokens", "max_tokens")
_TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504, 529}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A mirrored call before it is made, in the client's dialect.

    models: the fallback chain to ask, each with its price. worst_case_usd: input tokens and the whole token limit, at the
    dearest model.
    """

    target: Target
    models: tuple[tuple[ModelSettings, Price], ...]
    body: Mapping[str, Any]
    dialect: str
    native_headers: Mapping[str, str]
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
        self._sightings: deque[Sighting] = deque(maxlen=1_000)  # where nobody asks for them the oldest are let go

    def sightings(self) -> list[Sighting]:
        """What providers said of the models that answered since the last time somebody asked."""
        found = list(self._sightings)
        self._sightings.clear()
        return found

    async def aclose(self) -> None:
        await self._client.aclose()

    def plan(
        self, target: Target, sample: Sample, chains: Mapping[str, Sequence[ModelSettings]] | None = None
    ) -> Call | None:
        """The call for a target; None if the tier is gone from the configuration, a price is, or the body can't be read.

        chains: the models to ask in the name of a tier, where these are others than configured.
        """
        models = self._models(target.tier, chains or {})
        try:
            body = json.loads(sample.request_body)
        except ValueError:
            return None
        if models is None or not isinstance(body, dict):
            return None
        mirrored = {name: value for name, value in body.items() if name not in _DROPPED}
        name = next((name for name in _LIMITS if name in body), _LIMITS[-1])
        limit = mirrored[name] = _limit(body, name, self._settings.sampling.max_completion_tokens)
        # Four bytes a token would be the mean; two is safe for any language a provider bills.
        prompt_tokens = len(sample.request_body.encode("utf-8", "replace")) // 2 + 16
        worst = max(price.cost_usd(prompt_tokens, limit) for _, price in models)
        return Call(
            target=target,
            models=models,
            body=mirrored,
            dialect=sample.dialect,
            native_headers=sample.native_headers,
            worst_case_usd=worst,
        )

    def _models(
        self, name: str, chains: Mapping[str, Sequence[ModelSettings]]
    ) -> tuple[tuple[ModelSettings, Price], ...] | None:
        tier = self._tiers.get(name)
        wanted = chains.get(name) or (None if tier is None else tier.models)
        if wanted is None:
            return None
        try:
            return tuple((model, self._price(model)) for model in wanted)
        except PriceUnknown:
            return None

    def _price(self, model: ModelSettings) -> Price:
        """Raises: PriceUnknown, as for a provider that is gone from the configuration."""
        if model.provider not in self._settings.providers:
            raise PriceUnknown([f"provider {model.provider!r} is not configured"])
        known = self._prices.get((model.provider, model.model))
        return price_of(self._settings, model) if known is None else known

    async def ask(self, call: Call) -> Answer:
        """The completion, or an answer whose outcome says why there is none. Never raises for what a provider does.

        Outcomes other than "ok": connect, timeout, http_<status>, bad_body, unsupported (the model's dialect has no word for a
        field). Cost: what the provider billed, all models tried.
        """
        answer = Answer(
            tier=call.target.tier, repeat=call.target.repeat, served=False, pi=call.target.pi, outcome="no_model"
        )
        for model, price in call.models:
            answer = await self._ask_model(call, model, price)
            if answer.outcome == "ok":
                break
        return answer

    async def _ask_model(self, call: Call, model: ModelSettings, price: Price) -> Answer:
        provider = self._settings.providers[model.provider]
        content = self._content(call, model, provider)
        if content is None:
            return _answer(call, model.model, "unsupported")
        dialect = dialect_named(DIALECTS[provider.kind])
        key = self._environ.get(provider.api_key_env, "") if provider.api_key_env else None
        headers = {"content-type": "application/json", **dialect.key_headers(key)}
        if dialect.name == call.dialect:
            headers |= call.native_headers
        began = time.monotonic()
        said: Said | None = None
        try:
            async with asyncio.timeout(self._settings.sampling.timeout_seconds):
                response = await self._client.post(endpoint(provider), content=content, headers=headers)
            outcome = "ok" if response.status_code == 200 else f"http_{response.status_code}"
            if outcome == "ok":
                said = dialect.read_answer(response.content)
        except (TimeoutError, httpx.TimeoutException):
            outcome = "timeout"
        except httpx.HTTPError:
            outcome = "connect"
        except UpstreamFailed:
            outcome = "bad_body"
        if said is not None and not (said.text or said.tool_calls or said.finish_reason):
            outcome = "bad_body"
        return self._read(call, model, price, said, outcome, time.monotonic() - began)

    def _content(self, call: Call, model: ModelSettings, provider: ProviderSettings) -> bytes | None:
        """The request in the provider's dialect; None where it can't be said there and nothing may be left out."""
        dialect = DIALECTS[provider.kind]
        if dialect == call.dialect:
            return json.dumps({**call.body, "model": model.model}).encode()
        said = translated(call.body, dialect)
        if said.lost and not self._settings.routing.drop_unsupported:
            return None
        limit = provider.default_max_tokens
        return translated_body(
            said, dialect=dialect, model=model.model, url=endpoint(provider), default_max_tokens=limit
        )

    def _read(
        self, call: Call, model: ModelSettings, price: Price, said: Said | None, outcome: str, seconds: float
    ) -> Answer:
        if said is None:
            return _answer(call, model.model, outcome, latency_seconds=seconds)
        usage = said.usage or Usage(prompt_tokens=0, completion_tokens=0)
        if outcome == "ok":
            self._sightings.append(
                Sighting(
                    provider=model.provider,
                    model=model.model,
                    reported=said.model or model.model,
                    fingerprint=said.fingerprint or "",
                    at=utc_now(),
                )
            )
        return _answer(
            call,
            said.model or model.model,
            outcome,
            completion=_text(said) if outcome == "ok" else None,
            finish_reason=said.finish_reason,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cost_usd=price.cost_usd(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens),
            latency_seconds=seconds,
        )


def _answer(call: Call, model: str, outcome: str, **known: Any) -> Answer:
    target = call.target
    return Answer(
        tier=target.tier, repeat=target.repeat, served=False, pi=target.pi, outcome=outcome, model=model, **known
    )


def is_transient(outcome: str) -> bool:
    """Whether asking again later may help."""
    if outcome.startswith("http_"):
        return int(outcome.removeprefix("http_")) in _TRANSIENT
    return outcome in {"connect", "timeout", "bad_body"}


def _text(said: Said) -> str:
    """The answer as one text; tool calls are recorded as what they are, text, and never executed."""
    return f"{said.text}\n{said.tool_calls}".strip()


def _limit(body: Mapping[str, Any], name: str, cap_tokens: int) -> int:
    """The token limit of a mirrored call. What a model may think is on top of the cap: a limit below it would be refused."""
    asked = body.get(name)
    thinking = body.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if isinstance(budget, int) and budget > 0:
        cap_tokens += budget
    return min(asked, cap_tokens) if isinstance(asked, int) and asked > 0 else cap_tokens
