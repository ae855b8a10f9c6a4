"""What a change of the thresholds would change, and which changes are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contracts import Policy
from shadow.errors import ConfigError
from shadow.policy_change import Change, changed, difference, read_change

TIERS = ("fast", "mid", "top")
NOW = Policy(version=3, thresholds={"fast": 0.8, "mid": 0.6}, band=0.05)


def changed_to(thresholds: dict[str, float], band: float | None = None, **own: dict[str, float]) -> Policy:
    return changed(NOW, TIERS, Change(thresholds=thresholds, band=band, by_query_type=own))


def test_what_is_not_named_stays() -> None:
    assert changed_to({"fast": 0.82}) == replace(NOW, thresholds={"fast": 0.82, "mid": 0.6})
    assert changed_to({}, 0.0) == replace(NOW, band=0.0)


def test_a_query_type_has_thresholds_of_its_own_until_they_are_taken_away() -> None:
    there = changed_to({"mid": 0.7}, math={"fast": 0.9})
    assert there.by_query_type == {"math": {"fast": 0.9, "mid": 0.7}}
    assert difference(NOW, there) == [("mid", 0.6, 0.7), ("math/fast", None, 0.9), ("math/mid", None, 0.7)]
    assert changed(there, TIERS, Change(by_query_type={"code": {"fast": 0.5}})).by_query_type == {
        "math": {"fast": 0.9, "mid": 0.7},
        "code": {"fast": 0.5, "mid": 0.7},
    }
    assert changed(there, TIERS, Change(by_query_type={"math": {}})).by_query_type == {}


def test_a_tier_that_is_gone_from_the_configuration_is_left_out() -> None:
    there = changed(NOW, ("fast", "top"), Change(thresholds={"fast": 0.9}))
    assert there.thresholds == {"fast": 0.9}
    assert difference(NOW, there) == [("fast", 0.8, 0.9), ("mid", 0.6, None)]


@pytest.mark.parametrize(
    ("tiers", "thresholds", "said"),
    [
        (TIERS, {"quick": 0.5}, "unknown tier 'quick'; tiers with a threshold are fast, mid"),
        (TIERS, {"top": 0.5}, "'top' is the top tier"),
        (("fast", "new", "top"), {"fast": 0.5}, "no threshold for tier 'new'"),
    ],
)
def test_a_change_that_does_not_fit_the_tiers_is_refused(
    tiers: tuple[str, ...], thresholds: dict[str, float], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        changed(NOW, tiers, Change(thresholds=thresholds))


shares = st.floats(0, 1)


@given(fast=shares, mid=shares, band=shares)
def test_a_change_and_its_reverse_are_no_difference(fast: float, mid: float, band: float) -> None:
    there = changed_to({"fast": fast, "mid": mid}, band)
    back = changed(there, TIERS, Change(thresholds=NOW.thresholds, band=NOW.band))
    assert difference(NOW, back) == []
    assert {name: after for name, _, after in difference(NOW, there)} == {
        name: after
        for name, before, after in (("fast", 0.8, fast), ("mid", 0.6, mid), ("band", 0.05, band))
        if before != after
    }


def test_a_file_is_yaml_or_what_show_prints(tmp_path: Path) -> None:
    file = tmp_path / "policy"
    file.write_text("thresholds: {fast: 0.7}\nband: 0\n")
    assert read_change(file) == Change(thresholds={"fast": 0.7}, band=0.0)
    shown = {"version": 3, "thresholds": {"fast": 0.7}, "author": "mira", "in_force": True}
    file.write_text(json.dumps(shown))
    assert read_change(file) == Change(thresholds={"fast": 0.7})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("thresholds: {fast: 2.2}", "thresholds.fast: must be a number from 0 to 2, found 2.2"),
        ("thresholds: {fast: yes}", "found True"),
        ("thresholds: {fast: .nan}", "found nan"),
        ("{thresholds: {fast: 0.5}, bandd: 0.1}", "bandd: unknown key"),
        ("fast: 0.5", "must hold `thresholds`"),
        ("{thresholds: {}, by_query_type: {math: 0.4}}", "by_query_type: must map query types"),
        ("{thresholds: {}, by_query_type: {math: {fast: -1}}}", "by_query_type.math.fast: must be a number"),
        ("[1]", "must hold `thresholds`"),
        ("a: [", "neither YAML nor JSON"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_its_name(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=said) as caught:
        read_change(file)
    assert str(file) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere: no such file"):
        read_change(tmp_path / "nowhere")
