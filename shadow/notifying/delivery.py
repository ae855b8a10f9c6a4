"""Who sends what is due? The leader: each channel for itself, one message after another, each attempt written down.

At least once: a message is claimed before it is sent, and marked after. In one case it arrives twice, and no sender can help it:
the process ends (or loses the database) between the channel's acceptance and the mark. The claim then lapses, the message is
sent again, says so, and the attempt is counted as unconfirmed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from shadow.alerting.telling import RANK
from shadow.configuration.alerts import AlertSettings, ChannelSettings
from shadow.notifying import channel as channels
from shadow.notifying.channel import Message, Send
from shadow.notifying.schedule import GIVE_UP_AFTER, LEASE, wait_after
from shadow.notifying.words import message_of
from shadow.settings import Settings
from shadow.store import deliveries
from shadow.store.alert_history import tell_due
from shadow.store.engine import AsyncEngine, utc_now

log = structlog.get_logger()

_AT_ONCE = 50


async def run(engine: AsyncEngine, settings: Settings) -> None:
    """The job of the leader."""
    await deliver(engine, settings.alerts)


async def deliver(
    engine: AsyncEngine,
    settings: AlertSettings,
    *,
    send: Send = channels.send,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> int:
    """Send what is due on every channel, the channels side by side; returns how many messages were accepted.

    A channel that refuses is left alone until the next run, so that one that hangs costs one time limit a run.
    """
    wants = {
        one.name: ([name for name in RANK if RANK[name] >= RANK[one.min_severity]], one.occasions)
        for one in settings.notify
    }
    async with engine.begin() as connection:
        await tell_due(connection, now=clock())
        await deliveries.plan(connection, wants, now=clock())
        await deliveries.give_up_unknown(connection, wants)
    known = os.environ if environ is None else environ
    counts: list[int] = []

    async def serve(one: ChannelSettings) -> None:
        counts.append(await _drain(engine, settings, one, one.resolved(known), send, clock))

    async with asyncio.TaskGroup() as group:
        for one in settings.notify:
            group.create_task(serve(one))
    return sum(counts)


async def _drain(
    engine: AsyncEngine,
    settings: AlertSettings,
    one: ChannelSettings,
    url: str | None,
    send: Send,
    clock: Callable[[], datetime],
) -> int:
    accepted = 0
    while accepted < _AT_ONCE:
        async with engine.begin() as connection:
            claim = await deliveries.claim(connection, one.name, now=clock(), lease=LEASE)
        if claim is None:
            return accepted
        error = await _attempt(url, message_of(claim, settings), one, send)
        now = clock()
        async with engine.begin() as connection:
            if error is None:
                await deliveries.delivered(connection, claim, now=now)
                accepted += 1
                log.info("notification.delivered", notification=claim.notification_id, channel=one.name)
                continue
            late = now - claim.created_at >= GIVE_UP_AFTER
            retry_at = None if late else now + wait_after(claim.attempts)
            await deliveries.failed(connection, claim, error=error, retry_at=retry_at)
        log.warning(
            "notification.given_up" if late else "notification.failed",
            notification=claim.notification_id,
            channel=one.name,
            attempts=claim.attempts,
            error=error,
        )
        return accepted
    return accepted


async def _attempt(url: str | None, message: Message, one: ChannelSettings, send: Send) -> str | None:
    if url is None:
        return f"the environment variable {one.url_env} is not set where the scheduler runs"
    return await send(url, message)
