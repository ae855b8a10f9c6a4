"""Does the doctor see tiers and rules that can never get a request, prices, keys, and which process runs which role?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from router.contracts import Features, Hints, Policy
from router.rules import Rules
from router.settings import RuleSettings, WhenSettings
from shadow.doctor import configuration
from shadow.doctor.findings import Finding, guarded
from shadow.doctor.processes import role_of
from shadow.errors import ConfigError
from shadow.settings import Settings, parse

PRICE = {"input_usd_per_mtok": 0.5, "output_usd_per_mtok": 2}


def settings(**changes: Any) -> Settings:
    content: dict[str, Any] = {
        "providers": {
            "lab": {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "LAB_KEY"},
            "spare": {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "SPARE_KEY"},
        },
        "tiers": [
            {"name": "fast", "models": [{"provider": "lab", "model": "small", "price": PRICE}]},
            {"name": "mid", "models": [{"provider": "lab", "model": "medium", "price": PRICE}]},
            {"name": "top", "models": [{"provider": "lab", "model": "large", "price": PRICE}]},
        ],
        "routing": {"thresholds": {"fast": 0.8, "mid": 0.6}},
    }
    return parse({**content, **changes}, source="tests")


def states(findings: list[Finding]) -> list[str]:
    return [finding.state for finding in findings]


def policy(fast: float, mid: float, band: float) -> Policy:
    return Policy(version=1, thresholds={"fast": fast, "mid": mid}, band=band)


TIERS = ("fast", "mid", "top")


@pytest.mark.parametrize(
    ("fast", "mid", "band", "said"),
    [
        (0.0, 0.6, 0.05, "threshold fast is 0: every request is predicted for it, mid and above"),
        (0.8, 1.0, 0.0, "threshold mid is 1"),
        (0.97, 0.6, 0.05, "threshold fast 0.97 plus the band 0.05 is more than 1"),
    ],
)
def test_a_threshold_that_shuts_a_tier_out_is_told(fast: float, mid: float, band: float, said: str) -> None:
    found = configuration.thresholds(policy(fast, mid, band), TIERS)
    assert states(found) == ["warn"]
    assert said in found[0].detail
    assert found[0].remedy


def test_ordinary_thresholds_are_no_finding() -> None:
    assert configuration.thresholds(policy(0.95, 0.05, 0.05), TIERS) == []
    assert states(configuration.routing(settings())) == ["ok"]


def rule(name: str, **when: Any) -> RuleSettings:
    return RuleSettings(name=name, when=WhenSettings(**when), tier="top")


@pytest.mark.parametrize(
    ("first", "second", "reached"),
    [
        ({"feature": "legal"}, {"feature": "legal"}, False),
        ({"feature": ["legal", "tax"]}, {"feature": "tax", "impact": "high"}, False),
        ({"max_words": 50}, {"max_words": 20}, False),
        ({"min_words": 5}, {"min_words": 9, "user": "mira"}, False),
        ({"contains_any": ["Contract"]}, {"contains_any": ["the contract", "CONTRACTS"]}, False),
        ({"max_words": 20}, {"max_words": 50}, True),
        ({"feature": "legal"}, {"feature": ["legal", "tax"]}, True),
        ({"feature": "legal"}, {"impact": "high"}, True),
        ({"contains_any": ["contract"]}, {"contains_any": ["contract", "deed"]}, True),
        ({"impact": "high"}, {"impact": "low"}, True),
    ],
)
def test_a_rule_behind_a_wider_one_is_never_reached(first: Any, second: Any, reached: bool) -> None:
    found = configuration.rules([rule("one", **first), rule("two", **second)])
    assert (found == []) is reached
    if found:
        assert "'two' is never reached: 'one'" in found[0].detail


def test_a_rule_that_contradicts_itself_never_matches() -> None:
    found = configuration.rules([rule("narrow", min_words=30, max_words=20)])
    assert states(found) == ["warn"]
    assert "can never match" in found[0].detail


names = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2).map(tuple)
numbers = st.none() | st.integers(0, 6)
whens = st.builds(
    dict,
    feature=names,
    user=names,
    impact=st.sampled_from([None, "low", "high"]),
    max_words=numbers,
    min_words=numbers,
    min_context_tokens=numbers,
    contains_any=st.lists(st.sampled_from(["x", "xy", "Y", "z x"]), max_size=2).map(tuple),
)


@given(
    wider=whens,
    narrower=whens,
    text=st.text("xyz ", max_size=8),
    words=st.integers(0, 6),
    tokens=st.integers(0, 6),
    feature=st.sampled_from([None, "a", "b"]),
    user=st.sampled_from([None, "b", "c"]),
    impact=st.sampled_from(["low", "normal", "high"]),
)
def test_what_is_called_covered_is_covered_in_the_router(
    wider: Any, narrower: Any, text: str, words: int, tokens: int, feature: Any, user: Any, impact: Any
) -> None:
    assume(any(wider.values()) and any(narrower.values()))
    one, two = rule("one", **wider), rule("two", **narrower)
    if configuration.covers(one.when, two.when):
        features = Features(text=text, words=words, conversation_tokens=tokens, turns=1)
        hints = Hints(feature=feature, user=user, impact=impact)
        assert Rules.of([one, two]).first_match(features, hints, "unknown") in (None, one)


def test_prices_say_where_they_come_from() -> None:
    found = configuration.prices(settings())
    assert states(found) == ["ok", "ok", "ok"]
    assert found[0].detail == "$0.5 in, $2 out per million tokens, from the configuration"


def test_a_price_from_the_table_and_one_that_nobody_knows() -> None:
    tiers = [
        {"name": "fast", "models": [{"provider": "openai", "model": "nobody-heard-of-it"}]},
        {"name": "top", "models": [{"provider": "openai", "model": "gpt-4o-mini"}]},
    ]
    openai = {"openai": {"base_url": "https://api.openai.com/v1"}}
    found = configuration.prices(settings(providers=openai, tiers=tiers, routing={"thresholds": {"fast": 0.8}}))
    assert states(found) == ["bad", "ok"]
    assert found[0].remedy.startswith("add price")
    assert found[1].detail.endswith("from the price table")


def test_keys_are_looked_at_and_never_shown() -> None:
    assert states(configuration.keys(settings(), {"LAB_KEY": "sk-secret"})) == ["ok", "warn"]
    assert states(configuration.keys(settings(), {})) == ["bad", "warn"]
    broken = configuration.keys(settings(), {"LAB_KEY": "sk-secret\nsk-secret", "SPARE_KEY": "fine"})
    assert states(broken) == ["bad", "ok"]
    assert "secret" not in repr(broken)


def test_listening_for_other_machines_needs_keys() -> None:
    everywhere = settings(server={"host": "0.0.0.0"})
    assert states(configuration.access(everywhere, {})) == ["bad"]
    assert states(configuration.access(everywhere, {"SHADOW_API_KEYS": "one,two"})) == ["ok"]


async def test_a_check_that_breaks_is_a_finding_without_the_text_of_the_error() -> None:
    async def breaks() -> list[Finding]:
        raise ValueError("Illegal header value b'Bearer sk-secret'")

    async def refuses() -> list[Finding]:
        raise ConfigError("one\ntwo")

    (found,) = await guarded("provider lab", breaks)
    assert (found.name, found.state) == ("provider lab", "bad")
    assert "secret" not in found.detail + found.remedy
    assert [finding.detail for finding in await guarded("x", refuses)] == ["one", "two"]


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (["python", "-m", "shadow.role", "router", "--config", "x"], "router"),
        (["/venv/bin/python", "/venv/bin/shadow", "worker"], "worker"),
        (["python", "-m", "shadow.cli.main", "scheduler"], "scheduler"),
        (["/venv/bin/python", "/venv/bin/shadow", "router"], None),
        (["/venv/bin/python", "/venv/bin/shadow", "up"], None),
        (["vim", "shadow.role"], None),
        ([], None),
    ],
)
def test_a_role_is_known_by_its_command_line(command: list[str], role: str | None) -> None:
    assert role_of(command) == role
