"""Do samples still get a verdict? Below 95 % the worst case is wide, and what is missing is seldom missing at random."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from shadow.alarms.reading import LEVEL, Reading, percent
from shadow.settings import Settings
from shadow.statistics.exact_share import exact_interval
from shadow.store.alarm_rows import sample_states
from shadow.store.engine import AsyncConnection

#: The day that is looked at ends this long ago: mirrors and judges need time. The weeks before it are what it is held against.
_SETTLE, _WINDOW, _BEFORE = timedelta(hours=1), timedelta(hours=24), timedelta(days=28)
_LEAST = 50


class CoverageAlarm:
    """Per tier that served: judged samples of the last day, against the bar and against the weeks before."""

    kind = "coverage"

    async def read(
        self, connection: AsyncConnection, settings: Settings, *, is_open: Collection[str], now: datetime
    ) -> Sequence[Reading]:
        until = now - _SETTLE
        since = until - _WINDOW
        recent = counted(await sample_states(connection, since=since, until=until))
        before = counted(await sample_states(connection, since=since - _BEFORE, until=since))
        bar = settings.alerts.alarms.coverage
        return [
            decide(tier, counts, before.get(tier, (0, 0)), bar=bar, was_open=tier in is_open)
            for tier, counts in sorted(recent.items())
            if counts[1] >= _LEAST
        ]


def counted(states: Sequence[tuple[str, str, int]]) -> dict[str, tuple[int, int]]:
    """tier -> (samples with a verdict, samples), from (tier, state, samples). What was shed for money has its own alarm."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for tier, state, samples in states:
        if state != "shed":
            found[tier][0] += samples if state == "judged" else 0
            found[tier][1] += samples
    return {tier: (judged, samples) for tier, (judged, samples) in found.items()}


def decide(tier: str, recent: tuple[int, int], before: tuple[int, int], *, bar: float, was_open: bool) -> Reading:
    """recent, before: (with a verdict, samples); recent is not empty.

    Opens where even the upper end of the exact 99.9 % interval is below the bar; is over where the share itself is at the bar
    again. info: it was as low before; critical: less than half.
    """
    judged, n = recent
    share = judged / n
    low, high = exact_interval(judged, n, level=LEVEL) or (0.0, 1.0)
    earlier = exact_interval(*before, level=LEVEL)
    is_low = share < bar if was_open else high < bar
    has_dropped = earlier is None or high < earlier[0]
    message = f"{tier}: {percent(share)} of {n:,} samples of a day have a verdict ({_span(low, high)})"
    if earlier is not None:
        message += f", against {percent(before[0] / before[1])} ({_span(*earlier)}) in the four weeks before"
    return Reading(
        key=tier,
        severity=None if not is_low else "critical" if high < 0.5 else "warning" if has_dropped else "info",
        message=message,
        details={"judged": judged, "samples": n, "low": low, "high": high, "before": list(before), "bar": bar},
    )


def _span(low: float, high: float) -> str:
    return f"99.9% interval {percent(low)} to {percent(high)}"
