"""Policies by command: what is shown, what is written, what is refused. Real processes on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from shadow.errors import StoreError
from shadow.store import policies
from shadow.store.engine import AsyncEngine

pytestmark = pytest.mark.slow
PRICE = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}
CONFIGURED: tuple[dict[str, float], float] = ({"fast": 0.8, "mid": 0.6}, 0.05)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    """`shadow policy …` on a database of its own, as mira."""
    config = tmp_path / "shadow.yaml"
    models = {"fast": "small", "mid": "medium", "top": "large"}
    content = {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [
            {"name": tier, "models": [{"provider": "lab", "model": model, "price": PRICE}]}
            for tier, model in models.items()
        ],
        "routing": {"thresholds": CONFIGURED[0], "band": CONFIGURED[1]},
        "database": {"url": database_url},
        "data_dir": str(tmp_path / "data"),
    }
    config.write_text(yaml.safe_dump(content))

    def call(*words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "shadow.cli.main", "policy", *words],
            check=False,
            capture_output=True,
            text=True,
            input=answer,
            timeout=60,
            env={**os.environ, "SHADOW_CONFIG": str(config), "USER": "mira"},
        )

    return call


def plain(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_policy_is_applied_listed_shown_and_rolled_back(run: Run, tmp_path: Path) -> None:
    applied = plain(
        run("apply", "--threshold", "fast=0.82", "--band", "0.04", "--reason", "too many slips", "-y", "--json")
    )
    # The configuration's thresholds went first, or the first start of a scheduler would put them over this policy.
    assert applied["version"] == 2
    assert applied["changes"] == [
        {"name": "fast", "from": 0.8, "to": 0.82},
        {"name": "band", "from": 0.05, "to": 0.04},
    ]
    newest, first = plain(run("list", "--json"))["policies"]
    assert (newest["author"], newest["origin"], newest["reason"]) == ("mira", "user", "too many slips")
    assert (newest["in_force"], first["in_force"], first["origin"]) == (True, False, "config")

    shown = plain(run("show", "1", "--json"))
    assert (shown["thresholds"], shown["band"]) == CONFIGURED
    back = plain(run("rollback", "--reason", "it was the weather", "--author", "zoe", "--yes", "--json"))
    assert back["version"] == 3
    newest = plain(run("show", "--json"))
    assert (newest["thresholds"], newest["band"], newest["origin"]) == (*CONFIGURED, "rollback")
    assert newest["author"] == "zoe"

    # What `show` prints can be applied; and a policy that is in force already is not written again.
    file = tmp_path / "old.json"
    file.write_text(run("show", "2", "--json").stdout)
    assert plain(run("apply", str(file), "--reason", "again", "-y", "--json"))["version"] == 4
    assert plain(run("apply", str(file), "--reason", "again", "-y", "--json")) == {
        "version": 4,
        "changes": [],
        "applied": False,
    }
    assert plain(run("rollback", "--to", "1", "--reason", "once more", "-y", "--json"))["version"] == 5
    table = run("list", "--limit", "2").stdout
    assert "fast 0.82 -> 0.8, band 0.04 -> 0.05" in table
    assert "mira (rollback)" in table


def test_nothing_is_changed_without_a_yes(run: Run) -> None:
    words = ("apply", "--threshold", "fast=0.9", "--reason", "try")
    silent, declined = run(*words), run(*words, answer="n\n")
    assert (silent.returncode, declined.returncode) == (2, 1)
    assert "fast         0.8 -> 0.9" in silent.stdout
    assert "--yes" in silent.stderr.splitlines()[-1]
    assert "nothing was changed" in declined.stderr
    assert plain(run("list", "--json")) == {"policies": []}
    assert run(*words, answer="y\n").returncode == 0
    assert plain(run("show", "--json"))["thresholds"] == {"fast": 0.9, "mid": 0.6}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("apply", "--threshold", "quick=0.5", "--reason", "x"), "unknown tier 'quick'"),
        (("apply", "--threshold", "top=0.5", "--reason", "x"), "'top' is the top tier"),
        (("apply", "--threshold", "fast=1.5", "--reason", "x"), "'fast=1.5' is not TIER=VALUE"),
        (("apply", "--threshold", "fast=0.5"), "Missing option '--reason'"),
        (("apply", "--threshold", "fast=0.5", "--reason", " "), "say why"),
        (("apply", "--reason", "x"), "name a FILE, a --threshold or a --band"),
        (("rollback", "--reason", "x"), "no policy is stored yet"),
        (("show",), "no policy is stored yet"),
        (("show", "9"), "there is no policy version 9"),
    ],
)
def test_what_can_not_be_done_is_one_line_and_changes_nothing(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


async def _put(engine: AsyncEngine, expected: int | None, fast: float) -> int:
    async with engine.begin() as connection:
        return await policies.replace(
            connection,
            expected=expected,
            configured=CONFIGURED,
            thresholds={"fast": fast, "mid": 0.6},
            band=0.05,
            author="mira",
            origin="user",
            reason="test",
        )


async def test_of_two_who_change_the_same_policy_one_is_told(empty_engine: AsyncEngine) -> None:
    version = await _put(empty_engine, None, 0.7)
    results = await asyncio.gather(
        _put(empty_engine, version, 0.71), _put(empty_engine, version, 0.72), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, StoreError)]
    assert len(refused) == 1
    assert "came into force meanwhile" in str(refused[0])
    async with empty_engine.connect() as connection:
        assert len(await policies.history(connection)) == 3  # the configuration's, the first, and one of the two


async def test_a_persons_policy_survives_the_first_start_of_a_scheduler(empty_engine: AsyncEngine) -> None:
    version = await _put(empty_engine, None, 0.7)
    async with empty_engine.begin() as connection:
        assert await policies.adopt_configured(connection, thresholds=CONFIGURED[0], band=CONFIGURED[1]) is None
        in_force = await policies.newest(connection)
    assert in_force is not None
    assert in_force.policy.version == version
