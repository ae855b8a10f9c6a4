"""Do mirrors fail? A failed mirror is a pair that nobody sees, and clients may be next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from shadow.alarms.reading import LEVEL, Reading, percent
from shadow.settings import Settings
from shadow.statistics.exact_share import exact_interval
from shadow.store.alarm_rows import mirror_failures
from shadow.store.engine import AsyncConnection

_WINDOW = timedelta(hours=6)


class MirrorFailureAlarm:
    """Samples of the last six hours whose mirror failed for good, and the commonest reason."""

    kind = "mirror_failures"

    async def read(
        self, connection: AsyncConnection, settings: Settings, *, is_open: Collection[str], now: datetime
    ) -> Sequence[Reading]:
        failed, n, why = await mirror_failures(connection, since=now - _WINDOW, until=now)
        found = decide(failed, n, why, bar=settings.alerts.alarms.failure_share, was_open="mirror" in is_open)
        return [] if found is None else [found]


def decide(failed: int, n: int, why: str | None, *, bar: float, was_open: bool) -> Reading | None:
    """failed of n finished mirrors. Opens where even the lower end of the exact 99.9 % interval is above the bar; is over below
    half the bar. None where nothing was finished.
    """
    limits = exact_interval(failed, n, level=LEVEL)
    if limits is None:
        return None
    share = failed / n
    is_high = share > bar / 2 if was_open else limits[0] > bar
    message = (
        f"{percent(share)} of {n:,} mirrored samples of the last 6 hours failed (99.9% interval {percent(limits[0])} to "
        f"{percent(limits[1])})" + (f", most often: {why}" if why else "")
    )
    return Reading(
        key="mirror",
        severity=None if not is_high else "critical" if limits[0] > 0.5 else "warning",
        message=message,
        details={"failed": failed, "samples": n, "low": limits[0], "high": limits[1], "why": why, "bar": bar},
    )
