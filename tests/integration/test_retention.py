"""What is older than the policy allows goes, texts first; figures stay what they were, whatever arrives late."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner

from shadow import retention, rollup
from shadow.cli.db import db
from shadow.settings import Settings, parse
from shadow.statistics.sums import Sums
from shadow.store import labels, rollups
from shadow.store.engine import AsyncEngine, engine_for, libpq_url
from shadow.store.labels import Label
from shadow.store.rollup_queue import mark

pytestmark = pytest.mark.slow

DAYS = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3)]
END = DAYS[-1] + timedelta(days=1)
NOW = DAYS[0] + timedelta(days=21, hours=5)  # texts and buckets of all three days are due, rows of the first one only
TIERS = ("fast", "balanced", "frontier")
PRICE = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
CONFIG: dict[str, Any] = {
    "providers": {"lab": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}},
    "tiers": [{"name": n, "models": [{"provider": "lab", "model": f"m-{n}", "price": PRICE}]} for n in TIERS],
    "routing": {"thresholds": {"fast": 0.8, "balanced": 0.6}},
    "rollup": {"bucket_seconds": 28800},
    "retention": {"texts_days": 10, "rows_days": 20, "spend_days": 20, "buckets_days": 15, "batch_rows": 40},
}
QUOTE = '[{"kind": "number", "start": 0, "end": 2, "text": "42", "weight": 0.5}]'


def benchmark_module(name: str) -> ModuleType:
    """Benchmarks are scripts and no package."""
    folder = str(Path(__file__).parents[1] / "benchmarks")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"rollups.{name}")


@pytest.fixture
def settings() -> Settings:
    return parse(CONFIG, source="test")


@pytest.fixture
async def engine(database_url: str, settings: Settings) -> AsyncIterator[AsyncEngine]:
    """Three days of traffic with texts, rolled up and compacted."""
    synthetic = benchmark_module("synthetic")
    rates = synthetic.Rates(up=0.5, down=0.1, control_top=0.4, label=0.15, label_top=0.15)
    with psycopg.connect(libpq_url(database_url)) as connection:
        synthetic.load(connection, synthetic.Traffic(exchanges_per_day=250, rates=rates), DAYS, lambda _: None)
        connection.execute("UPDATE sample_texts SET request_body = 'secret', prompt = 'secret'")
        connection.execute("UPDATE answers SET completion = 'secret'")
        connection.execute("UPDATE judgments SET rationale = 'secret', markers = %s", [QUOTE.replace("42", "secret")])
        connection.execute("UPDATE feedback SET comment = 'secret'")
        connection.execute(
            "INSERT INTO label_skips SELECT request_id, 'tier', 'ann', 'unclear', started_at FROM samples"
        )
        connection.execute(
            "INSERT INTO canary_runs (provider, model, version, state, ran_at, answered)"
            " SELECT 'p', 'm', '1', unnest(ARRAY['first', 'compared']), %s, 3",
            [DAYS[0]],
        )
        connection.execute(
            "INSERT INTO alerts (kind, key, severity, message, opened_at, closed_at)"
            " SELECT 'budget', k, 'info', 'm', %s, CASE WHEN k = 'over' THEN %s END FROM unnest(ARRAY['over', 'open']) AS k",
            [DAYS[0], DAYS[0]],
        )
        connection.execute(
            "INSERT INTO notifications (key, occasion, severity, title, body, alert_id, created_at)"
            " SELECT key, 'opened', 'info', 't', 'b', id, opened_at FROM alerts"
        )
        connection.execute(
            "INSERT INTO notifications (key, occasion, severity, title, body, created_at, planned_at)"
            " VALUES ('weekly', 'report', 'info', 't', 'b', %s, %s)",
            [DAYS[0], DAYS[0]],
        )
        connection.execute(
            "INSERT INTO rollup_queue (bucket_start) SELECT DISTINCT date_bin('15 s', started_at, 'epoch') FROM exchanges"
        )
    engine = engine_for(database_url)
    await rollup.compute(engine, settings)
    await rollup.compact(engine, settings, now=NOW)
    yield engine
    await engine.dispose()


async def total(engine: AsyncEngine, since: datetime = DAYS[0], until: datetime = END) -> Sums:
    async with engine.connect() as connection:
        return Sums.total(piece.sums for piece in await rollups.window_sums(connection, since=since, until=until))


async def value(engine: AsyncEngine, statement: str, **parameters: object) -> Any:
    async with engine.connect() as connection:
        return await connection.scalar(sa.text(statement), parameters)


async def reopen(engine: AsyncEngine, at: datetime) -> None:
    async with engine.begin() as connection:
        await mark(connection, [at])


async def test_a_dry_run_says_what_a_run_deletes_and_figures_outlive_their_rows(
    engine: AsyncEngine, settings: Settings
) -> None:
    before, rows = await total(engine), await value(engine, "SELECT count(*) FROM exchanges")
    labelled = await value(engine, "SELECT count(*) FROM labels")
    due = {one.what: one.rows for one in await retention.count_due(engine, settings, now=NOW)}
    assert await value(engine, "SELECT count(*) FROM exchanges") == rows
    assert {what: n > 0 for what, n in due.items()} == dict.fromkeys(due, True)
    assert due["exchanges"] == 250

    deleted = {one.what: one.rows for one in await retention.delete_due(engine, settings, now=NOW)}
    assert deleted == due
    again = await retention.delete_due(engine, settings, now=NOW)
    assert [one for one in again if one.rows] == []

    assert (await total(engine)).vector() == pytest.approx(before.vector(), rel=1e-12)
    assert await value(engine, "SELECT count(*) FROM exchanges") == rows - 250
    assert await value(engine, "SELECT count(*) FROM labels") == labelled
    first = "FROM samples WHERE started_at < :end"
    assert await value(engine, f"SELECT count(*) {first}", end=DAYS[1]) == await value(
        engine,
        f"SELECT count(DISTINCT request_id) FROM labels WHERE request_id IN (SELECT request_id {first})",
        end=DAYS[1],
    )
    for column in (
        "sample_texts.prompt",
        "answers.completion",
        "judgments.rationale",
        "judgments.markers",
        "feedback.comment",
    ):
        table, _, name = column.partition(".")
        assert await value(engine, f"SELECT count(*) FROM {table} WHERE {name}::text LIKE '%secret%'") == 0, column
    assert await value(engine, "SELECT string_agg(state, '') FROM canary_runs") == "first"
    assert await value(engine, "SELECT string_agg(key, '') FROM alerts") == "open"
    assert await value(engine, "SELECT string_agg(key, '') FROM notifications") == "open", (
        "messages go with their alert"
    )
    assert await value(engine, "SELECT count(*) FROM rollups") == 0
    assert await value(engine, "SELECT count(DISTINCT dimension) FROM rollup_spend WHERE day = '2026-03-01'") == 2


async def test_a_day_whose_rows_are_gone_is_never_computed_again_and_others_are(
    engine: AsyncEngine, settings: Settings, database_url: str
) -> None:
    await retention.delete_due(engine, settings, now=NOW)
    before = await total(engine, until=DAYS[1])
    newest = "SELECT l.request_id FROM labels l JOIN samples s ON s.request_id = l.request_id AND s.label_drawn "
    newest += (
        "AND l.tier = s.served_tier AND l.label = 1 WHERE s.started_at >= :since AND s.started_at < :until LIMIT 1"
    )
    for day in DAYS[:2]:
        sample = await value(engine, newest, since=day, until=day + timedelta(days=1))
        async with engine.begin() as connection:
            late = Label(sample_id=str(sample), which="served", label=0, reviewer="ann", labelled_at=NOW)
            assert await labels.save_label(connection, late)
    second = await total(engine, DAYS[1], DAYS[2])
    assert await rollup.compute(engine, settings) == 1, "the second day's bucket; the first day is sealed"
    assert await total(engine, until=DAYS[1]) == before
    changed = await total(engine, DAYS[1], DAYS[2])
    assert changed.vy + changed.u_vy < second.vy + second.u_vy

    with psycopg.connect(libpq_url(database_url)) as connection:
        raw = benchmark_module("from_raw").RawWindow(connection, DAYS[1], DAYS[2])
    (strata,) = dict(raw.slices(())).values()
    assert changed.vector() == pytest.approx(Sums.total(strata.values()).vector(), rel=1e-9)


async def test_sums_are_not_computed_from_fewer_rows_than_they_were_made_of(
    engine: AsyncEngine, settings: Settings
) -> None:
    before = await total(engine)
    async with engine.begin() as connection:
        await connection.execute(
            sa.text(
                "DELETE FROM samples WHERE request_id = (SELECT request_id FROM samples WHERE started_at > :day LIMIT 1)"
            ),
            {"day": DAYS[2]},
        )
    for hours in range(0, 24, 8):
        await reopen(engine, DAYS[2] + timedelta(hours=hours))
    assert await rollup.compute(engine, settings) == 2, "three buckets, one of which has lost a sample"
    assert (await total(engine)).vector() == pytest.approx(before.vector(), rel=1e-12)


async def test_rows_stay_until_the_sums_of_their_day_are_complete(engine: AsyncEngine, settings: Settings) -> None:
    await reopen(engine, DAYS[0])
    deleted = {one.what: one.rows for one in await retention.delete_due(engine, settings, now=NOW)}
    assert deleted["exchanges"] == deleted["samples"] == 0
    assert deleted["texts of requests"] > 0
    await rollup.compute(engine, settings)
    await rollup.compact(engine, settings, now=NOW)
    deleted = {one.what: one.rows for one in await retention.delete_due(engine, settings, now=NOW)}
    assert deleted["exchanges"] == 250


def test_the_command_counts_with_dry_run_and_deletes_without(database_url: str, tmp_path: Path) -> None:
    with psycopg.connect(libpq_url(database_url)) as connection:
        benchmark_module("synthetic").load(
            connection, benchmark_module("synthetic").Traffic(exchanges_per_day=60), [DAYS[0]], lambda _: None
        )
    config = tmp_path / "shadow.yaml"
    content = CONFIG | {"database": {"url": database_url}, "retention": {"texts_days": 1, "spend_days": 1}}
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    run = CliRunner().invoke
    shown = run(db, ["retention", "--config", str(config), "--dry-run", "--json"])
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.output)
    spend = {row["what"]: row["rows"] for row in found["rows"]}["spend by user and session"]
    assert (found["dry_run"], spend > 0) == (True, True)
    done = run(db, ["retention", "--config", str(config)])
    assert f"{spend:,}" in done.output
    refused = run(db, ["retention", "--config", str(config.with_name("none.yaml"))])
    assert refused.exit_code != 0
