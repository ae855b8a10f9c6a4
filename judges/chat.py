"""How is a language model asked one prompt, and what did its reply cost? The port, and the adapter for HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

import httpx

from judges.errors import JudgeUnavailable

#: How a model is made to state its verdict: in one strict last line, or as an object of a JSON schema that its provider enforces.
Output = Literal["line", "json_schema"]

_RETRIABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_MISCONFIGURED = frozenset({401, 403, 404})
_MAX_RETRY_AFTER_SECONDS = 10.0
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Where a model is and what it costs. base_url: of an OpenAI-compatible API, without `/chat/completions`.

    Prices in USD per million tokens; a local model has an explicit 0. timeout_seconds: of one attempt; deadline_seconds: of
    all attempts and the waits between them.
    """

    base_url: str
    model: str
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    api_key: str | None = field(default=None, repr=False)
    output: Output = "line"
    timeout_seconds: float = 30.0
    deadline_seconds: float = 120.0
    max_retries: int = 2
    backoff_seconds: float = 0.5
    max_tokens: int = 400
    extra_body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model wrote. cut_off: it ran into the token limit, so that its last line is not the last one it meant."""

    text: str
    cut_off: bool
    cost_usd: Decimal


class CallFailedError(Exception):
    """One call failed for good, with its reason: an abstention of this model, never a grade."""


class ChatModel(Protocol):
    """A model that a judge asks."""

    @property
    def model(self) -> str:
        """The model id that the provider knows."""
        ...

    @property
    def output(self) -> Output:
        """How it is made to state its verdict."""
        ...

    @property
    def identity(self) -> str:
        """Changes with whatever can change a reply to the same prompt: address, model, limits. Holds no key."""
        ...

    async def ask(self, prompt: str, *, schema: Mapping[str, Any] | None = None) -> Reply:
        """One prompt, one reply. Raises: CallFailedError, JudgeUnavailable where key, address or model is refused."""
        ...


class HttpModel:
    """A model behind an OpenAI-compatible API. Asked again, with growing waits, where that can help and time allows."""

    def __init__(
        self, settings: ModelSettings, *, client: httpx.AsyncClient | None = None, rng: random.Random | None = None
    ) -> None:
        self.settings = settings
        self._client = client
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret

    @property
    def model(self) -> str:
        return self.settings.model

    @property
    def output(self) -> Output:
        return self.settings.output

    @property
    def identity(self) -> str:
        s = self.settings
        said = [s.base_url, s.model, s.output, s.max_tokens, dict(s.extra_body)]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()

    async def ask(self, prompt: str, *, schema: Mapping[str, Any] | None = None) -> Reply:
        """One prompt, one reply. Raises: CallFailedError, JudgeUnavailable."""
        try:
            async with asyncio.timeout(self.settings.deadline_seconds):
                if self._client is not None:
                    body = await self._attempts(prompt, schema, self._client)
                else:
                    async with httpx.AsyncClient() as client:
                        body = await self._attempts(prompt, schema, client)
        except TimeoutError:
            raise CallFailedError(f"no reply within {self.settings.deadline_seconds:g} s in all") from None
        text, reason = _first_choice(body)
        return Reply(text=text, cut_off=reason == "length", cost_usd=self._cost(body))

    async def _attempts(
        self, prompt: str, schema: Mapping[str, Any] | None, client: httpx.AsyncClient
    ) -> Mapping[str, Any]:
        settings = self.settings
        payload: dict[str, Any] = {
            "model": settings.model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0,
            "max_tokens": settings.max_tokens,
        }
        if schema is not None:
            named = {"name": "verdict", "strict": True, "schema": schema}
            payload["response_format"] = {"type": "json_schema", "json_schema": named}
        payload |= settings.extra_body
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
                raise JudgeUnavailable(f"{settings.base_url} is no usable address: {exc}") from exc
            except httpx.HTTPError as exc:
                reason = f"{type(exc).__name__}: {exc}".rstrip(": ")
            else:
                if response.status_code in _MISCONFIGURED:
                    raise JudgeUnavailable(
                        f"{settings.base_url} answered {response.status_code}; check key, address and model"
                    )
                if response.status_code == httpx.codes.OK:
                    return _json_object(response)
                reason = f"status {response.status_code}"
                if response.status_code not in _RETRIABLE:
                    break
                wait = max(wait, _retry_after_seconds(response))
            if attempt < settings.max_retries:
                await asyncio.sleep(wait)
        raise CallFailedError(reason)

    def _cost(self, body: Mapping[str, Any]) -> Decimal:
        usage = body.get("usage")
        if not isinstance(usage, Mapping):
            return Decimal(0)
        tokens = [
            n if isinstance(n := usage.get(k), int) and n >= 0 else 0 for k in ("prompt_tokens", "completion_tokens")
        ]
        return (tokens[0] * self.settings.input_usd_per_mtok + tokens[1] * self.settings.output_usd_per_mtok) / _MILLION


def _json_object(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError) as exc:
        raise CallFailedError("the reply is not JSON") from exc
    if not isinstance(body, Mapping):
        raise CallFailedError("the reply is no JSON object")
    return body


def _first_choice(body: Mapping[str, Any]) -> tuple[str, str | None]:
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
