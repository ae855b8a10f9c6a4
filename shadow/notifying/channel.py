"""How does one message reach one channel? By the library apprise, in a thread, with a limit, its errors without secrets."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from shadow.notifying.schedule import SEND_SECONDS

MASK = "***"
_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a channel is given. tone: colour or icon, where the channel has one."""

    title: str
    body: str
    tone: Literal["info", "success", "warning", "failure"]


class Send(Protocol):
    """Hand a message to the channel behind a URL."""

    async def __call__(self, url: str, message: Message) -> str | None:
        """None: accepted. Else what went wrong, without a secret."""


async def send(url: str, message: Message) -> str | None:
    """Send by apprise. Never raises for what a channel does.

    An attempt takes no longer than `SEND_SECONDS`; whether one that ran into the limit has arrived is not known.
    """
    try:
        async with asyncio.timeout(SEND_SECONDS + 5):
            return await asyncio.to_thread(_send, url, message)
    except TimeoutError:
        return f"no answer within {SEND_SECONDS:.0f} s"


def problem_of(url: str) -> str | None:
    """What is wrong with a URL, without repeating it; None if a service of apprise takes it."""
    service = _service(url)
    if service is not None:
        return None
    schema = url.partition("://")[0] if "://" in url else ""
    named = f" {schema}://" if re.fullmatch(r"[a-z0-9_+-]{1,20}", schema) else ""
    return f"no service of apprise takes this{named} URL; apprise's documentation lists the form of each"


def without_secrets(text: str, url: str) -> str:
    """The text with every part of the URL masked that could be a secret: all but its scheme and words of up to three letters."""
    from urllib.parse import unquote

    parts = {part for raw in (url, unquote(url)) for part in re.split(r"[/:@?&=#,;\s]+", raw.partition("://")[2])}
    for part in sorted((part for part in parts if len(part) > 3), key=len, reverse=True):
        text = text.replace(part, MASK)
    return text


def _service(url: str) -> Any:
    import apprise

    # Its lines name hosts and accounts; what we log has been masked.
    logging.getLogger("apprise").propagate = False
    # In memory: nothing of a channel is written to disk.
    return apprise.Apprise.instantiate(url, asset=_asset(apprise))


def _asset(apprise: Any) -> Any:
    return apprise.AppriseAsset(
        app_id="Shadowtier", app_desc="Shadowtier", storage_mode=apprise.PersistentStoreMode.MEMORY
    )


def _send(url: str, message: Message) -> str | None:
    import apprise

    service = _service(url)
    if service is None:
        return problem_of(url)
    caller = apprise.Apprise(asset=_asset(apprise))
    caller.add(service)
    result = caller.notify(
        title=message.title, body=message.body, notify_type=message.tone, body_format="text", timeout=SEND_SECONDS
    )
    if result:
        return None
    said = " ".join(str(entry.message) for entry in result.logs()) or f"not accepted ({result.status.name.lower()})"
    return without_secrets(" ".join(said.split()), url)[:_LONGEST_ERROR]
