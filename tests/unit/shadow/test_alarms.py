"""Each alarm says when something is wrong, with figures, and stays quiet and closes when it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from shadow.alarms import backlog, budget, channel_down, coverage, failures, model_down
from shadow.alarms.reading import Reading
from shadow.statistics.exact_share import exact_interval
from shadow.store.alarm_rows import ModelAttempts
from shadow.store.deliveries import ChannelState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def money(spent: float, *, shed: int = 0, was_open: bool = False) -> Reading | None:
    return budget.decide(
        "mirror", (Decimal(str(spent)), Decimal(1)), 20.0, shed=shed, bar=0.8, was_open=was_open, now=NOON
    )


def test_a_budget_is_told_at_its_share_when_it_is_used_up_and_closes_below() -> None:
    told = [money(14.9), money(15.0), money(14.9, was_open=True), money(13.9, was_open=True), money(19.0)]
    assert [one and one.severity for one in told] == [None, "warning", "warning", None, "critical"]
    assert told[1] is not None
    assert "$16.00 of today's $20.00 (80.0%)" in told[1].message
    assert "used up at 15:00 UTC" in told[1].message
    left_out = money(15.5, shed=1200)
    assert left_out is not None
    assert (left_out.severity, "1,200 samples" in left_out.message) == ("critical", True)
    assert budget.decide("judge", (Decimal(0), Decimal(0)), 0, shed=0, bar=0.8, was_open=False, now=NOON) is None


@pytest.mark.parametrize(
    ("recent", "before", "was_open", "severity"),
    [
        ((94, 100), (0, 0), False, None),  # may well be 95 %
        ((860, 1000), (9800, 10_000), False, "warning"),
        ((860, 1000), (8600, 10_000), False, "info"),  # as it ever was
        ((860, 1000), (0, 0), False, "warning"),
        ((300, 1000), (9800, 10_000), False, "critical"),
        ((949, 1000), (9600, 10_000), True, "info"),  # not back yet
        ((951, 1000), (9800, 10_000), True, None),
    ],
)
def test_coverage_is_told_where_it_is_proven_low(
    recent: tuple[int, int], before: tuple[int, int], was_open: bool, severity: str | None
) -> None:
    found = coverage.decide("fast", recent, before, bar=0.95, was_open=was_open)
    assert found.severity == severity, found.message


def test_what_was_shed_is_not_counted_as_missing() -> None:
    states = [("fast", "judged", 90), ("fast", "abstained", 10), ("fast", "shed", 400), ("mid", "sampled", 5)]
    assert coverage.counted(states) == {"fast": (90, 100), "mid": (0, 5)}


def test_failing_mirrors_are_told_where_it_is_proven() -> None:
    told = [
        failures.decide(k, 200, "http_503", bar=0.1, was_open=o)
        for k, o in ((25, 0), (45, 0), (15, 1), (9, 1), (180, 0))
    ]
    assert [one and one.severity for one in told] == [None, "warning", "warning", None, "critical"]
    assert failures.decide(0, 0, None, bar=0.1, was_open=True) is None
    judge = failures.decide(90, 300, "not reached", bar=0.1, was_open=False, key="rubric@1")
    assert judge is not None
    assert (judge.key, judge.severity) == ("rubric@1", "warning")
    assert "30.0% of 300 answers that rubric@1 was asked about" in judge.message


def test_a_model_that_answers_nothing_for_minutes_is_told() -> None:
    def seen(failed: int, minutes: float) -> Reading:
        at = NOON - timedelta(minutes=minutes)
        attempts = ModelAttempts(key="lab/a", failed_since_answer=failed, first_failed_at=at, last_outcome="http_503")
        return model_down.decide(attempts, minutes=10, now=NOON)

    assert [seen(*x).severity for x in ((3, 10), (2, 60), (500, 9))] == ["critical", None, None]
    assert "12 minutes: 7 attempts failed (last: http_503)" in seen(7, 12).message


def test_work_that_waits_and_records_that_are_late_are_told() -> None:
    def waiting(count: int, was_open: bool) -> str | None:
        old = NOON - timedelta(hours=5)
        return backlog.decide("judge", count, old, minutes=120, was_open=was_open, now=NOON).severity

    assert [waiting(9, False), waiting(10, False), waiting(1, True), waiting(0, True)] == [
        None,
        "warning",
        "warning",
        None,
    ]

    def late(minutes: float, was_open: bool) -> str | None:
        return backlog.decide_late(40, 60 * minutes, minutes=15, was_open=was_open).severity

    assert [late(14, False), late(16, False), late(8, True), late(7, True)] == [None, "warning", "warning", None]


def test_a_channel_that_takes_nothing_for_an_hour_is_told() -> None:
    def state(minutes: float) -> str | None:
        waits = ChannelState(
            waiting=2,
            oldest_waiting_at=NOON - timedelta(minutes=minutes),
            last_delivered_at=None,
            last_error="error=503.",
        )
        return channel_down.decide("team", waits, now=NOON).severity

    assert [state(59), state(60)] == [None, "warning"]


@given(st.integers(1, 400), st.data())
def test_the_exact_interval_covers_every_share_and_mirrors_itself(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    low, high = exact_interval(k, n) or (1.0, 0.0)
    other = exact_interval(n - k, n) or (1.0, 0.0)
    assert other == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert low <= k / n <= high
    share = data.draw(st.floats(0.001, 0.999))
    covered = [i for i in range(n + 1) if (ends := exact_interval(i, n)) and ends[0] <= share <= ends[1]]
    assert binom.pmf(covered, n, share).sum() >= 0.95 - 1e-9, "never less than promised, at any share"


def test_the_exact_interval_is_the_published_one() -> None:
    assert exact_interval(8, 10) == pytest.approx((0.4439045, 0.9747893), abs=1e-7)
    assert exact_interval(0, 10) == pytest.approx((0.0, 0.3084971), abs=1e-7)
    assert exact_interval(0, 0) is None
    with pytest.raises(ValueError, match="11 of 10"):
        exact_interval(11, 10)
