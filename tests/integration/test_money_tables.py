"""Do the tables about money say the same in files, over HTTP and as the report does, with an interval beside every estimate?"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from sqlalchemy.ext.asyncio import AsyncEngine

from shadow.cli.main import main
from shadow.console.app import create_console
from shadow.money.by_day import load_money_by_day
from shadow.money.findings import first_midnight
from shadow.money.tables import ALL_TIERS, TABLE_NAMES, load_table
from shadow.reports.window import build_report
from shadow.settings import Settings
from shadow.statistics.cost import Savings
from shadow.store.engine import utc_now

pytestmark = pytest.mark.slow
TIERS = ("fast", "balanced", "frontier")


@pytest.fixture
async def client(filled_engine: AsyncEngine, console_config: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_console(console_config, filled_engine)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as opened:
        yield opened


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["shadow", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


async def test_a_days_figures_are_those_of_a_report_on_that_day(
    filled_engine: AsyncEngine, console_config: Settings
) -> None:
    now, tiers = utc_now(), console_config.tier_names
    since = first_midnight(now, 2)

    async with filled_engine.connect() as connection:
        found = await load_money_by_day(connection, tiers=tiers, since=since, until=now)
    assert found.savings
    for saved in found.savings:
        start = since + (saved.day - since.date())
        report = await build_report(filled_engine, tiers=tiers, since=start, until=min(now, start + timedelta(days=1)))
        costs = {one.tier: one for one in found.costs if one.day == saved.day}
        for tier in (*report.tiers, report.overall):
            if tier.tier not in costs:  # early in a day a tier may have answered nothing yet
                assert tier.requests == 0
                continue
            mine, theirs = costs[tier.tier].corrected, tier.cost_per_success_usd
            assert (mine and mine.value) == pytest.approx(theirs and theirs.value)
            assert costs[tier.tier].requests == tier.requests
        assert saved.requests == report.overall.requests
        assert isinstance(report.savings, Savings)
        assert saved.net_usd is not None
        assert saved.net_usd.low == pytest.approx(report.savings.net_usd.low)
        assert saved.actual_usd == pytest.approx(report.savings.actual_usd)


async def test_every_table_is_the_same_as_json_and_as_csv(client: httpx.AsyncClient) -> None:
    for name in TABLE_NAMES:
        found = (await client.get(f"/api/v1/tables/{name}", params={"days": 2})).json()
        answer = await client.get(f"/api/v1/tables/{name}", params={"days": 2, "format": "csv"})
        assert answer.headers["content-type"].startswith("text/csv")
        header, *lines = csv.reader(io.StringIO(answer.text))
        assert header == found["columns"]
        assert len(lines) == len(found["rows"])
        for line, row in zip(lines, found["rows"], strict=True):
            assert list(row) == header
            for cell, value in zip(line, row.values(), strict=True):
                assert (cell == "") == (value is None or value == "")
                if isinstance(value, float):
                    assert float(cell) == pytest.approx(value)
        for column in found["columns"]:
            if column.endswith("_low"):  # the interval holds its figure
                figure = column.removesuffix("_low")
                known = [row for row in found["rows"] if row[figure] is not None]
                assert all(row[column] <= row[figure] <= (row[f"{figure}_high"] or float("inf")) for row in known)
    assert (await client.get("/api/v1/tables/nonsense")).status_code == 422
    page = (await client.get("/money", params={"days": 2})).text
    assert page.count("<polyline") >= len(TIERS)
    assert all(f"/api/v1/tables/{name}?days=2" in page for name in TABLE_NAMES if "day" in name or "moves" in name)


async def test_moves_hold_all_query_types_and_say_what_is_behind_them(
    filled_engine: AsyncEngine, console_config: Settings
) -> None:
    table = await load_table(filled_engine, console_config, "query-type-moves", days=2)
    assert {row["query_type"] for row in table.rows} == {
        "order_status",
        "extraction",
        "arithmetic",
        "summary",
        "classification",
    }
    assert {row["status"] for row in table.rows} <= {"certified", "uncertified", "not_shown"}
    assert all(row["status"] != "certified" for row in table.rows)  # a dozen labels each
    assert all(row["bound"] is None and row["p_value"] is None for row in table.rows)
    assert sum(int(str(row["pairs"])) for row in table.rows) > 0
    tiers = await load_table(filled_engine, console_config, "tiers", days=2)
    assert [row["tier"] for row in tiers.rows] == [*console_config.tier_names, ALL_TIERS]


def test_files_are_written_once_and_replaced_only_when_told(
    filled_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = [
        {"name": tier, "models": [{"provider": "lab", "model": f"{tier}-1", "price": price}]}
        for tier in TIERS
        for price in [{"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}]
    ]
    config = {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": models,
        "routing": {"thresholds": {"fast": 0.8, "balanced": 0.6}},
        "database": {"url": filled_database_url},
    }
    (tmp_path / "shadow.yaml").write_text(yaml.safe_dump(config))
    out = tmp_path / "money" / "november"
    command = ("export", str(out), "--config", str(tmp_path / "shadow.yaml"), "--days", "2")
    assert call(monkeypatch, *command) == 0
    assert {path.name for path in out.iterdir()} == {
        f"{name}.{kind}" for name in TABLE_NAMES for kind in ("csv", "json")
    }
    costs = json.loads((out / "cost-per-success-by-day.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader((out / "cost-per-success-by-day.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["tier"] for row in rows] == [row["tier"] for row in costs["rows"]]
    assert any(row["judged_cost_per_success_usd_low"] for row in rows)

    (out / "tiers.csv").write_text("mine")
    (out / "savings-by-day.json").unlink()
    capsys.readouterr()
    assert call(monkeypatch, *command) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "tiers.csv: is there already and 14 more; --force" in said
    assert (out / "tiers.csv").read_text() == "mine"
    assert not (out / "savings-by-day.json").exists()
    assert call(monkeypatch, *command, "--force", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["files"]) == 16
    assert (out / "tiers.csv").read_text().startswith("tier,requests,")
