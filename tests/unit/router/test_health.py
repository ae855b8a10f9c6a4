"""Does a breaker open, probe and close when it should?"""

import pytest

from router.health import Health


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def health(clock):
    return Health(failures=3, cooldown_seconds=10, clock=clock)


def fail(health, times=1):
    for _ in range(times):
        assert health.admits("m")
        health.failed("m")


def test_it_opens_after_as_many_failures_in_a_row_and_not_before(health):
    fail(health, 2)
    health.succeeded("m")
    fail(health, 2)
    assert health.state("m") == "closed"
    fail(health)
    assert health.state("m") == "open"
    assert not health.admits("m")
    assert health.retry_after_seconds("m") == 10


def test_models_do_not_share_a_breaker(health):
    fail(health, 3)
    assert health.admits("other")
    assert health.retry_after_seconds("other") == 0


def test_after_the_cool_down_exactly_one_probe_goes_through(health, clock):
    fail(health, 3)
    clock.now += 10
    assert health.state("m") == "half_open"
    assert health.admits("m")
    assert not health.admits("m")
    health.succeeded("m")
    assert health.state("m") == "closed"
    assert health.admits("m")


def test_a_failed_probe_doubles_the_pause_up_to_eight_times(health, clock):
    fail(health, 3)
    pauses = []
    for _ in range(6):
        pauses.append(health.retry_after_seconds("m"))
        clock.now += pauses[-1]
        fail(health)
    assert pauses == [10, 20, 40, 80, 80, 80]


def test_a_probe_that_says_nothing_makes_room_for_the_next(health, clock):
    fail(health, 3)
    clock.now += 10
    assert health.admits("m")
    health.abandoned("m")
    assert health.admits("m")


def test_stragglers_that_fail_while_it_is_open_do_not_prolong_the_pause(health, clock):
    fail(health, 3)
    clock.now += 5
    health.failed("m")
    assert health.retry_after_seconds("m") == 5
