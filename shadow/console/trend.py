"""Where do the line and the band of a figure over days go? Pure geometry on a canvas stretched to the page's width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shadow.console.charts import Tick, nice_ceiling
from shadow.console.wording import usd
from shadow.money.by_day import DayCost, MoneyByDay
from shadow.statistics.estimate import Estimate

#: The canvas: a hundredth of a percent wide each, and pixels high. Lines keep their width however far it is stretched.
WIDTH, HEIGHT = 10_000.0, 64.0
#: Days that are named below the lines.
NAMED_DAYS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One day: where it is, in percent of the width and pixels from the top, with what it says."""

    x: float
    y: float
    low_y: float
    high_y: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One line. parts: runs of days without a gap, each (line, band) as points of a polyline and a polygon. by: who judged.

    last: what is said of the newest day with a figure. missing: days with traffic and without a figure. zero_y: where 0 is.
    """

    name: str
    by: str
    points: tuple[Point, ...]
    parts: tuple[tuple[str, str], ...]
    ticks_y: tuple[Tick, ...]
    zero_y: float
    last: str
    last_interval: str
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """Lines over the same days: cost per success of each tier, and savings. ticks_x: days, in percent of the width."""

    costs: tuple[Trend, ...]
    savings: Trend | None
    ticks_x: tuple[Tick, ...]
    days: int


def trends(found: MoneyByDay, *, tiers: Sequence[str], first: date, last: date) -> Trends:
    """The lines of a window of UTC days, both ends included. Tiers cheapest first, after all of them together."""
    days = (last - first).days + 1
    own: dict[str, list[DayCost]] = {}
    for cost in found.costs:
        own.setdefault(cost.tier, []).append(cost)
    names = [name for name in ("", *tiers, *sorted(set(own) - {"", *tiers})) if name in own]
    costs = [_cost_trend(name, own[name], first, days) for name in names]
    saved = [(one.day, one.net_usd) for one in found.savings]
    step = max(1, -(-days // NAMED_DAYS))
    return Trends(
        costs=tuple(costs),
        savings=_trend("net savings", "mirrored prices", saved, first, days) if _known(saved) else None,
        ticks_x=tuple(
            Tick(at=_x(i, days), text=f"{date.fromordinal(first.toordinal() + i):%d %b}") for i in range(0, days, step)
        ),
        days=days,
    )


def _cost_trend(name: str, own: Sequence[DayCost], first: date, days: int) -> Trend:
    """By labels where most of the days that say anything have them, else by judges: one line never mixes the two."""
    by_labels, by_judges = [(one.day, one.corrected) for one in own], [(one.day, one.judged) for one in own]
    labels = _known(by_labels) and 2 * _known(by_labels) >= _known(by_judges)
    return _trend(name, "labels" if labels else "judges only", by_labels if labels else by_judges, first, days)


def _known(values: Sequence[tuple[date, Estimate | None]]) -> int:
    return sum(found is not None for _, found in values)


def _trend(name: str, by: str, values: Sequence[tuple[date, Estimate | None]], first: date, days: int) -> Trend:
    known = [(day, found) for day, found in values if found is not None]
    middle = sorted(abs(found.value) for _, found in known)
    # A day with hardly any samples may reach anywhere: its band leaves the picture instead of flattening all others.
    most = 4.0 * middle[len(middle) // 2] if middle else 0.0
    values_in = [found.value for _, found in known]
    ends = [end for _, found in known for end in (found.low, found.high) if end is not None and abs(end) <= most]
    top = nice_ceiling(max([0.0, *values_in, *ends]))
    bottom = -nice_ceiling(-lowest) if (lowest := min([0.0, *values_in, *ends])) < 0.0 else 0.0
    points: dict[int, Point] = {}

    def y(value: float | None) -> float:
        share = 1.0 if value is None else (value - bottom) / (top - bottom)
        return HEIGHT * (1.0 - min(1.0, max(0.0, share)))

    for day, found in known:
        at = (day - first).days
        points[at] = Point(
            x=_x(at, days),
            y=y(found.value),
            low_y=y(found.low),
            high_y=y(found.high),
            title=f"{day:%d %b}: {usd(found.value)} {_interval(found)}",
        )
    newest = known[-1][1] if known else None
    return Trend(
        name=name,
        by=by,
        points=tuple(points.values()),
        parts=tuple(_drawn(run) for run in _runs(points)),
        ticks_y=tuple(Tick(at=y(value), text=usd(value)) for value in dict.fromkeys((top, bottom)) if value),
        zero_y=y(0.0),
        last=usd(newest.value) if newest else "",
        last_interval=_interval(newest) if newest else "",
        missing=len(values) - len(known),
    )


def _x(at: int, days: int) -> float:
    return 100.0 * (at + 0.5) / days


def _runs(points: dict[int, Point]) -> list[list[Point]]:
    """Days that follow each other: a line over a day without a figure would claim one."""
    runs: list[list[Point]] = []
    for at, point in sorted(points.items()):
        if at - 1 in points:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _drawn(run: Sequence[Point]) -> tuple[str, str]:
    line = " ".join(f"{WIDTH / 100 * p.x:.0f},{p.y:.1f}" for p in run)
    band = [f"{WIDTH / 100 * p.x:.0f},{p.high_y:.1f}" for p in run]
    band += [f"{WIDTH / 100 * p.x:.0f},{p.low_y:.1f}" for p in reversed(run)]
    return line, " ".join(band)


def _interval(found: Estimate) -> str:
    return f"{usd(found.low)} – {usd(found.high)}"
