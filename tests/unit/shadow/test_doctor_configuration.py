"""Does the doctor see tiers and rules that can never get a request, prices, keys, and which process runs which role?"""

from __future__ import annotations

from typing import Any

import pytest

from router.contracts import Policy
from shadow.doctor import configuration
from shadow.doctor.findings import Finding, guarded
from shadow.doctor.processes import role_of
from shadow.doctor.thresholds import about_thresholds
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
        "routing": {"thresholds": {"fast": 0.85, "mid": 0.85}},
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
    found = about_thresholds(policy(fast, mid, band), TIERS, scorer="learned")
    assert states(found) == ["warn"]
    assert said in found[0].detail
    assert found[0].remedy


def test_ordinary_thresholds_are_no_finding() -> None:
    assert about_thresholds(policy(0.95, 0.05, 0.05), TIERS, scorer="learned") == []
    assert states(configuration.routing(settings())) == ["ok"]


def test_a_query_type_that_neither_the_examples_nor_a_known_name_give_is_told() -> None:
    rule = {"name": "r", "when": {"query_type": ["cod", "unknown"]}, "tier": "top"}
    content = {"thresholds": {"fast": 0.85, "mid": 0.85}, "rules": [rule]}
    assert states(configuration.routing(settings(routing=content))) == ["ok"], "hints may say anything"
    (found,) = configuration.routing(settings(routing={**content, "query_types": {"classifier": "centroid"}}))
    assert found.state == "warn"
    assert "'cod'" in found.detail


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
