"""Numbers, money and moments read well on the console, whatever their size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.console.wording import ago, clock, count, duration, percent, percent_interval, usd

NOW = datetime(2026, 3, 14, 9, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"),
        (None, "∞"),
        (Decimal(20), "$20"),
        (5.013, "$5.01"),
        (1204.4, "$1,204"),
        (0.37, "$0.37"),
        (0.364, "$0.364"),
        (0.002144, "$0.00214"),
        (-9.07, "−$9.07"),
        (0.1, "$0.10"),
    ],
)
def test_money_has_as_many_digits_as_it_deserves(amount: float | None, text: str) -> None:
    assert usd(amount) == text


@given(st.floats(1e-6, 1e9))
def test_money_is_never_off_by_more_than_one_percent(amount: float) -> None:
    shown = float(usd(amount).replace("$", "").replace(",", ""))
    assert abs(shown - amount) <= 0.0101 * amount


def test_rates_are_shown_in_percent() -> None:
    assert percent(0.9563) == "95.6\u202f%"
    assert percent(None) == "–"
    assert percent_interval(0.9, 0.981) == "90.0 – 98.1\u202f%"


def test_counts_have_their_thousands_apart() -> None:
    assert count(1234567.0) == "1\u202f234\u202f567"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (3600, "1 h ago"), (86400, "24 h ago"), (172800, "2 d ago")],
)
def test_moments_are_told_by_their_distance(seconds: int, text: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text


def test_a_moment_that_lies_ahead_by_a_skewed_clock_is_now() -> None:
    assert ago(NOW + timedelta(seconds=3), NOW) == "0 s ago"


def test_clock_times_are_utc() -> None:
    assert clock(NOW) == "2026-03-14 09:05:12"


@pytest.mark.parametrize(
    ("seconds", "text"), [(15, "15 s"), (900, "15 min"), (5400, "1.5 h"), (86400, "1 day"), (2419200, "28 days")]
)
def test_durations_are_told_in_the_largest_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text
