"""Where does each mark of a chart go? Pure geometry: positions in percent of the width, heights in pixels of the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor, log10

from shadow.store.console_rows import FlowBucket

FLOW_BUCKETS = 48
FLOW_HEIGHT = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled position on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One tier's part of one column. tier: "" for requests that nobody answered."""

    tier: str
    x: float
    width: float
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Requests per minute by tier, a column per bucket. open_x: from where on columns are still filling."""

    bars: tuple[Bar, ...]
    ticks_x: tuple[Tick, ...]
    ticks_y: tuple[Tick, ...]
    open_x: float | None
    column: float
    per_minute_now: float | None


def flow_chart(
    buckets: Sequence[FlowBucket],
    *,
    tiers: Sequence[str],
    now: datetime,
    as_of: datetime,
    bucket_seconds: int,
    columns: int = FLOW_BUCKETS,
) -> Flow:
    """The last `columns` buckets, the one that holds `now` included.

    as_of: when the roll-ups were computed; the rate of a bucket that was not over by then is over the time that was known.
    """
    current = datetime.fromtimestamp(int(now.timestamp()) // bucket_seconds * bucket_seconds, tz=now.tzinfo)
    width = timedelta(seconds=bucket_seconds)
    by_start = {bucket.start: bucket.requests for bucket in buckets}
    starts = [current - width * (columns - 1 - i) for i in range(columns)]
    rates = [_rates(by_start.get(start, {}), _minutes(start, as_of, bucket_seconds)) for start in starts]
    top = nice_ceiling(max((sum(rate.values()) for rate in rates), default=0.0))
    column = 100.0 / columns
    bars: list[Bar] = []
    for i, (start, rate) in enumerate(zip(starts, rates, strict=True)):
        floor_y = float(FLOW_HEIGHT)
        for tier in [*tiers, *sorted(set(rate) - set(tiers))]:
            if value := rate.get(tier, 0.0):
                height = FLOW_HEIGHT * value / top
                floor_y -= height
                title = f"{start:%H:%M:%S} {tier or 'unanswered'}: {value:,.1f} a minute"
                bars.append(Bar(tier=tier, x=column * i, width=column * 0.8, y=floor_y, height=height, title=title))
    complete = [sum(rate.values()) for start, rate in zip(starts, rates, strict=True) if start + width <= as_of]
    return Flow(
        bars=tuple(bars),
        ticks_x=tuple(
            Tick(at=column * (i + 0.4), text=f"{starts[i]:%H:%M}")
            for i in range(columns // 12, columns, max(1, columns // 6))
        ),
        ticks_y=tuple(Tick(at=FLOW_HEIGHT * (1 - share), text=f"{top * share:g}") for share in (0.5, 1.0)),
        open_x=next((column * i for i, start in enumerate(starts) if start + width > as_of), None),
        column=column,
        per_minute_now=complete[-1] if by_start and complete else None,
    )


def _minutes(start: datetime, as_of: datetime, bucket_seconds: int) -> float:
    # Half a bucket at least: the first seconds of a bucket would say anything.
    return min(max((as_of - start).total_seconds(), bucket_seconds / 2), bucket_seconds) / 60.0


def _rates(requests: Mapping[str, int], minutes: float) -> dict[str, float]:
    return {tier: number / minutes for tier, number in requests.items()}


def nice_ceiling(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 5, 10) if value <= step * power * (1 + 1e-9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis shared by the rows of one chart. is_log: equal distances are equal ratios."""

    low: float
    high: float
    is_log: bool
    ticks: tuple[Tick, ...]

    def at(self, value: float | None) -> float:
        """Position in percent, kept inside the axis. None (unbounded) is the right end."""
        if value is None:
            return 100.0
        if self.is_log:
            share = (log10(max(value, self.low)) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            share = (value - self.low) / (self.high - self.low)
        return 100.0 * min(1.0, max(0.0, share))


def rate_scale(lows: Sequence[float]) -> Scale:
    """For rates near 1: from a round value below the lowest end up to 1."""
    lowest = max(0.0, min(lows, default=0.5) - 0.01)
    step = next(step for step in (0.02, 0.05, 0.1, 0.2) if (1.0 - lowest) / step <= 5 or step == 0.2)
    low = max(0.0, floor(lowest / step + 1e-9) * step)
    number = round((1.0 - low) / step)
    ticks = [low + step * i for i in range(number + 1)]
    return _scale(low, 1.0, [(tick, f"{100 * tick:.0f}") for tick in ticks])


def share_scale(values: Sequence[float]) -> Scale:
    """For shares that start at 0."""
    high = min(1.0, max(0.05, nice_ceiling(max(values, default=0.0))))
    return _scale(0.0, high, [(high * i / 4, f"{100 * high * i / 4:g}") for i in range(5)])


def money_scale(amounts: Sequence[float]) -> Scale:
    """Logarithmic, from and to a 1, 2 or 5: tiers differ by factors, not by cents."""
    positive = [amount for amount in amounts if amount > 0]
    if not positive:
        return _scale(0.001, 1.0, [], is_log=True)
    steps = [
        step * 10.0**power
        for power in range(floor(log10(min(positive))), floor(log10(max(positive))) + 2)
        for step in (1, 2, 5)
    ]
    low = max(step for step in steps if step <= min(positive) * (1 + 1e-9))
    high = min(step for step in steps if step >= max(positive) * (1 - 1e-9) and step > low)
    inside = [step for step in steps if low <= step <= high]
    if len(inside) > 5:
        decades = [step for step in inside if abs(log10(step) - round(log10(step))) < 1e-9]
        inside = [low, *(step for step in decades if low * 2.4 < step < high / 2.4), high]
    return _scale(low, high, [(step, f"${step:.{max(0, -floor(log10(step)))}f}") for step in inside], is_log=True)


def _scale(low: float, high: float, marks: Sequence[tuple[float, str]], *, is_log: bool = False) -> Scale:
    bare = Scale(low=low, high=high, is_log=is_log, ticks=())
    return Scale(
        low=low, high=high, is_log=is_log, ticks=tuple(Tick(at=bare.at(value), text=text) for value, text in marks)
    )
