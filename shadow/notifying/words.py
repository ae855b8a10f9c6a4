"""How does a message read? Its text, where to look, what to do, and whether it may be a repetition. Pure."""

from __future__ import annotations

from typing import Literal

from shadow.alerting.kinds import anchor_of
from shadow.configuration.alerts import AlertSettings
from shadow.notifying.channel import Message
from shadow.store.deliveries import Claim

_TONES: dict[str, Literal["info", "warning", "failure"]] = {"info": "info", "warning": "warning", "critical": "failure"}


def message_of(claim: Claim, settings: AlertSettings) -> Message:
    """The message as a channel gets it: instants in UTC, links on lines of their own."""
    lines = [claim.body]
    link = link_of(claim.url, settings.public_url)
    if link is not None:
        lines.append(f"Look: {link}")
    if claim.kind is not None:
        lines.append(f"What to do: {settings.runbook_url}{anchor_of(claim.kind)}")
    if claim.unconfirmed:
        lines.append("This may be a repetition: an earlier attempt was cut off before it was known to have arrived.")
    lines.append(f"Shadowtier, message {claim.notification_id} of {claim.created_at:%Y-%m-%d %H:%M} UTC")
    return Message(
        title=claim.title,
        body="\n\n".join(lines),
        tone="success" if claim.occasion == "resolved" else _TONES[claim.severity],
    )


def link_of(url: str | None, public_url: str | None) -> str | None:
    """A path of the console as its readers reach it; None where nothing can be said."""
    if url is None or url.startswith(("http://", "https://")):
        return url
    return None if public_url is None else public_url + url
