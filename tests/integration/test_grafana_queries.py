"""Every panel of the dashboard finds something in a filled store; a query that fails or finds nothing is reported."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from shadow.cli.grafana import grafana
from shadow.grafana.check import PanelCheck, check_dashboard, check_rules
from shadow.grafana.files import read_dashboard
from shadow.grafana.rules import rules
from shadow.settings import Settings
from shadow.store.engine import AsyncEngine, engine_for, utc_now
from shadow.store.grafana_queries import run_query

pytestmark = pytest.mark.slow


async def checked(engine: AsyncEngine, dashboard: dict[str, Any] | None = None) -> list[PanelCheck]:
    now = utc_now()
    return await check_dashboard(engine, dashboard or read_dashboard(), since=now - timedelta(hours=24), until=now)


def config_file(tmp_path: Path, settings: Settings, url: str) -> Path:
    content = settings.model_dump(mode="json", exclude={"data_dir"}) | {"database": {"url": url}}
    path = tmp_path / "shadow.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


async def test_every_panel_shows_something(filled_engine: AsyncEngine) -> None:
    checks = await checked(filled_engine)
    assert [one for one in checks if one.problem is not None] == []
    assert [one for one in checks if one.rows == 0] == []
    titles = [one.panel for one in checks]
    for tier in ("fast", "balanced", "frontier"):
        assert {f"Accuracy of {tier}", f"Cost per success of {tier}", f"Escalation rate from {tier}"} <= set(titles)
    panels = [panel for panel in read_dashboard()["panels"] if panel["type"] != "row"]
    rules_seen = await check_rules(filled_engine, rules())
    assert [one for one in rules_seen if one.problem is not None] == []
    assert {"rule budget", "rule scheduler_silent"} <= {one.panel for one in rules_seen}
    assert len(checks) == 2 + len(panels) + 2 * 3  # the three panels that repeat appear for three tiers


async def test_tiers_are_offered_cheapest_first(filled_engine: AsyncEngine) -> None:
    variable, modes = read_dashboard()["templating"]["list"]
    assert [row[0] for row in (await run_query(filled_engine, modes["query"])).rows] == ["route"]
    found = await run_query(filled_engine, variable["query"])
    assert [row[0] for row in found.rows] == ["fast", "balanced", "frontier"]


async def test_an_empty_store_fails_the_check(empty_engine: AsyncEngine) -> None:
    checks = {one.panel: one for one in await checked(empty_engine)}
    assert checks["variable tier"].problem == "no tier has figures yet"
    assert checks["Accuracy"].problem == "empty"


async def test_a_broken_query_is_reported_with_the_databases_own_words(filled_engine: AsyncEngine) -> None:
    broken = copy.deepcopy(read_dashboard())
    panels = [panel for panel in broken["panels"] if panel["type"] != "row"]
    panels[0]["targets"][0]["rawSql"] = "SELECT now() AS time, nothing FROM estimates"
    panels[1]["targets"][0]["rawSql"] = "SELECT $__unknown(x)"
    panels[2]["targets"][0]["rawSql"] = "DELETE FROM estimates RETURNING 1"
    panels[5]["targets"][0]["rawSql"] = "SELECT 1 AS value"
    problems = {one.panel: one.problem for one in await checked(filled_engine, broken)}
    assert problems[panels[0]["title"]] == 'column "nothing" does not exist'
    assert problems[panels[1]["title"]] == "unknown macro $__unknown"
    assert "read-only transaction" in str(problems[panels[2]["title"]])
    assert problems[panels[5]["title"]] == "a time series needs a column `time`"
    assert problems["Funnel"] is None


async def test_percent_signs_and_casts_reach_the_database_as_they_are(filled_engine: AsyncEngine) -> None:
    found = await run_query(filled_engine, "SELECT 'a%b' LIKE 'a%' AS fits, 7 % 4 AS rest, '12:30'::time AS at")
    assert found.error is None
    assert found.rows[0][:2] == (True, 3)


def test_the_command_prints_a_table_and_is_content_with_a_filled_store(
    tmp_path: Path, filled_database_url: str, console_config: Settings
) -> None:
    config = config_file(tmp_path, console_config, filled_database_url)
    done = CliRunner().invoke(grafana, ["check", "--config", str(config)])
    assert done.exit_code == 0, done.output
    for words in ("panel", "rows", "ms", "Funnel", "Accuracy of frontier", "ok"):
        assert words in done.output


def test_the_command_fails_on_an_empty_store_and_speaks_json(
    tmp_path: Path, database_url: str, console_config: Settings
) -> None:
    config = config_file(tmp_path, console_config, database_url)
    done = CliRunner().invoke(grafana, ["check", "--config", str(config), "--json"])
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["failed"] > 10
    assert {"panel", "rows", "seconds", "problem"} == set(found["panels"][0])


async def test_an_unreachable_database_is_one_clear_error() -> None:
    from shadow.errors import StoreError

    engine = engine_for("postgresql://postgres@127.0.0.1:9/nowhere")
    with pytest.raises(StoreError, match="the database cannot be read now"):
        await checked(engine)
    await engine.dispose()
