"""The console's charts put every mark where its value belongs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.console.charts import FLOW_HEIGHT, flow_chart, money_scale, nice_ceiling, rate_scale, share_scale
from shadow.store.console_rows import FlowBucket

NOW = datetime(2026, 3, 14, 12, 7, 30, tzinfo=UTC)
CURRENT = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
TIERS = ("fast", "top")


def chart(*buckets: tuple[int, dict[str, int]], as_of: datetime = NOW):  # type: ignore[no-untyped-def]
    rows = [FlowBucket(start=CURRENT - timedelta(minutes=15 * back), requests=requests) for back, requests in buckets]
    return flow_chart(rows, tiers=TIERS, now=NOW, as_of=as_of, bucket_seconds=900, columns=4)


def test_a_column_is_as_high_as_its_rate() -> None:
    flow = chart((1, {"fast": 75, "top": 75}))  # 10 a minute
    assert [bar.tier for bar in flow.bars] == ["fast", "top"]
    assert sum(bar.height for bar in flow.bars) == pytest.approx(FLOW_HEIGHT)
    assert flow.bars[0].y > flow.bars[1].y  # the cheapest tier is at the bottom
    assert flow.per_minute_now == pytest.approx(10.0)


def test_the_bucket_that_is_still_filling_is_rated_over_the_time_that_has_passed() -> None:
    flow = chart((1, {"fast": 150}), (0, {"fast": 75}))
    full, filling = flow.bars
    assert filling.height == pytest.approx(full.height)
    assert flow.open_x == pytest.approx(filling.x)


def test_a_bucket_that_the_roll_ups_saw_only_part_of_counts_as_still_filling() -> None:
    flow = chart((2, {"fast": 150}), (1, {"fast": 80}), as_of=CURRENT - timedelta(minutes=7))
    full, partial = flow.bars
    assert partial.height == pytest.approx(full.height)
    assert flow.open_x == pytest.approx(partial.x)
    assert flow.per_minute_now == pytest.approx(10.0)


def test_unanswered_requests_and_tiers_of_the_past_are_drawn_too() -> None:
    assert {bar.tier for bar in chart((1, {"fast": 5, "": 2, "retired": 3})).bars} == {"fast", "", "retired"}


def test_an_empty_flow_has_axes_and_no_bars() -> None:
    flow = chart()
    assert flow.bars == ()
    assert flow.per_minute_now is None
    assert flow.ticks_y


@given(st.floats(1e-9, 1e9))
def test_the_ceiling_is_round_and_near(value: float) -> None:
    top = nice_ceiling(value)
    assert value <= top * (1 + 1e-6)
    assert top <= 2.5 * value * (1 + 1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_the_axis_of_rates_holds_every_rate_up_to_one(lows: list[float]) -> None:
    scale = rate_scale(lows)
    assert scale.low <= min(lows) + 1e-9
    assert scale.at(1.0) == pytest.approx(100.0)
    assert scale.ticks[-1].text == "100"
    assert 2 <= len(scale.ticks) <= 6


@given(st.lists(st.floats(1e-8, 1e4), min_size=1, max_size=5))
def test_the_axis_of_money_keeps_order_and_holds_every_amount(amounts: list[float]) -> None:
    scale = money_scale(amounts)
    assert scale.low <= min(amounts) * 1.001
    assert scale.high >= max(amounts) * 0.999
    positions = [scale.at(amount) for amount in sorted(amounts)]
    assert positions == sorted(positions)
    assert 2 <= len(scale.ticks) <= 16


def test_an_unbounded_end_is_at_the_right_edge() -> None:
    assert money_scale([0.001, 0.02]).at(None) == 100.0


def test_free_tiers_get_an_axis_as_well() -> None:
    assert money_scale([0.0]).at(0.0) == 0.0


def test_shares_start_at_zero() -> None:
    scale = share_scale([0.14])
    assert (scale.low, scale.high) == (0.0, 0.2)
    assert share_scale([]).high == 1.0
