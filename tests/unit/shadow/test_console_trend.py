"""Does a line over days stay in its picture, break where nothing is known, and never mix labels with judges?"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from shadow.console.trend import HEIGHT, trends
from shadow.money.by_day import DayCost, DaySavings, MoneyByDay
from shadow.statistics.estimate import Estimate, Undefined

FIRST = date(2026, 3, 1)


def estimate(value: float, low: float, high: float | None) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=50, level=0.95, method="cost_per_success")


def cost(day: int, *, tier: str = "fast", corrected: Estimate | None, judged: Estimate | None) -> DayCost:
    at = FIRST + timedelta(days=day)
    return DayCost(day=at, tier=tier, requests=9, cost_usd=0.1, corrected=corrected, judged=judged)


def saving(day: int, net: Estimate | None) -> DaySavings:
    return DaySavings(
        day=FIRST + timedelta(days=day),
        requests=9,
        actual_usd=0.1,
        shadow_usd=0.0,
        all_top_usd=net,
        net_usd=net,
        undefined=None if net else Undefined(reason="too_few_priced_pairs"),
    )


def test_a_line_breaks_where_a_day_has_no_figure_and_an_open_end_stays_in_the_picture() -> None:
    judged = estimate(0.002, 0.001, None)
    costs = [cost(day, corrected=None, judged=None if day == 2 else judged) for day in range(5)]
    [line] = trends(
        MoneyByDay(costs=tuple(costs), savings=()), tiers=("fast",), first=FIRST, last=date(2026, 3, 7)
    ).costs
    assert (line.by, line.missing, len(line.points), len(line.parts)) == ("judges only", 1, 4, 2)
    assert all(0 <= y <= HEIGHT for point in line.points for y in (point.y, point.low_y, point.high_y))
    assert all(point.high_y == 0.0 for point in line.points)
    assert [point.x for point in line.points] == pytest.approx([100 * (day + 0.5) / 7 for day in (0, 1, 3, 4)])
    assert line.last_interval == "$0.001 – ∞"


def test_labels_make_the_line_where_most_days_have_them_and_never_along_with_judges() -> None:
    corrected, judged = estimate(0.003, 0.002, 0.005), estimate(0.002, 0.001, 0.003)
    for labelled_days, by in ((1, "judges only"), (2, "labels")):
        costs = [cost(day, corrected=corrected if day < labelled_days else None, judged=judged) for day in range(4)]
        found = trends(MoneyByDay(costs=tuple(costs), savings=()), tiers=("fast",), first=FIRST, last=FIRST)
        assert found.costs[0].by == by
        assert len(found.costs[0].points) == (labelled_days if by == "labels" else 4)


def test_savings_below_zero_are_below_the_line_of_zero() -> None:
    days = (saving(0, estimate(-1.0, -2.0, 0.5)), saving(1, estimate(3.0, 2.0, 4.0)), saving(2, None))
    line = trends(MoneyByDay(costs=(), savings=days), tiers=(), first=FIRST, last=FIRST + timedelta(days=2)).savings
    assert line is not None
    assert line.points[0].y > line.zero_y > line.points[1].y
    assert line.missing == 1
    assert trends(MoneyByDay(costs=(), savings=days[2:]), tiers=(), first=FIRST, last=FIRST).savings is None
