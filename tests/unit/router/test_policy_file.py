"""Does a router follow its policy file, and survive a broken one?"""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import PolicyUnreadable
from router.policy_file import FilePolicySource, parse_policy

TIERS = ("fast", "mid", "top")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "policy.json"


def source(path):
    return FilePolicySource(path, tiers=TIERS, thresholds={"fast": 0.8, "mid": 0.7}, band=0.05)


def publish(path, **changes):
    """As the shadow side does it: a new file, renamed."""
    fields = {"version": 3, "thresholds": {"fast": 0.9, "mid": 0.6}, "band": 0.1, **changes}
    new = path.with_suffix(".new")
    new.write_text(json.dumps(fields))
    new.replace(path)


def test_without_a_file_the_configuration_applies_as_version_0(path):
    policy = source(path).current()
    assert (policy.version, policy.thresholds, policy.band) == (0, {"fast": 0.8, "mid": 0.7}, 0.05)


def test_a_file_that_is_there_at_the_start_applies_at_once(path):
    publish(path)
    policy = source(path).current()
    assert (policy.version, policy.thresholds, policy.band) == (3, {"fast": 0.9, "mid": 0.6}, 0.1)


def test_a_broken_file_leaves_the_last_good_policy_and_is_counted_once(path):
    publish(path)
    followed = source(path)
    path.write_text("{nonsense")
    followed.refresh()
    followed.refresh()
    assert (followed.current().version, followed.failures) == (3, 1)
    publish(path, version=4)
    followed.refresh()
    assert followed.current().version == 4


def test_a_withdrawn_file_brings_the_configuration_back(path):
    publish(path)
    followed = source(path)
    path.unlink()
    followed.refresh()
    assert followed.current().version == 0


async def test_a_running_source_picks_up_a_change(path):
    followed = source(path)
    await followed.start()
    publish(path, version=8)
    async with asyncio.timeout(5):
        while followed.current().version != 8:
            await asyncio.sleep(0.01)
    await followed.close()


def test_tiers_that_are_no_more_are_ignored_and_a_missing_band_is_the_configured_one():
    content = json.dumps({"version": 2, "thresholds": {"fast": 1, "mid": 0, "gone": 0.3}, "by": "ana"}).encode()
    policy = parse_policy(content, ("fast", "mid"), 0.07)
    assert (policy.thresholds, policy.band) == ({"fast": 1.0, "mid": 0.0}, 0.07)
    assert policy.thresholds_for("math") == policy.thresholds


def test_a_query_type_may_have_thresholds_of_its_own():
    fields = {"version": 2, "thresholds": {"fast": 1}, "by_query_type": {"math": {"fast": 2, "gone": 0.3}}}
    policy = parse_policy(json.dumps(fields).encode(), ("fast",), 0.07)
    assert policy.thresholds_for("math") == {"fast": 2.0}
    assert policy.thresholds_for("code") == {"fast": 1.0}


@pytest.mark.parametrize(
    "fields",
    [
        [],
        {},
        {"version": 0, "thresholds": {"fast": 0.5}},
        {"version": True, "thresholds": {"fast": 0.5}},
        {"version": "1", "thresholds": {"fast": 0.5}},
        {"version": 1, "thresholds": []},
        {"version": 1, "thresholds": {"mid": 0.5}},
        {"version": 1, "thresholds": {"fast": 2.5}},
        {"version": 1, "thresholds": {"fast": 0.5}, "by_query_type": []},
        {"version": 1, "thresholds": {"fast": 0.5}, "by_query_type": {"math": {"mid": 0.5}}},
        {"version": 1, "thresholds": {"fast": True}},
        {"version": 1, "thresholds": {"fast": None}},
        {"version": 1, "thresholds": {"fast": 0.5}, "band": -1},
    ],
)
def test_what_is_no_policy_is_refused(fields):
    with pytest.raises(PolicyUnreadable):
        parse_policy(json.dumps(fields).encode(), ("fast",), 0.05)


@given(content=st.binary())
def test_no_content_does_anything_but_be_refused(content):
    with pytest.raises(PolicyUnreadable):
        parse_policy(content, ("fast",), 0.05)
