"""Does a pin of the policy file switch just the requests that it should, and leave everything else alone?"""

import json
from collections import deque

import pytest

from router.errors import PolicyUnreadable, UpstreamFailed
from router.pins import Pins, in_share
from router.policy_file import FilePolicySource, parse_policy
from router.pool import build_pool
from router.testing.configured import router_settings
from router.testing.inprocess import Front
from router.testing.instant import run_instantly
from router.testing.upstream import ScriptedUpstream

NEW = {"provider": "p", "model": "fast-2", "price": {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}}
SETTINGS = router_settings("http://127.0.0.1:9/v1", provider={"max_retries": 0})
IDS = [f"request-{i}" for i in range(400)]


class Policies:
    """A policy file that a test rewrites."""

    def __init__(self, path):
        self.path = path
        self.source = FilePolicySource(path, tiers=("fast", "top"), thresholds={"fast": 0.5}, band=0.0)

    def say(self, version, **pin):
        whole = {
            "version": version,
            "upgrade_id": 7,
            "tier": "fast",
            "configured": {"provider": "p", "model": "fast-a"},
        }
        self.path.write_text(
            json.dumps(
                {"version": 1, "thresholds": {"fast": 0.5}, "band": 0, "pins": [{**whole, **pin}] if pin else []}
            )
        )
        self.source.refresh()


def first_models(pins):
    return {request_id: pins.chains_for(request_id)["fast"][0].model for request_id in IDS}


def test_a_canary_serves_its_share_then_all_then_none_again(tmp_path):
    policies = Policies(tmp_path / "policy.json")
    pins = Pins(build_pool(SETTINGS, {}), SETTINGS, policies.source, {})
    unswitched = pins.chains_for("x")
    policies.say(1, candidate=NEW, share=0.25)
    served = first_models(pins)
    assert {i for i, model in served.items() if model == "fast-2"} == {i for i in IDS if in_share(i, 7, 0.25)}
    assert 60 <= list(served.values()).count("fast-2") <= 140
    in_canary = next(i for i in IDS if in_share(i, 7, 0.25))
    assert [target.model for target in pins.chains_for(in_canary)["fast"]] == ["fast-2", "fast-a", "fast-b"]
    policies.say(2, pinned=NEW)
    assert [target.model for target in pins.chains_for("x")["fast"]] == ["fast-2", "fast-b"]
    policies.say(3)
    assert pins.chains_for("x") == unswitched


@pytest.mark.parametrize(
    "pin",
    [
        {"pinned": {**NEW, "provider": "gone"}},
        {"pinned": {**NEW, "price": None}},
        {"pinned": NEW, "configured": {"provider": "p", "model": "another"}},
        {"pinned": NEW, "tier": "gone"},
    ],
)
def test_a_pin_that_cannot_be_used_leaves_the_configured_models_in_place(tmp_path, pin):
    policies = Policies(tmp_path / "policy.json")
    policies.say(1, **pin)
    pool = build_pool(SETTINGS, {})
    assert Pins(pool, SETTINGS, policies.source, {}).chains_for("x") == dict(pool.chains)


@pytest.mark.parametrize("pins", [{}, [3], [{"version": 1}], [{"tier": "fast", "configured": 3}]])
def test_broken_pins_leave_the_last_good_policy(pins):
    content = json.dumps({"version": 1, "thresholds": {"fast": 0.5}, "pins": pins}).encode()
    with pytest.raises(PolicyUnreadable, match="pins"):
        parse_policy(content, ("fast",), 0.0)


def test_a_candidate_that_fails_leaves_its_request_to_the_pinned_model_and_a_named_model_is_served_as_named(tmp_path):
    policies = Policies(tmp_path / "policy.json")
    policies.say(1, candidate=NEW, share=1.0)

    async def scenario():
        failing = deque(["Paris.", UpstreamFailed("connect")])
        upstream = ScriptedUpstream({"fast-2": failing, "fast-a": deque(["Paris.", "Paris."])})
        front = Front(SETTINGS, upstream, policy=policies.source)
        answers = [await front.ask(model="fast", request_id=f"r{i}") for i in range(2)]
        return [*answers, await front.ask(model="fast-a", request_id="r3")], front.exchanges

    answers, exchanges = run_instantly(scenario)
    assert [answer.model for answer in answers] == ["fast-2", "fast-a", "fast-a"]
    assert [answer.headers["x-shadow-tier"] for answer in answers] == ["fast"] * 3
    assert [(a.model, a.outcome) for a in exchanges[1].attempts] == [("fast-2", "connect"), ("fast-a", "ok")]
