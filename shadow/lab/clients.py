"""How is a request of the lab sent, and what came back? Two real HTTP clients: aiohttp for volume, the OpenAI SDK for realism."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
import orjson

from shadow.lab.audience import Arrival

#: Pooled connections are given up sooner than servers do (uvicorn: 5 s), so that no request meets a closing one.
_KEEP_ALIVE_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. text: of the first choice, None where the request failed for the reason `failure`."""

    status: int = 0
    text: str | None = None
    model: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    failure: str | None = None


class Client(Protocol):
    """Sends one request."""

    async def send(self, arrival: Arrival, model: str, max_tokens: int | None) -> Reply:
        """The reply; never raises for what a server or a network does."""
        ...


class HttpClient:
    """Raw HTTP. Used as an async context manager."""

    def __init__(self, base_url: str, *, timeout_seconds: float) -> None:
        self._url = f"{base_url}/chat/completions"
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, arrival: Arrival, model: str, max_tokens: int | None) -> Reply:
        if self._session is None:
            raise RuntimeError("enter the client before sending")
        content = orjson.dumps(arrival.body(model, max_tokens))
        headers = {**arrival.headers, "content-type": "application/json"}
        status = 0
        try:
            async with self._session.post(self._url, data=content, headers=headers) as response:
                status = response.status
                body = await response.read()
                if status != 200:
                    return Reply(status=status, headers=response.headers, failure=f"http_{status}")
                text, answered_by = read_stream(body) if arrival.streamed else read_whole(body)
                return Reply(status=status, text=text, model=answered_by, headers=response.headers)
        except TimeoutError:
            return Reply(status=status, failure="timeout")
        except (aiohttp.ClientError, ConnectionError):
            return Reply(status=status, failure="cut" if status else "connect")
        except CutError:
            return Reply(status=status, failure="cut")
        except (ValueError, KeyError, IndexError, TypeError):
            return Reply(status=status, failure="bad_body")


class CutError(Exception):
    """A stream ended before its end was marked."""


def read_whole(body: bytes) -> tuple[str, str | None]:
    """Text and model of a completion. Raises: ValueError, KeyError, IndexError, TypeError where it is none."""
    found = orjson.loads(body)
    return found["choices"][0]["message"]["content"] or "", found.get("model")


def read_stream(body: bytes) -> tuple[str, str | None]:
    """Text and model of a stream of chunks. Raises: as `read_whole`; CutError where the end mark is missing."""
    texts: list[str] = []
    model: str | None = None
    for line in body.splitlines():
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return "".join(texts), model
        chunk: dict[str, Any] = orjson.loads(data)
        model = chunk.get("model") or model
        texts += [c["delta"].get("content") or "" for c in chunk["choices"] if c.get("index", 0) == 0]
    raise CutError


class SdkClient:
    """The official OpenAI client, as most callers use it. Used as an async context manager."""

    def __init__(self, base_url: str, *, timeout_seconds: float) -> None:
        import openai

        self._openai = openai
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key="lab",
            max_retries=0,
            timeout=timeout_seconds,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=False),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def send(self, arrival: Arrival, model: str, max_tokens: int | None) -> Reply:
        body = arrival.body(model, max_tokens)
        status = 0
        try:
            raw = await self._client.chat.completions.with_raw_response.create(**body, extra_headers=arrival.headers)
            status = raw.status_code
            found: Any = raw.parse()
            if not arrival.streamed:
                text, answered_by = found.choices[0].message.content or "", found.model
            else:
                parts: list[str] = []
                answered_by = None
                async for chunk in found:
                    answered_by = chunk.model
                    parts += [choice.delta.content or "" for choice in chunk.choices if choice.index == 0]
                text = "".join(parts)
            return Reply(status=status, text=text, model=answered_by, headers=raw.headers)
        except self._openai.APIStatusError as exc:
            return Reply(status=exc.status_code, failure=f"http_{exc.status_code}")
        except self._openai.APITimeoutError:
            return Reply(status=status, failure="timeout")
        except self._openai.APIConnectionError:
            return Reply(status=status, failure="cut" if status else "connect")
        except (self._openai.OpenAIError, ValueError, TypeError, IndexError, AttributeError):
            return Reply(status=status, failure="bad_body")


def sdk_installed() -> bool:
    """Whether the official client can be used."""
    return find_spec("openai") is not None


async def open_clients(stack: AsyncExitStack, base_url: str, *, timeout_seconds: float) -> tuple[Client, Client]:
    """The client for volume and the one for realism; the same one twice where the SDK is not installed."""
    http = await stack.enter_async_context(HttpClient(base_url, timeout_seconds=timeout_seconds))
    if not sdk_installed():
        return http, http
    # Its import takes about a second: not on the loop that counts the time.
    await asyncio.to_thread(__import__, "openai")
    return http, await stack.enter_async_context(SdkClient(base_url, timeout_seconds=timeout_seconds))
