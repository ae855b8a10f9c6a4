"""The gold set: frozen by file, judged once a day within its budget, a judge that gets worse opens one alert, and closes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner

from judges.contracts import Comparison, Judgment
from judges.pairwise import NAME as PAIRWISE
from judges.pairwise import ORDERS_DISAGREE
from judges.panel import Panel
from shadow.cli.label import label
from shadow.console.app import create_console
from shadow.gold.judging import GoldJudging, panel_name
from shadow.gold.schedule import ask_for_gold
from shadow.judging.panels import Panels, Priced
from shadow.settings import LabelSettings, Settings
from shadow.store import alerts, gold
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.gold import GoldItem
from shadow.task_queue import queue_app

pytestmark = pytest.mark.slow
ITEMS = [
    GoldItem(
        item_id=f"g{n}", prompt=f"What is {n} + 1?", answer=str(n + n % 2), reference=f"It is {n + 1}.", label=n % 2
    )
    for n in range(60)
]


class Scripted:
    """A pairwise judge that is right, but for the first `wrong` unacceptable items and the next `torn` ones."""

    name = PAIRWISE

    def __init__(self) -> None:
        self.wrong = self.torn = self.asked = 0
        self.reachable = True

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        self.asked += len(comparisons)
        return [self._one(comparison) for comparison in comparisons]

    def _one(self, comparison: Comparison) -> Judgment:
        number = int(comparison.prompt.split()[2])
        rank = number // 2 if number % 2 == 0 else 10_000
        verdict, rationale = ("accept" if number % 2 or rank < self.wrong else "reject"), "because"
        if self.wrong <= rank < self.wrong + self.torn:
            verdict, rationale = "abstain", f"{ORDERS_DISAGREE}: answer and reference called better"
        if not self.reachable and number < 4:
            verdict, rationale = "abstain", "unavailable: no connection"
        return Judgment(
            judge=self.name,
            verdict=verdict,  # type: ignore[arg-type]
            score=None if verdict == "abstain" else 0.98 if verdict == "accept" else 0.02,
            rationale=rationale,
            cost_usd=Decimal("0.001"),
        )


@pytest.fixture
def judge() -> Scripted:
    return Scripted()


@pytest.fixture
def judging(empty_engine: AsyncEngine, console_config: Settings, judge: Scripted) -> GoldJudging:
    """Judges with a panel of one, which costs at most 2 cents an item; the day's money is enough for all."""
    panel = Panel([judge])
    settings = console_config.model_copy(update={"labels": LabelSettings(gold_budget_usd_per_day=2.0)})
    priced = Priced(calls=1, attempts=1, max_tokens=1, rates=rates())
    return GoldJudging(settings, empty_engine, Panels(free=Panel([]), paid=panel, fresh=panel, priced=(priced,)))


def rates() -> Any:
    from router.pricing import Rates

    return Rates(input_usd=Decimal("0.000001"), output_usd=Decimal(0), cached_usd=Decimal(0))


async def frozen(engine: AsyncEngine, items: Sequence[GoldItem] = ITEMS) -> int:
    async with engine.begin() as connection:
        return (await gold.freeze(connection, items, by="mira", note="made up", now=utc_now()))[0].version


async def a_day_passes(engine: AsyncEngine) -> None:
    """All that has happened moves a day into the past."""
    async with engine.begin() as connection:
        for table in ("gold_runs", "gold_figures", "gold_verdicts"):
            await connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for table in ("gold_verdicts", "gold_figures", "gold_runs"):
            await connection.execute(sa.text(f"UPDATE {table} SET day = day - 1000"))
            await connection.execute(sa.text(f"UPDATE {table} SET day = day + 999"))


async def open_alerts(engine: AsyncEngine) -> list[alerts.Alert]:
    async with engine.connect() as connection:
        return await alerts.last_alerts(connection, is_open=True)


async def test_a_judge_that_gets_worse_opens_one_alert_which_closes_when_it_is_well_again(
    empty_engine: AsyncEngine, judging: GoldJudging, judge: Scripted, console_config: Settings
) -> None:
    assert await judging.run() == "none"
    await frozen(empty_engine)
    assert [await judging.run(), await judging.run()] == ["done", "known"]
    assert judge.asked == 60
    async with empty_engine.connect() as connection:
        rows = {row["judge"]: row for row in await gold.figure_rows(connection)}
        spent = await connection.scalar(sa.text("SELECT spent_usd FROM budget_days WHERE purpose = 'gold'"))
    assert spent == Decimal("0.06")
    assert set(rows) == {PAIRWISE, panel_name(Panel([judge]))}
    figures = rows[PAIRWISE]["figures"]
    assert (figures["kappa"]["value"], figures["specificity"]["n"], figures["order_consistency"]["value"]) == (
        1.0,
        30,
        1.0,
    )
    assert 0.7 < figures["kappa"]["low"] < figures["specificity"]["low"] < 0.9, "no mistake in 30 is no proof"

    await a_day_passes(empty_engine)
    judge.wrong, judge.reachable = 3, False
    assert await judging.run() == "done"
    assert await open_alerts(empty_engine) == [], "three more mistakes are no proof, and no connection is no mistake"

    for _ in range(2):
        await a_day_passes(empty_engine)
        judge.wrong, judge.torn, judge.reachable = 14, 16, True
        assert await judging.run() == "done"
    found = {alert.key: alert for alert in await open_alerts(empty_engine)}
    assert f"{PAIRWISE}/order_consistency" in found
    worst = found[f"{PAIRWISE}/specificity"]
    assert (worst.kind, worst.severity, worst.details["worse"], worst.details["better"]) == (
        "gold_drift",
        "critical",
        30,
        0,
    )
    assert "rejects fewer unacceptable gold answers" in worst.message
    transport = httpx.ASGITransport(create_console(console_config, empty_engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8081") as client:
        assert worst.message in (await client.get("/")).text.replace("&#39;", "'")
        assert "Judges on the gold set" in (await client.get("/labels/agreement")).text
        assert (await client.get("/api/v1/gold")).json()["versions"][0]["created_by"] == "mira"
        assert len((await client.get("/api/v1/alerts", params={"open": True})).json()) == len(found)
        assert (await client.post(f"/api/v1/alerts/{worst.id}/close", json={"by": "mira"})).status_code == 204
        assert (await client.post(f"/api/v1/alerts/{worst.id}/close", json={"by": "mira"})).status_code == 404

    await a_day_passes(empty_engine)
    judge.wrong = judge.torn = 0
    assert await judging.run() == "done"
    assert await open_alerts(empty_engine) == []


async def test_what_the_day_cannot_pay_for_is_left_out_and_tampering_is_noticed(
    empty_engine: AsyncEngine, console_config: Settings, judge: Scripted
) -> None:
    version = await frozen(empty_engine)
    panel = Panel([judge])
    priced = Priced(calls=1, attempts=1, max_tokens=1, rates=rates())
    panels = Panels(free=Panel([]), paid=panel, fresh=panel, priced=(priced,))
    ten = [Comparison(prompt=i.prompt, answer=i.answer, reference=i.reference) for i in ITEMS[:10]]
    cap = float(panels.worst_case_usd(ten)) * 1.2
    poor = console_config.model_copy(update={"labels": LabelSettings(gold_budget_usd_per_day=0)})
    assert await GoldJudging(poor, empty_engine, panels).run() == "shed"
    assert judge.asked == 0
    some = console_config.model_copy(update={"labels": LabelSettings(gold_budget_usd_per_day=cap)})
    assert await GoldJudging(some, empty_engine, panels).run() == "done", "there is money now"
    assert judge.asked == 10
    async with empty_engine.begin() as connection:
        await connection.execute(sa.text("UPDATE gold_items SET label = 1 - label WHERE item_id = 'g7'"))
        await connection.execute(sa.text("DELETE FROM gold_runs"))
    assert await GoldJudging(some, empty_engine, panels).run() == "broken"
    assert [alert.kind for alert in await open_alerts(empty_engine)] == ["gold_tampered"]
    assert await frozen(empty_engine, ITEMS[:-1]) > version


async def test_the_scheduler_queues_one_run_a_day_and_a_worker_does_it(
    empty_engine: AsyncEngine, database_url: str, judging: GoldJudging, judge: Scripted, console_config: Settings
) -> None:
    async def queued() -> int:
        async with empty_engine.connect() as connection:
            query = "SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE task_name = 'gold'"
            return int(await connection.scalar(sa.text(query)) or 0)

    await ask_for_gold(empty_engine, console_config)
    assert await queued() == 0, "there is no gold set"
    await frozen(empty_engine)
    for _ in range(2):
        await ask_for_gold(empty_engine, console_config)
    assert await queued() == 1
    app = queue_app(database_url)
    judging.register(app)
    async with app.open_async():
        await app.run_worker_async(queues=["judge"], wait=False, install_signal_handlers=False, delete_jobs="always")
    assert judge.asked == 60
    await ask_for_gold(empty_engine, console_config)
    assert await queued() == 0, "today is done"


@pytest.fixture
def config(database_url: str, tmp_path: Path, console_config: Settings) -> Path:
    content = console_config.model_dump(mode="json", include={"providers", "routing"}, exclude_defaults=True)
    price = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    tiers = ("fast", "balanced", "frontier")
    content["tiers"] = [{"name": t, "models": [{"provider": "lab", "model": f"{t}-1", "price": price}]} for t in tiers]
    content["database"] = {"url": database_url}
    path = tmp_path / "shadow.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_gold_file_is_frozen_whole_or_not_at_all(config: Path, tmp_path: Path) -> None:
    def run(*words: str | Path) -> Any:
        return CliRunner().invoke(label, ["gold", *map(str, words), "--config", str(config)])

    good = {"id": "a", "prompt": "2 + 2?", "answer": "4", "reference": "four", "label": 1, "reference_label": 1}
    file = tmp_path / "gold.jsonl"
    bad = [{**good, "id": "b", "label": None}, good, {**good, "id": "c", "reference_label": 2}]
    bad.append({**good, "id": "d", "prompt": " "})
    file.write_text("\n".join(json.dumps(line) for line in [good, *bad]) + "\n{\n")
    done = run("import", file, "--by", "mira")
    assert done.exit_code == 1
    assert [line.split(": ")[1] for line in done.stderr.splitlines()[:-1]] == [f"line {n}" for n in range(2, 7)]
    assert '"id" is that of line 1' in done.stderr
    assert "no gold set yet" in run("list").stdout

    file.write_text(json.dumps(good) + "\n" + json.dumps({**good, "id": "b", "answer": "5", "label": 0}) + "\n")
    assert "version 1 frozen: 2 items, 1 of them acceptable" in run("import", file, "--by", "mira").stdout
    assert json.loads(run("import", file, "--by", "noa", "--json").stdout)["new"] is False
    out = tmp_path / "out.jsonl"
    assert run("export", "--out", out).exit_code == 0
    file.write_text(out.read_text())
    assert "is in force already" in run("import", file, "--by", "mira").stdout, "what is exported is what was frozen"
    assert [v["version"] for v in json.loads(run("list", "--json").stdout)["versions"]] == [1]
