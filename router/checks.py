"""Is a provider that failed back again? Asked with a cheap GET, so that no client's request is spent on finding out.

Only providers with a `health_path` are asked, and only while a breaker of theirs is open and its cool-down is over: a healthy
provider is never bothered. What comes back as 2xx makes the breaker half-open, and the next request is its probe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import aiohttp
import structlog

from router.health import Health

CHECK_SECONDS = 5.0
log = structlog.get_logger("router.checks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How a provider is asked. keys: its models, as the breakers know them."""

    provider: str
    url: str
    api_key: str | None = field(default=None, repr=False)
    interval_seconds: float
    keys: frozenset[Hashable]


class HealthChecks:
    """Asks the providers of open breakers, each at its own interval. A resource of the application."""

    def __init__(self, checks: Iterable[Check], health: Health) -> None:
        self._checks = tuple(checks)
        self._health = health
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._watch(check), name=f"health-check-{check.provider}") for check in self._checks
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _watch(self, check: Check) -> None:
        timeout = aiohttp.ClientTimeout(total=CHECK_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                await asyncio.sleep(check.interval_seconds)
                due = check.keys.intersection(self._health.due_for_check())
                if not due:
                    continue
                healthy = await _is_healthy(session, check.url, _headers(check))
                log.info("provider.checked", provider=check.provider, healthy=healthy)
                for key in due:
                    self._health.checked(key, healthy)


def _headers(check: Check) -> Mapping[str, str]:
    headers = {"Accept": "application/json", "User-Agent": "shadowtier"}
    return {**headers, "Authorization": f"Bearer {check.api_key}"} if check.api_key else headers


async def _is_healthy(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> bool:
    try:
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            return 200 <= response.status < 300
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
