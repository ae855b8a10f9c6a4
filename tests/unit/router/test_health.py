"""Does a breaker open, probe and close when it should?"""

import pytest

from router.health import BreakerRule, Health


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


def test_a_pause_that_a_provider_asked_for_holds_for_everybody_and_opens_nothing(health, clock):
    health.pause("m", 5)
    assert not health.admits("m")
    assert health.pause_left_seconds("m") == 5
    assert health.retry_after_seconds("m") == 5
    assert health.state("m") == "closed"
    assert health.admits("other")
    health.pause("m", 1)  # a later and shorter one does not shorten it
    clock.now += 4.9
    assert not health.admits("m")
    clock.now += 0.2
    assert health.admits("m")
    assert health.pause_left_seconds("m") == 0


def test_a_pause_ends_a_probe_without_an_opinion(health, clock):
    fail(health, 3)
    clock.now += 10
    assert health.admits("m")
    health.pause("m", 1)
    clock.now += 1
    assert health.admits("m")  # the probe is still to be had


def test_a_key_can_have_a_rule_of_its_own(clock):
    rules = {"strict": BreakerRule(failures=1, cooldown_seconds=99)}
    health = Health(failures=3, cooldown_seconds=10, clock=clock, rules=rules)
    health.failed("strict")
    health.failed("m")
    assert (health.state("strict"), health.state("m")) == ("open", "closed")
    assert health.retry_after_seconds("strict") == 99


def test_a_health_check_comes_before_the_probe_where_there_is_one(clock):
    health = Health(failures=1, cooldown_seconds=10, clock=clock, checked=["m"])
    health.failed("m")
    assert health.due_for_check() == []  # not before the cool-down is over
    clock.now += 10
    assert health.due_for_check() == ["m"]
    assert not health.admits("m")
    assert health.state("m") == "open"
    health.checked("m", healthy=False)
    assert health.due_for_check() == []
    assert health.retry_after_seconds("m") == 20
    clock.now += 20
    health.checked("m", healthy=True)
    assert health.state("m") == "half_open"
    assert health.admits("m")
    assert not health.admits("m")  # one probe at a time
    health.succeeded("m")
    assert health.state("m") == "closed"


def test_a_failed_probe_asks_for_a_new_health_check(clock):
    health = Health(failures=1, cooldown_seconds=10, clock=clock, checked=["m"])
    health.failed("m")
    clock.now += 10
    health.checked("m", healthy=True)
    assert health.admits("m")
    health.failed("m")
    clock.now += 20
    assert not health.admits("m")
    assert health.due_for_check() == ["m"]


def test_a_health_check_of_what_is_well_changes_nothing(health):
    health.checked("m", healthy=False)
    assert health.state("m") == "closed"
    assert health.admits("m")
