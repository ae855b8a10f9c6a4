"""When is a message tried again, and when is it given up? Pure."""

from __future__ import annotations

from datetime import timedelta

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=48)
SEND_SECONDS = 45.0
# A claim outlives the attempt that it is for, so that only an attempt whose process is gone is made again by another.
LEASE = timedelta(seconds=120)


def wait_after(attempts: int) -> timedelta:
    """How long to wait after that many failed attempts: 30 s, doubled with each, at most 15 minutes."""
    return min(FIRST_WAIT * (1 << min(max(attempts - 1, 0), 10)), LONGEST_WAIT)
