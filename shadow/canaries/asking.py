"""How is a model asked a canary, and what of its answer is behaviour? Text, refusal, log-probabilities; never its latency."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from router.answers import Answer as Said
from router.dialects.known import OPENAI, dialect_named
from router.dialects.translation import translated, translated_body
from router.errors import UpstreamFailed
from router.inspection import is_refusal
from router.pool import DIALECTS, endpoint
from router.pricing import Price
from router.settings import ModelSettings, ProviderSettings
from shadow.canaries.prompts import Canary
from shadow.settings import Settings
from shadow.store.canaries import CanaryAnswer
from shadow.store.engine import utc_now
from shadow.store.model_reports import Sighting

_OVERHEAD_TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer with what it cost and who says that it answered; sighting None where nobody did."""

    answer: CanaryAnswer
    cost_usd: Decimal = Decimal(0)
    sighting: Sighting | None = None


class Asker:
    """Asks one prompt at a time. A connection pool of its own: nothing here can touch a client's request."""

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str] = os.environ,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._environ = environ
        timeout = httpx.Timeout(settings.pins.canary.timeout_seconds, connect=10.0)
        self._client = httpx.AsyncClient(timeout=timeout, transport=transport, trust_env=False)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def ask(self, model: ModelSettings, price: Price, canary: Canary) -> Heard:
        """Never raises for what a provider does: the outcome says why there is no answer, as mirrors say it."""
        provider = self._settings.providers[model.provider]
        dialect = dialect_named(DIALECTS[provider.kind])
        key = self._environ.get(provider.api_key_env, "") if provider.api_key_env else None
        headers = {"content-type": "application/json", **dialect.key_headers(key)}
        said: Said | None = None
        raw = b""
        try:
            async with asyncio.timeout(self._settings.pins.canary.timeout_seconds):
                response = await self._client.post(
                    endpoint(provider), content=self._content(model, provider, canary), headers=headers
                )
            outcome = "ok" if response.status_code == 200 else f"http_{response.status_code}"
            if outcome == "ok":
                raw = response.content
                said = dialect.read_answer(raw)
        except (TimeoutError, httpx.TimeoutException):
            outcome = "timeout"
        except httpx.HTTPError:
            outcome = "connect"
        except UpstreamFailed:
            outcome = "bad_body"
        if said is None:
            return Heard(answer=CanaryAnswer(prompt_id=canary.id, outcome=outcome))
        return self._heard(model, price, canary, said, raw)

    def _content(self, model: ModelSettings, provider: ProviderSettings, canary: Canary) -> bytes:
        own = self._settings.pins.canary
        messages = [{"role": "system", "content": canary.system}] if canary.system else []
        body: dict[str, Any] = {
            "messages": [*messages, {"role": "user", "content": canary.prompt}],
            "max_tokens": canary.max_tokens,
        }
        if own.temperature is not None:
            body["temperature"] = own.temperature
        dialect = DIALECTS[provider.kind]
        if dialect == OPENAI.name:
            return json.dumps({**body, **({"logprobs": True} if own.logprobs else {}), "model": model.model}).encode()
        said = translated(body, dialect)
        return translated_body(
            said,
            dialect=dialect,
            model=model.model,
            url=endpoint(provider),
            default_max_tokens=provider.default_max_tokens,
        )

    def _heard(self, model: ModelSettings, price: Price, canary: Canary, said: Said, raw: bytes) -> Heard:
        usage = said.usage
        text = " ".join(f"{said.text} {said.refusal} {said.tool_calls}".split())
        return Heard(
            answer=CanaryAnswer(
                prompt_id=canary.id,
                outcome="ok",
                answer=text,
                refused=bool(said.refusal) or is_refusal(said.text),
                log_probability=mean_log_probability(raw) if self._settings.pins.canary.logprobs else None,
            ),
            cost_usd=Decimal(0)
            if usage is None
            else price.cost_usd(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens),
            sighting=Sighting(
                provider=model.provider,
                model=model.model,
                reported=said.model or model.model,
                fingerprint=said.fingerprint or "",
                at=utc_now(),
            ),
        )


def worst_case_usd(price: Price, canary: Canary) -> Decimal:
    """Two bytes a token for what is asked, and the whole token limit for the answer."""
    asked = len((canary.prompt + (canary.system or "")).encode("utf-8", "replace")) // 2 + _OVERHEAD_TOKENS
    return price.cost_usd(asked, canary.max_tokens)


def mean_log_probability(body: bytes) -> float | None:
    """Mean over the tokens of the first choice, to four digits; None where an answer holds none."""
    try:
        content = json.loads(body)["choices"][0]["logprobs"]["content"]
        values = [float(token["logprob"]) for token in content]
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    return round(sum(values) / len(values), 4) if values else None
