"""Does a message reach each channel? Sent at once, past the outbox, and nothing of it is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from shadow.configuration.alerts import AlertSettings
from shadow.notifying import channel as channels
from shadow.notifying.channel import Message, Send
from shadow.notifying.words import link_of


async def try_channels(
    settings: AlertSettings, environ: Mapping[str, str], *, send: Send = channels.send
) -> dict[str, str | None]:
    """channel -> None where it accepted the message, else what went wrong, without a secret."""
    link = link_of("/alerts", settings.public_url)
    body = "A test, asked for by `shadow alerts test`. Nothing is wrong." + (f"\n\nLook: {link}" if link else "")
    message = Message(title="Test of the channel", body=body, tone="info")

    async def one(url: str | None, variable: str | None) -> str | None:
        if url is None:
            return f"the environment variable {variable} is not set here"
        return await send(url, message)

    said = await asyncio.gather(*(one(channel.resolved(environ), channel.url_env) for channel in settings.notify))
    return dict(zip((channel.name for channel in settings.notify), said, strict=True))
