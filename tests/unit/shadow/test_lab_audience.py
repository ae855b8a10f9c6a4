"""Is the traffic what it claims: Poisson arrivals, a few heavy users, hints most of the time?"""

import itertools
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest

from shadow.lab.audience import HEAVY_USER, HEAVY_USER_SHARE, Audience
from shadow.lab.served import Served, statistics_of
from shadow.lab.world import World

N = 8000


@pytest.fixture(scope="module")
def arrivals():
    return list(itertools.islice(Audience(world=World(1, items=300), seed=4, rate=50).arrivals(), N))


def test_gaps_between_arrivals_are_exponential_with_the_given_rate(arrivals):
    times = np.array([arrival.at_seconds for arrival in arrivals])
    gaps = np.diff(times)
    assert times[0] == 0
    assert abs(gaps.mean() * 50 - 1) < 4 / np.sqrt(N)
    assert abs(gaps.std() / gaps.mean() - 1) < 0.06  # for an exponential they are equal
    assert abs((gaps > 2 / 50).mean() - np.exp(-2)) < 0.015


def test_one_user_sends_far_more_than_the_others_and_the_rest_follow_zipf(arrivals):
    counts = Counter(arrival.user for arrival in arrivals)
    assert abs(counts[HEAVY_USER] / N - HEAVY_USER_SHARE) < 0.02
    assert counts["user-001"] > 2 * counts["user-010"] > 2 * counts["user-100"]
    assert len(counts) > 150


def test_shares_of_streams_hints_and_sdk_calls_are_as_configured(arrivals):
    assert abs(sum(a.streamed for a in arrivals) / N - 0.30) < 0.02
    assert abs(sum("x-shadow-query-type" in a.headers for a in arrivals) / N - 0.70) < 0.02
    assert abs(sum("x-shadow-impact" in a.headers for a in arrivals) / N - 0.03) < 0.01
    assert abs(sum(a.by_sdk for a in arrivals) / N - 0.04) < 0.01
    assert all({"x-shadow-user", "x-shadow-feature", "x-shadow-session"} <= set(a.headers) for a in arrivals)


def test_hints_tell_the_truth(arrivals):
    assert all(a.headers.get("x-shadow-query-type", a.task.kind) == a.task.kind for a in arrivals)
    assert all(a.headers["x-shadow-feature"] == a.task.feature for a in arrivals)


def test_the_same_seed_sends_the_same_traffic(arrivals):
    again = itertools.islice(Audience(world=World(1, items=300), seed=4, rate=50).arrivals(), 50)
    assert list(again) == arrivals[:50]
    other = itertools.islice(Audience(world=World(1, items=300), seed=5, rate=50).arrivals(), 50)
    assert list(other) != arrivals[:50]


def test_the_body_asks_for_json_where_the_task_does_and_for_a_stream_where_drawn(arrivals):
    for arrival in arrivals[:300]:
        body = arrival.body("auto", 64)
        assert body["model"] == "auto"
        assert body["max_tokens"] == 64
        assert ("response_format" in body) is (arrival.task.kind == "extraction")
        assert body.get("stream", False) is arrival.streamed


def test_a_rate_of_zero_is_refused():
    with pytest.raises(ValueError, match="more than 0"):
        Audience(world=World(1, items=6), rate=0)


def record(**fields):
    defaults = {"item": 0, "kind": "short_qa", "feature": "f", "user": "u", "streamed": False, "by_sdk": False}
    return Served(**{**defaults, "status": 200, "failure": None, "latency_seconds": 0.1, **fields})


def test_statistics_add_up_answers_failures_and_truth():
    records = [
        record(tier="fast", truth=True, latency_seconds=0.1),
        record(tier="fast", truth=False, latency_seconds=0.2),
        record(model="m", truth=True, latency_seconds=0.3, cost_usd=Decimal(1)),
        record(status=503, failure="http_503"),
        record(status=0, failure="connect"),
        record(status=0, failure="connect"),
    ]
    found = statistics_of(records, seconds=2.0, delayed=1)
    assert (found.sent, found.answered, found.failed) == (6, 3, 3)
    assert found.failures == {"http_503": 1, "connect": 2}
    assert found.right_by_tier == {"fast": (1, 2), "m": (1, 1)}
    assert found.accuracy["fast"] == 0.5
    assert found.p50_seconds == pytest.approx(0.2)


def test_statistics_of_nothing_have_no_latency():
    assert statistics_of([], seconds=0.0).p50_seconds is None
