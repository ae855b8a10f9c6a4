"""What happens under traffic? Arrivals are sent through real HTTP clients, and every answer is checked against the truth."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from decimal import Decimal, InvalidOperation

from shadow.lab.audience import Arrival, Audience
from shadow.lab.clients import Client, Reply, open_clients
from shadow.lab.served import Served, TrafficStatistics, statistics_of


class Traffic:
    """An audience pointed at a server. `served` holds what came back so far, in order of completion.

    model: as sent, "auto" routes. max_in_flight: further arrivals wait (and are counted as delayed). on_served: called
    with each record, on the event loop. drain_seconds: how long the last answers are waited for after the end.
    """

    def __init__(
        self,
        audience: Audience,
        base_url: str,
        *,
        model: str = "auto",
        max_tokens: int | None = None,
        max_in_flight: int = 256,
        timeout_seconds: float = 90.0,
        drain_seconds: float = 100.0,
        on_served: Callable[[Served], None] | None = None,
    ) -> None:
        self._audience = audience
        self._base_url = base_url.rstrip("/")
        self._model = model
        self._max_tokens = max_tokens
        self._max_in_flight = max_in_flight
        self._timeout_seconds = timeout_seconds
        self._drain_seconds = drain_seconds
        self._on_served = on_served
        self._stopped = asyncio.Event()
        self._delayed = 0
        self._began: float | None = None
        self._ended: float | None = None
        self.served: list[Served] = []

    def stop(self) -> None:
        """Send nothing more; `run` drains and returns."""
        self._stopped.set()

    def statistics(self) -> TrafficStatistics:
        """The sums so far."""
        began = self._began
        seconds = 0.0 if began is None else (self._ended or time.monotonic()) - began
        return statistics_of(self.served, seconds=seconds, delayed=self._delayed)

    async def run(self, seconds: float | None = None, *, requests: int | None = None) -> TrafficStatistics:
        """Send for `seconds` from the first request on, or that many requests, whichever ends first; then drain.

        Never raises for what a server does: a failed request is a record with a reason.
        """
        room = asyncio.Semaphore(self._max_in_flight)
        async with AsyncExitStack() as stack:
            http, sdk = await open_clients(stack, self._base_url, timeout_seconds=self._timeout_seconds)
            self._began = began = time.monotonic()
            tasks: set[asyncio.Task[None]] = set()
            for arrival in itertools.islice(self._audience.arrivals(), requests):
                if seconds is not None and arrival.at_seconds >= seconds:
                    break
                if await self._stopped_before(began + arrival.at_seconds):
                    break
                if room.locked():
                    self._delayed += 1
                await room.acquire()
                if seconds is not None and time.monotonic() - began >= seconds:
                    break  # it waited for room until after the end
                task = asyncio.create_task(self._send(arrival, sdk if arrival.by_sdk else http, room))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            if seconds is not None and requests is None and not self._stopped.is_set():
                await self._stopped_before(began + seconds)
            if tasks:
                await asyncio.wait(tasks, timeout=self._drain_seconds)
            for task in tuple(tasks):
                task.cancel()
            self._ended = time.monotonic()
        return self.statistics()

    async def _stopped_before(self, moment: float) -> bool:
        """Wait for the moment; True if told to stop before it."""
        wait = moment - time.monotonic()
        if wait <= 0:
            return self._stopped.is_set()
        try:
            async with asyncio.timeout(wait):
                await self._stopped.wait()
        except TimeoutError:
            return False
        return True

    async def _send(self, arrival: Arrival, client: Client, room: asyncio.Semaphore) -> None:
        began = time.monotonic()
        reply = Reply(failure="unfinished")
        try:
            reply = await client.send(arrival, self._model, self._max_tokens)
        finally:
            room.release()
            record = _record(arrival, reply, time.monotonic() - began)
            self.served.append(record)
            if self._on_served is not None:
                self._on_served(record)


def _record(arrival: Arrival, reply: Reply, latency_seconds: float) -> Served:
    return Served(
        item=arrival.item,
        kind=arrival.task.kind,
        feature=arrival.task.feature,
        user=arrival.user,
        streamed=arrival.streamed,
        by_sdk=arrival.by_sdk,
        status=reply.status,
        failure=reply.failure,
        latency_seconds=latency_seconds,
        truth=None if reply.text is None else arrival.task.check(reply.text),
        request_id=reply.headers.get("x-shadow-request-id"),
        tier=reply.headers.get("x-shadow-tier"),
        model=reply.headers.get("x-shadow-model") or reply.model,
        cost_usd=_money(reply.headers.get("x-shadow-cost-usd")),
    )


def _money(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None
