"""Upgrades by command: what is proposed, shown and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from shadow.cli.upgrade import upgrade
from shadow.errors import RefusedError

pytestmark = pytest.mark.slow
PRICE = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}


def test_a_candidate_is_proposed_shown_and_rejected(database_url: str, tmp_path: Path) -> None:
    config = tmp_path / "shadow.yaml"
    content = {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [
            {"name": tier, "models": [{"provider": "lab", "model": f"{tier}-1", "price": PRICE}]}
            for tier in ("fast", "top")
        ],
        "routing": {"thresholds": {"fast": 0.8}},
        "database": {"url": database_url},
        "data_dir": str(tmp_path / "data"),
    }
    config.write_text(yaml.safe_dump(content))
    runner = CliRunner(env={"SHADOW_CONFIG": str(config), "USER": "mira"})
    proposal = ("propose", "--tier", "fast", "--to", "lab:fast-2", "--from", "lab:fast-1", "--reason", "cheaper")

    without_price = runner.invoke(upgrade, proposal)
    assert "name it with --price" in str(without_price.exception)
    by_rule = runner.invoke(upgrade, [*proposal, "--price", "0,0.5", "--by", "tuner"])
    assert "a decision needs the name of a person" in str(by_rule.exception)
    wrong = runner.invoke(upgrade, [*proposal, "--price", "free"])
    assert wrong.exit_code == 2
    assert "'free' is not INPUT,OUTPUT" in wrong.output
    made = runner.invoke(upgrade, [*proposal, "--price", "0,0.5", "--rate", "0.5", "--json"])
    assert json.loads(made.output) == {"upgrade": 1}
    assert "fast-1 -> fast-2" in runner.invoke(upgrade, ["status", "1"]).output
    [shown] = json.loads(runner.invoke(upgrade, ["status", "--json"]).output)["upgrades"]
    assert (shown["state"], shown["proposed_by"], shown["design"]["rate"]) == ("proposed", "mira", 0.5)
    for words in (("approve", "1", "--by", "jon"), ("promote", "1"), ("rollback", "1", "--reason", "x")):
        assert isinstance(runner.invoke(upgrade, words).exception, RefusedError)
    assert "is rejected" in runner.invoke(upgrade, ["reject", "1", "--reason", "not now"]).output
    assert "rejected" in runner.invoke(upgrade, ["status"]).output
