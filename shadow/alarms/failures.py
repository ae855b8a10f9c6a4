"""Do mirrors or judges fail? A failed mirror is a pair that nobody sees; a judge that is not reached says nothing of any."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from shadow.alarms.reading import LEVEL, Reading, percent
from shadow.settings import Settings
from shadow.statistics.exact_share import exact_interval
from shadow.store.alarm_rows import judge_failures, mirror_failures
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


class JudgeFailureAlarm:
    """Per judge@version: of the answers of six hours' samples that it was asked about, those where it could not be reached."""

    kind = "judge_failures"

    async def read(
        self, connection: AsyncConnection, settings: Settings, *, is_open: Collection[str], now: datetime
    ) -> Sequence[Reading]:
        bar = settings.alerts.alarms.failure_share
        counts = await judge_failures(connection, since=now - _WINDOW, until=now)
        found = [
            decide(failed, n, "not reached", bar=bar, was_open=judge in is_open, key=judge)
            for judge, failed, n in counts
        ]
        return [one for one in found if one is not None]


def decide(failed: int, n: int, why: str | None, *, bar: float, was_open: bool, key: str = "mirror") -> Reading | None:
    """failed of n finished mirrors, or of n answers that a judge was asked about (key: its name).

    Opens where even the lower end of the exact 99.9 % interval is above the bar; is over below half the bar. None where there
    is nothing to count.
    """
    limits = exact_interval(failed, n, level=LEVEL)
    if limits is None:
        return None
    share = failed / n
    is_high = share > bar / 2 if was_open else limits[0] > bar
    what = "mirrored samples" if key == "mirror" else f"answers that {key} was asked about, of samples"
    message = (
        f"{percent(share)} of {n:,} {what} of the last 6 hours failed (99.9% interval {percent(limits[0])} to "
        f"{percent(limits[1])})" + (f", most often: {why}" if why else "")
    )
    return Reading(
        key=key,
        severity=None if not is_high else "critical" if limits[0] > 0.5 else "warning",
        message=message,
        details={"failed": failed, "samples": n, "low": limits[0], "high": limits[1], "why": why, "bar": bar},
    )
