"""What does a language model make of the answer, asked with a fixed rubric over HTTP?"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from judges.contracts import Comparison, Judgment
from judges.errors import JudgeUnavailable
from judges.injection import injections
from judges.rubric_prompt import read_verdict, render

_RETRIABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_MISCONFIGURED = frozenset({401, 403, 404})
_MAX_RETRY_AFTER_SECONDS = 10.0
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricSettings:
    """Where the model is and what it costs. base_url: of an OpenAI-compatible API, without `/chat/completions`.

    Prices in USD per million tokens; a local model has an explicit 0.
    """

    base_url: str
    model: str
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    api_key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 30.0
    max_retries: int = 2
    backoff_seconds: float = 0.5
    max_tokens: int = 400
    concurrency: int = 4
    extra_body: Mapping[str, Any] = field(default_factory=dict)


class RubricJudge:
    """An LLM asked once per comparison. What it says counts only if its last line is a verdict; else it abstains.

    An acceptance of an answer that talks to the judge is not believed: that is an abstention. A failed call is an
    abstention with its reason. Cost: one call each, counted also where the verdict could not be read.
    """

    name = "rubric@1"

    def __init__(
        self, settings: RubricSettings, *, client: httpx.AsyncClient | None = None, rng: random.Random | None = None
    ) -> None:
        self._settings = settings
        self._client = client
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order. Raises JudgeUnavailable where key, address or model is refused."""
        if self._client is not None:
            return await self._all(comparisons, self._client)
        async with httpx.AsyncClient() as client:
            return await self._all(comparisons, client)

    async def _all(self, comparisons: Sequence[Comparison], client: httpx.AsyncClient) -> list[Judgment]:
        places = asyncio.Semaphore(self._settings.concurrency)

        async def one(comparison: Comparison) -> Judgment:
            async with places:
                return await self._one(comparison, client)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(c)) for c in comparisons]
        except* JudgeUnavailable as failures:
            raise failures.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _one(self, comparison: Comparison, client: httpx.AsyncClient) -> Judgment:
        started = time.perf_counter()
        try:
            body = await self._ask(render(comparison), client)
        except _CallFailedError as failed:
            return self._abstain(f"unavailable: {failed}", Decimal(0), started)
        cost = self._cost(body)
        reply, finish_reason = _reply(body)
        if finish_reason == "length":
            return self._abstain("the model's reply was cut off", cost, started)
        reading = read_verdict(reply)
        if reading is None:
            return self._abstain("the model's verdict could not be read", cost, started)
        spoken_to = injections(comparison.answer, (comparison.prompt, comparison.context, comparison.reference))
        if reading.accepted and spoken_to:
            return self._abstain("accepted, but the answer addresses the judge", cost, started)
        default = 0.85 if reading.accepted else 0.15
        return Judgment(
            judge=self.name,
            verdict="accept" if reading.accepted else "reject",
            score=default if reading.score is None else reading.score,
            rationale=reading.reasons or "no reasons given",
            cost_usd=cost,
            latency_seconds=time.perf_counter() - started,
        )

    def _abstain(self, reason: str, cost: Decimal, started: float) -> Judgment:
        seconds = time.perf_counter() - started
        return Judgment(
            judge=self.name, verdict="abstain", score=None, rationale=reason, cost_usd=cost, latency_seconds=seconds
        )

    async def _ask(self, prompt: str, client: httpx.AsyncClient) -> Mapping[str, Any]:
        settings = self._settings
        payload = {
            "model": settings.model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0,
            "max_tokens": settings.max_tokens,
            **settings.extra_body,
        }
        headers = {"authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        url = f"{settings.base_url.rstrip('/')}/chat/completions"
        reason = "never asked"
        for attempt in range(settings.max_retries + 1):
            wait = settings.backoff_seconds * 2**attempt * self._rng.uniform(0.5, 1.5)
            try:
                async with asyncio.timeout(settings.timeout_seconds):
                    response = await client.post(url, json=payload, headers=headers, timeout=settings.timeout_seconds)
            except (httpx.TimeoutException, TimeoutError):
                reason = f"no reply within {settings.timeout_seconds:g} s"
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
                raise JudgeUnavailable(f"rubric: {settings.base_url} is no usable address: {exc}") from exc
            except httpx.HTTPError as exc:
                reason = f"{type(exc).__name__}: {exc}".rstrip(": ")
            else:
                if response.status_code in _MISCONFIGURED:
                    raise JudgeUnavailable(
                        f"rubric: {settings.base_url} answered {response.status_code}; check key, address and model"
                    )
                if response.status_code == httpx.codes.OK:
                    return _json_object(response)
                reason = f"status {response.status_code}"
                if response.status_code not in _RETRIABLE:
                    break
                wait = max(wait, _retry_after_seconds(response))
            if attempt < settings.max_retries:
                await asyncio.sleep(wait)
        raise _CallFailedError(reason)

    def _cost(self, body: Mapping[str, Any]) -> Decimal:
        usage = body.get("usage")
        if not isinstance(usage, Mapping):
            return Decimal(0)
        tokens = [
            n if isinstance(n := usage.get(k), int) and n >= 0 else 0 for k in ("prompt_tokens", "completion_tokens")
        ]
        return (
            tokens[0] * self._settings.input_usd_per_mtok + tokens[1] * self._settings.output_usd_per_mtok
        ) / _MILLION


class _CallFailedError(Exception):
    """One call failed for good; never leaves this module."""


def _json_object(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError as exc:
        raise _CallFailedError("the reply is not JSON") from exc
    if not isinstance(body, Mapping):
        raise _CallFailedError("the reply is no JSON object")
    return body


def _reply(body: Mapping[str, Any]) -> tuple[str, str | None]:
    """Text and finish reason of the first choice; empty text where the body has another shape."""
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    content = message.get("content") if isinstance(message, Mapping) else None
    reason = first.get("finish_reason") if isinstance(first, Mapping) else None
    return content if isinstance(content, str) else "", reason if isinstance(reason, str) else None


def _retry_after_seconds(response: httpx.Response) -> float:
    try:
        seconds = float(response.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_SECONDS) if math.isfinite(seconds) else 0.0
