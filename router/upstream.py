"""How is one call made to a provider, and what do its failures mean?

The port is `Upstream`; the adapter speaks HTTP by aiohttp (several times the throughput of httpx on this path). Foreign
errors are translated here, once, into `UpstreamFailed`. The key goes into a header and nowhere else.
"""

from __future__ import annotations

import asyncio
import io
import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Protocol

import aiohttp
from aiohttp.payload import BytesPayload
from multidict import CIMultiDict
from yarl import URL

from router.dialects.known import dialect_named
from router.errors import UpstreamFailed
from router.pool import Target

CONNECT_SECONDS = 5.0
MAX_REPLY_BYTES = 64 * 1024 * 1024
_WRITE_IN_PIECES_BYTES = 512 * 1024


class Reply(Protocol):
    """The head of a provider's answer; the body is still to be read."""

    status: int
    content_type: str
    retry_after_seconds: float | None
    request_id: str | None

    async def read(self, within_seconds: float | None) -> bytes:
        """The whole body; None: the caller keeps the time. Raises: UpstreamFailed."""
        ...

    async def chunk(self, within_seconds: float) -> bytes:
        """The next bytes as they come, b"" at the end. Raises: UpstreamFailed ("idle" after silence)."""
        ...

    def close(self) -> None:
        """Give the connection up unless the body was read to its end. The provider notices, and stops working."""
        ...


class Upstream(Protocol):
    """Where completions come from."""

    async def send(
        self, target: Target, body: bytes, *, streamed: bool, within_seconds: float | None, forwarded: Mapping[str, str]
    ) -> Reply:
        """Send a request and wait for the head of the answer, whatever its status.

        within_seconds None: the caller keeps the time. Raises: UpstreamFailed.
        """
        ...


class HttpUpstream:
    """Endpoints of every dialect over HTTP, with pooled keep-alive connections. One per process; `start` it in its loop."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._prepared: dict[tuple[str, tuple[str, str], bool], tuple[URL, CIMultiDict[str]]] = {}

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=15),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self, target: Target, body: bytes, *, streamed: bool, within_seconds: float | None, forwarded: Mapping[str, str]
    ) -> Reply:
        if self._session is None:
            raise RuntimeError("HttpUpstream.start() has not been called")
        url, headers = self._prepare(target, streamed)
        if forwarded:
            headers = CIMultiDict(headers)
            headers.update(forwarded)
        # Said what it is, or the client library goes looking for somebody who can send bytes.
        data = BytesPayload(body) if len(body) < _WRITE_IN_PIECES_BYTES else io.BytesIO(body)
        call = self._session.post(url, data=data, headers=headers, allow_redirects=False)
        try:
            if within_seconds is None:
                response = await call
            else:
                async with asyncio.timeout(within_seconds):
                    response = await call
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise translated(error, waiting="first_token" if streamed else "timeout") from error
        return _HttpReply(response)

    def _prepare(self, target: Target, streamed: bool) -> tuple[URL, CIMultiDict[str]]:
        key = (target.url, target.key, streamed)
        if (prepared := self._prepared.get(key)) is None:
            # In the type that the client library works on: anything else is converted for every request.
            headers = CIMultiDict(
                {
                    "Content-Type": "application/json",
                    "Accept": "text/event-stream" if streamed else "application/json",
                    "Accept-Encoding": "identity",
                    "User-Agent": "shadowtier",
                }
            )
            headers.update(dialect_named(target.dialect).key_headers(target.api_key))
            prepared = self._prepared[key] = (URL(target.url), headers)
        return prepared


class _HttpReply:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        headers = response.headers
        self.content_type = headers.get("Content-Type", "")
        self.retry_after_seconds = None if response.status < 400 else parse_retry_after(headers, time.time())
        self.request_id = headers.get("x-request-id") or headers.get("request-id")

    async def read(self, within_seconds: float | None) -> bytes:
        try:
            if within_seconds is None:
                body = await self._read()
            else:
                async with asyncio.timeout(within_seconds):
                    body = await self._read()
        except (aiohttp.ClientError, OSError) as error:
            self.close()
            raise translated(error, waiting="timeout", started=True) from error
        self._response.release()
        return body

    async def _read(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        content = self._response.content
        while part := await content.readany():
            parts.append(part)
            size += len(part)
            if size > MAX_REPLY_BYTES:
                self.close()
                raise UpstreamFailed("bad_body", f"more than {MAX_REPLY_BYTES} bytes", http_status=self.status)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def chunk(self, within_seconds: float) -> bytes:
        try:
            async with asyncio.timeout(within_seconds):
                return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            self.close()
            raise translated(error, waiting="idle", started=True) from error

    def close(self) -> None:
        self._response.close()


def translated(error: Exception, *, waiting: str, started: bool = False) -> UpstreamFailed:
    """The one place where foreign errors get a name. `waiting` names a time-out, `started`: the answer had begun."""
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL):
        return UpstreamFailed("connect", detail)
    if isinstance(error, TimeoutError):
        return UpstreamFailed(waiting, detail)
    if isinstance(error, aiohttp.ClientPayloadError) or started:
        return UpstreamFailed("cut", detail)
    if isinstance(error, aiohttp.ServerDisconnectedError | OSError):
        return UpstreamFailed("reset", detail)
    if isinstance(error, aiohttp.ClientResponseError):
        return UpstreamFailed("bad_body", detail)
    return UpstreamFailed("connect", detail)


def parse_retry_after(headers: Mapping[str, str], now_unix_seconds: float) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds or a date); None when absent or unreadable."""
    for name, unit in (("retry-after-ms", 0.001), ("Retry-After", 1.0)):
        if (value := headers.get(name)) is None:
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            try:
                seconds = parsedate_to_datetime(value).timestamp() - now_unix_seconds
            except ValueError:
                continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None
