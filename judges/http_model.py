"""How is a model behind an OpenAI-compatible API asked, when is it asked again, and when is it left alone?"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

import httpx

from judges.chat import CallFailedError, Output, Reply
from judges.errors import JudgeUnavailable
from judges.patience import Patience
from judges.replies import (
    Rates,
    billed_usd,
    estimated_tokens,
    first_choice,
    json_object,
    retry_after_seconds,
    said_why,
)

_RETRIABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_MISCONFIGURED = frozenset({401, 403, 404})
#: A provider that wants to be left alone for longer is: nobody sits and waits for it.
_LONGEST_WAIT_SECONDS = 10.0
_MAX_BODY_BYTES = 4_000_000


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


@dataclass(slots=True)
class _Bill:
    """What the attempts at one reply have cost so far. waiting: one was sent and is not answered."""

    in_full_usd: Decimal
    cost_usd: Decimal = Decimal(0)
    waiting: bool = False

    def given_up(self) -> None:
        if self.waiting:
            self.cost_usd, self.waiting = self.cost_usd + self.in_full_usd, False


class HttpModel:
    """A model behind an OpenAI-compatible API. Asked again, with growing waits, where that can help and time allows.

    One that keeps failing is left alone for a while (`judges.patience`): calls then fail at once and cost nothing.
    """

    def __init__(
        self,
        settings: ModelSettings,
        *,
        client: httpx.AsyncClient | None = None,
        rng: random.Random | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.settings = settings
        self._client = client
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._patience = patience or Patience()
        self._rates = Rates(
            input_usd_per_mtok=settings.input_usd_per_mtok, output_usd_per_mtok=settings.output_usd_per_mtok
        )
        self._refused: set[str] = set()  # fields that this model does not take

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
        if wait := self._patience.wait_seconds():
            raise CallFailedError(f"it kept failing and is not asked for another {wait:.0f} s")
        most = self._rates.cost_usd(estimated_tokens(prompt), self.settings.max_tokens)
        bill = _Bill(in_full_usd=most)
        try:
            async with asyncio.timeout(self.settings.deadline_seconds):
                if self._client is not None:
                    body = await self._attempts(prompt, schema, self._client, bill)
                else:
                    async with httpx.AsyncClient(verify=_tls(), trust_env=False) as client:
                        body = await self._attempts(prompt, schema, client, bill)
        except TimeoutError:
            bill.given_up()
            self._patience.failed()
            reason = f"no reply within {self.settings.deadline_seconds:g} s in all"
            raise CallFailedError(reason, cost_usd=bill.cost_usd) from None
        text, cut_off = first_choice(body)
        cost = bill.cost_usd + billed_usd(body, self._rates, prompt=prompt, text=text)
        return Reply(text=text, cut_off=cut_off, cost_usd=cost)

    async def _attempts(
        self, prompt: str, schema: Mapping[str, Any] | None, client: httpx.AsyncClient, bill: _Bill
    ) -> Mapping[str, Any]:
        settings = self.settings
        ends = asyncio.get_running_loop().time() + settings.deadline_seconds
        attempt, reason = 0, "never asked"
        while attempt <= settings.max_retries:
            wait = settings.backoff_seconds * 2**attempt * self._rng.uniform(0.5, 1.5)
            pause = 0.0
            try:
                status, headers, body = await self._post(prompt, schema, client, bill)
            except (httpx.TimeoutException, TimeoutError):
                bill.given_up()
                reason = f"no reply within {settings.timeout_seconds:g} s"
            except httpx.HTTPError as exc:
                reason = _without_key(f"{type(exc).__name__}: {exc}".rstrip(": "), settings.api_key)
            else:
                if status == httpx.codes.OK:
                    value = None if body is None else json_object(body)
                    if value is not None:
                        self._patience.succeeded()
                        return value
                    bill.cost_usd += self._rates.cost_usd(estimated_tokens(prompt), 0)
                    self._patience.failed()
                    raise CallFailedError("the reply is not a JSON object", cost_usd=bill.cost_usd)
                why = said_why(body or b"")
                reason = _without_key(f"status {status}" + (f": {why}" if why else ""), settings.api_key)
                if status in _MISCONFIGURED:
                    self._patience.failed()
                    raise JudgeUnavailable(f"{settings.base_url} answered {status}; check key, address and model")
                if status == httpx.codes.BAD_REQUEST and self._adapted(why):
                    continue
                if status not in _RETRIABLE:
                    raise CallFailedError(reason, cost_usd=bill.cost_usd)
                asked_for = retry_after_seconds(headers)
                wait, pause = max(wait, asked_for), asked_for if asked_for > _LONGEST_WAIT_SECONDS else 0.0
            self._patience.failed(wait_seconds=pause)
            attempt += 1
            if self._patience.resting or asyncio.get_running_loop().time() + wait >= ends:
                break
            if attempt <= settings.max_retries:
                await asyncio.sleep(wait)
        raise CallFailedError(reason, cost_usd=bill.cost_usd)

    async def _post(
        self, prompt: str, schema: Mapping[str, Any] | None, client: httpx.AsyncClient, bill: _Bill
    ) -> tuple[int, Mapping[str, str], bytes | None]:
        """Status, headers and body of one attempt; no body where it is longer than any reply. Raises: as httpx does."""
        settings = self.settings
        url = f"{settings.base_url.rstrip('/')}/chat/completions"
        limit = settings.timeout_seconds
        try:
            headers = {"authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
            request = client.build_request(
                "POST",
                url,
                json=self._payload(prompt, schema),
                headers=headers,
                timeout=httpx.Timeout(limit, connect=min(limit / 2, _LONGEST_WAIT_SECONDS)),
            )
        except UnicodeEncodeError:
            raise JudgeUnavailable(f"{settings.base_url}: the key is not usable") from None
        except httpx.InvalidURL as exc:
            raise JudgeUnavailable(f"{settings.base_url} is no usable address: {exc}") from exc
        bill.waiting = True
        try:
            async with asyncio.timeout(limit):
                response = await client.send(request, stream=True)
                try:
                    body = await _bounded(response)
                finally:
                    await response.aclose()
        except (httpx.TimeoutException, TimeoutError) as exc:
            bill.waiting = not isinstance(exc, httpx.ConnectTimeout | httpx.PoolTimeout)
            raise
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeEncodeError) as exc:
            bill.waiting = False
            what = "address" if isinstance(exc, httpx.UnsupportedProtocol) else "key"
            raise JudgeUnavailable(f"{settings.base_url}: the {what} is not usable") from None
        except httpx.HTTPError:
            bill.waiting = False
            raise
        bill.waiting = False
        return response.status_code, response.headers, body

    def _payload(self, prompt: str, schema: Mapping[str, Any] | None) -> dict[str, Any]:
        limit = "max_completion_tokens" if "max_tokens" in self._refused else "max_tokens"
        payload: dict[str, Any] = {
            "model": self.settings.model,
            "messages": [{"role": "user", "content": prompt}],
            limit: self.settings.max_tokens,
        }
        if "temperature" not in self._refused:
            payload["temperature"] = 0
        if schema is not None:
            named = {"name": "verdict", "strict": True, "schema": schema}
            payload["response_format"] = {"type": "json_schema", "json_schema": named}
        return {**payload, **self.settings.extra_body}

    def _adapted(self, why: str) -> bool:
        """Whether a refused request can be said otherwise. Models that think take neither `temperature` nor `max_tokens`."""
        new = {name for name in ("max_tokens", "temperature") if name in why} - self._refused
        self._refused |= new
        return bool(new)


async def _bounded(response: httpx.Response) -> bytes | None:
    """The body, or None where it does not end within what a reply can be long."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            return None
    return bytes(body)


def _without_key(text: str, api_key: str | None) -> str:
    return text.replace(api_key, "***") if api_key else text


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates takes longer than all the rest of a call."""
    return httpx.create_ssl_context(trust_env=False)
