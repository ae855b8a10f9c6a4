"""Is anybody told when something is wrong: which channels are there, is each URL set, and does a service take it?"""

from __future__ import annotations

from collections.abc import Mapping

from shadow.doctor.findings import Finding, bad, ok, warn
from shadow.settings import Settings

_HOW = "docs/alerts.md shows how; `shadow alerts test` sends a message through each"


def channels(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """A finding per channel. URLs are looked at, never shown; nothing is sent."""
    from shadow.notifying.channel import problem_of

    if not settings.alerts.notify:
        return [warn("channels", "none: alerts are shown in the console only", f"name one in alerts.notify; {_HOW}")]
    found = []
    for channel in settings.alerts.notify:
        name, url = f"channel {channel.name}", channel.resolved(environ)
        problem = None if url is None else problem_of(url)
        if url is None:
            remedy = f"export {channel.url_env}=... where the scheduler is started; {_HOW}"
            found.append(bad(name, f"{channel.url_env} is not set", remedy))
        elif problem is not None:
            found.append(bad(name, problem, f"correct it; {_HOW}"))
        else:
            found.append(ok(name, f"is told from {channel.min_severity} on: {', '.join(channel.occasions)}"))
    if settings.alerts.public_url is None:
        found.append(warn("channel links", "messages have no links", "set alerts.public_url to the console's address"))
    return found
