"""Where does each mark of a report's plots go, and how does it become a page that needs nothing but itself?

Pure geometry: positions in percent of the width, heights in pixels, as in all charts of the console.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from shadow.regressions.findings import named
from shadow.regressions.headline import points
from shadow.regressions.message import between, title
from shadow.regressions.text import REASONS, basis

CONSOLE = Path(__file__).parent.parent / "console"
WEEK_HEIGHT = 96.0
#: Rows that are shown at once; the others are folded away.
SHOWN = 25
_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A cell's change on the common axis, in percent of the width; could: where the smallest detectable drop is."""

    name: str
    is_worse: bool
    low: float
    at: float
    high: float
    could: float | None
    change: str
    interval: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Changes of one family, the largest drop first. ticks: (percent of the width, points)."""

    rows: Sequence[Row]
    folded: Sequence[Row]
    zero: float
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekMark:
    """One week of one cell: x in percent, heights in pixels from the top; what it says; where it is named below."""

    x: float
    y: float
    low_y: float
    high_y: float
    title: str
    is_now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorseCell:
    """A cell that got worse. marks: weeks that have a figure. names: (x, start of the week)."""

    name: str
    cell: Mapping[str, Any]
    marks: Sequence[WeekMark]
    names: Sequence[tuple[float, str]]
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that the template shows. families: (heading, what it is, forest, findings of it)."""

    found: Mapping[str, Any]
    title: str
    basis: str
    worse: Sequence[WorseCell]
    families: Sequence[tuple[str, str, Forest, Mapping[str, Any]]]
    untested: Sequence[tuple[str, str, Mapping[str, Any]]]
    address: str


def view(found: Mapping[str, Any], *, address: str = "") -> View:
    """The page's values. address: of the console, put in front of links; "" on the console itself."""
    cells, sides = found["cells"], found["marginals"]
    return View(
        found=found,
        title=title(found),
        basis=basis(found),
        # Where cells are named, what they add up to is in the plots below.
        worse=[_worse(found, one) for one in cells["worse"] or sides["worse"]],
        families=(
            ("Every tested cell", "tier, query type and feature; disjoint, one family of tests", _forest(cells), cells),
            (
                "Taken together",
                "each tier, query type and feature over all else: the same requests again, a second family of tests; these also "
                "move where the traffic's mix does",
                _forest(sides),
                sides,
            ),
        ),
        untested=[(named(one), REASONS[one["reason"]], one) for one in cells["not_testable"]],
        address=address,
    )


def standalone(found: Mapping[str, Any], *, address: str = "") -> str:
    """The report as one HTML document: style and plots are in it, links lead to the console."""
    style = (CONSOLE / "static" / "console.css").read_text(encoding="utf-8")
    return _templates().get_template("regression_document.html").render(page=view(found, address=address), style=style)


@cache
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(CONSOLE / "templates"),
        autoescape=True,  # names of features come from clients
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {"signed_points": points, "week_height": WEEK_HEIGHT}
    return templates


def _forest(family: Mapping[str, Any]) -> Forest:
    shown = [*family["worse"], *family["quiet"]]
    ends = [end for one in shown for end in (one["change"]["low"], one["change"]["high"], -(one["detectable"] or 0.0))]
    step = next((step for step in _STEPS if max(ends, default=0.0) - min(ends, default=0.0) <= 6 * step), _STEPS[-1])
    # A cell with hardly more verdicts than are needed may reach anywhere: the axis ends with the others.
    middle = sorted(abs(end) for end in ends)
    most = max(0.02, 6.0 * middle[len(middle) // 2]) if middle else 0.02
    low = max(-most, min(ends, default=-0.02))
    high = min(most, max(ends, default=0.02))
    low, high = min(low, -0.02), max(high, 0.02)
    step = next((step for step in _STEPS if high - low <= 8 * step), _STEPS[-1])

    def x(value: float) -> float:
        return 100.0 * min(1.0, max(0.0, (value - low) / (high - low)))

    rows = [
        Row(
            name=named(one),
            is_worse=one["outcome"] == "worse",
            low=x(one["change"]["low"]),
            at=x(one["change"]["value"]),
            high=x(one["change"]["high"]),
            could=None if one["detectable"] is None else x(-one["detectable"]),
            change=points(one["change"]["value"]),
            interval=f"{points(one['change']['low'])} to {points(one['change']['high'])}",
            title=_told(one),
        )
        for one in shown
    ]
    worse = len(family["worse"])
    first, last = -int(-low / step + 1e-9), int(high / step + 1e-9)
    return Forest(
        rows=rows[: max(SHOWN, worse)],
        folded=rows[max(SHOWN, worse) :],
        zero=x(0.0),
        ticks=[(x(step * i), f"{100 * step * i:+g}".replace("-", "−") if i else "0") for i in range(first, last + 1)],
    )


def _told(one: Mapping[str, Any]) -> str:
    could = (
        "" if one["detectable"] is None else f"; a drop of {100 * one['detectable']:.1f} points would have been found"
    )
    return (
        f"{named(one)}: {one['accuracy_before']['value']:.1%} to {one['accuracy']['value']:.1%}, "
        f"{one['judged']:,.0f} verdicts against {one['judged_before']:,.0f}{could}"
    )


def _worse(found: Mapping[str, Any], one: Mapping[str, Any]) -> WorseCell:
    starts = [datetime.fromisoformat(start) for start in found["weeks"]]
    ends = [*starts[1:], datetime.fromisoformat(found["until"])]
    known = [(at, week) for at, week in enumerate(one["by_week"]) if week is not None]
    low = max(0.0, min((week["low"] for _, week in known), default=0.0) - 0.005)
    high = min(1.0, max((week["high"] for _, week in known), default=1.0) + 0.005)

    def x(at: int) -> float:
        return 100.0 * (at + 0.5) / len(starts)

    def y(value: float) -> float:
        return WEEK_HEIGHT * (1.0 - (value - low) / (high - low))

    return WorseCell(
        name=named(one),
        cell=one,
        marks=[
            WeekMark(
                x=x(at),
                y=y(week["value"]),
                low_y=y(week["low"]),
                high_y=y(week["high"]),
                title=f"{between(starts[at], ends[at])}: {week['value']:.1%} ({week['low']:.1%} to {week['high']:.1%}), "
                f"{week['n']:,.0f} verdicts",
                is_now=at == len(starts) - 1,
            )
            for at, week in known
        ],
        names=[(x(at), _short(start, ends[at])) for at, start in enumerate(starts)],
        ticks=[(y(value), f"{100 * value:.0f} %") for value in _round_values(low, high)],
    )


def _short(since: datetime, until: datetime) -> str:
    return f"{since.day} {since:%b}" if (until - since).total_seconds() >= 86_400 else f"{since:%H:%M}"


def _round_values(low: float, high: float) -> list[float]:
    step = next((step for step in _STEPS if high - low <= 4 * step), _STEPS[-1])
    first = int(low / step) + 1
    return [step * i for i in range(first, int(high / step + 1e-9) + 1)]
