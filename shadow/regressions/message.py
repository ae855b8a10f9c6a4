"""What is a report called, in a message and at the top of a page?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any


def title(found: Mapping[str, Any]) -> str:
    """One line: the period and whether anything got worse."""
    worse = len(found["cells"]["worse"])
    if worse:
        outcome = f"{worse} {'cell' if worse == 1 else 'cells'} got worse"
    elif found["marginals"]["worse"]:
        outcome = "got worse taken together"
    else:
        outcome = "quiet" if found["cells"]["tested"] else "nothing could be tested"
    return f"Regressions, {period_words(found)}: {outcome}"


def period_words(found: Mapping[str, Any]) -> str:
    """`16 to 22 Nov 2026` for whole days, else both instants."""
    since, until = datetime.fromisoformat(found["since"]), datetime.fromisoformat(found["until"])
    return between(since, until)


def between(since: datetime, until: datetime) -> str:
    """A half open stretch of time in words; whole UTC days are named by the days."""
    if any((at.hour, at.minute, at.second) != (0, 0, 0) for at in (since, until)):
        end = f"{until:%H:%M:%S}" if since.date() == until.date() else f"{until.day} {until:%b %Y %H:%M:%S}"
        return f"{since.day} {since:%b %Y %H:%M:%S} to {end}"
    last = until - timedelta(days=1)
    if since == last:
        return f"{since.day} {since:%b %Y}"
    first = f"{since.day}" if (since.year, since.month) == (last.year, last.month) else f"{since.day} {since:%b}"
    return f"{first if since.year == last.year else f'{first} {since.year}'} to {last.day} {last:%b %Y}"
