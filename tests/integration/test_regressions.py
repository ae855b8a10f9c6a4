"""Is the weekly report made from the store exactly once, kept, told, and does it lead to the very pairs that moved?"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import yaml

from shadow.cli.main import main
from shadow.console.app import create_console
from shadow.regressions.building import build, period_before
from shadow.regressions.schedule import make_due
from shadow.settings import Settings, parse
from shadow.store.engine import AsyncEngine
from shadow.store.exchanges import ensure_partitions
from shadow.store.schema_alerts import notifications

pytestmark = pytest.mark.slow
MONDAY = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def configuration(database_url: str | None = None) -> dict[str, Any]:
    price = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    content: dict[str, Any] = {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [
            {"name": n, "models": [{"provider": "lab", "model": f"{n}-1", "price": price}]} for n in ("fast", "top")
        ],
        "routing": {"thresholds": {"fast": 0.8}},
        "rollup": {"bucket_seconds": 43_200},
        "alerts": {"public_url": "https://shadow.example.org", "weekly": {"cron": "0 6 * * mon"}},
    }
    return content if database_url is None else {**content, "database": {"url": database_url}}


@pytest.fixture
def settings() -> Settings:
    return parse(configuration(), source="tests")


_EXCHANGES = """
INSERT INTO exchanges (started_at, request_id, policy_version, mode, status, http_status, predicted_tier, chosen_tier,
    served_tier, served_model, confidence, band, query_type, query_type_source, feature, session_id, streamed, prompt_tokens,
    completion_tokens, cost_usd, latency_seconds, attempts)
SELECT started_at, request_id, 1, 'route', 'answered', 200, 'fast', 'fast', 'fast', 'fast-1', .9, '0.9', kind, 'hint', feature,
    's-' || n / 2, false, 10, 10, 0.001, 0.2, '[]' FROM made
"""
_SAMPLES = """
INSERT INTO samples (request_id, started_at, arm, served_tier, served_model, reference_tier, query_type, feature, band,
    policy_version, plan, counts_for_accuracy, pi, eta, label_drawn, state,
    mode)
SELECT request_id, started_at, 'up', 'fast', 'fast-1', 'top', kind, feature, '0.9', 1, '[["top", 0, 0.05]]', true, 0.05, 0.1,
    false, 'judged', 'route' FROM made
"""
_ANSWERS = """
INSERT INTO answers (request_id, tier, repeat, served, pi, model, outcome, prompt_tokens, completion_tokens, cost_usd,
    latency_seconds, verdict, probability)
SELECT request_id, tier, 0, tier = 'fast', 0.05, tier || '-1', 'ok', 10, 10, 0.001, 0.2,
    CASE WHEN tier = 'top' THEN NULL WHEN is_bad THEN 'reject' ELSE 'accept' END,
    CASE WHEN tier = 'top' THEN NULL WHEN is_bad THEN 0.03 ELSE 0.97 END
FROM made CROSS JOIN (VALUES ('fast'), ('top')) AS tiers (tier)
"""
_MADE = """
WITH made AS (
    SELECT n, md5(:kind || CAST(:start AS text) || n)::uuid AS request_id,
        CAST(CAST(:start AS text) AS timestamptz) + n * interval '16 minutes' AS started_at,
        CAST(:kind AS text) AS kind, (n * 37) % 100 < :bad AS is_bad, CAST(:feature AS text) AS feature
    FROM generate_series(0, 599) AS n
)
"""
_MARKS = """
INSERT INTO rollup_queue (bucket_start) SELECT date_bin('12 h', started_at, 'epoch') FROM made GROUP BY 1
ON CONFLICT DO NOTHING
"""


async def fill(engine: AsyncEngine, *, worse: int = 22) -> None:
    """Five weeks before the Monday: two query types, 600 judged pairs each; of one, more are rejected in the last week."""
    first = MONDAY.replace(hour=0) - 5 * WEEK
    async with engine.begin() as connection:
        await ensure_partitions(connection, {(first + timedelta(days=day)).date() for day in range(36)})
        for number in range(5):
            for kind in ("qa", "code"):
                bad = worse if (kind, number) == ("qa", 4) else 8
                values = {"kind": kind, "start": (first + WEEK * number).isoformat(), "bad": bad, "feature": "help"}
                for statement in (_EXCHANGES, _SAMPLES, _ANSWERS, _MARKS):
                    await connection.execute(sa.text(_MADE + statement), values)


async def judged(engine: AsyncEngine, *, state: str) -> None:
    """Put the newest sample into this state."""
    newest = "request_id = (SELECT request_id FROM samples ORDER BY started_at DESC LIMIT 1)"
    async with engine.begin() as connection:
        await connection.execute(sa.text(f"UPDATE samples SET state = :state WHERE {newest}"), {"state": state})


async def messages(engine: AsyncEngine) -> list[Any]:
    async with engine.connect() as connection:
        return list((await connection.execute(sa.select(notifications).order_by(notifications.c.id))).all())


async def test_a_report_is_made_once_made_up_once_and_told_once(empty_engine: AsyncEngine, settings: Settings) -> None:
    assert await make_due(empty_engine, settings, now=MONDAY) is None, "nothing was running yet"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=create_console(settings, empty_engine)), base_url="http://127.0.0.1:8081"
    ) as client:
        assert "There is none yet" in (await client.get("/regressions")).text
        assert "nothing was mirrored yet" in (await client.get("/going-live")).text
        assert (await client.get("/api/v1/going-live")).json()["query_types"] == []
    await fill(empty_engine)
    assert await make_due(empty_engine, settings, now=MONDAY - timedelta(hours=1)) is not None, "last week's, made up"
    content = configuration()
    content["alerts"]["weekly"]["wait_minutes"] = 720
    patient = parse(content, source="tests")
    await judged(empty_engine, state="mirrored")
    assert await make_due(empty_engine, patient, now=MONDAY + timedelta(hours=5)) is None, "a verdict is on its way"
    await judged(empty_engine, state="judged")
    made = await make_due(empty_engine, patient, now=MONDAY + timedelta(hours=5))
    assert made is not None, "five hours late"
    for later in (timedelta(0), timedelta(days=2), WEEK - timedelta(seconds=1)):
        assert await make_due(empty_engine, settings, now=MONDAY + later) is None
    early, told = await messages(empty_engine)
    assert early.severity == "info"
    assert early.title == "Regressions, 16 to 22 Feb 2026: quiet"
    assert told.title == "Regressions, 23 Feb to 1 Mar 2026: 1 cell got worse"
    assert told.body.startswith("1 of 2 tested cells got worse: fast/qa/help 89.5% to 76.3% (")
    assert (told.severity, told.url, told.occasion) == ("warning", f"/regressions/{made}", "report")
    # Three weeks of nothing running are one report, of the last one.
    assert await make_due(empty_engine, settings, now=MONDAY + 3 * WEEK) is not None
    assert await make_due(empty_engine, settings, now=MONDAY + 3 * WEEK) is None
    assert len(await messages(empty_engine)) == 3

    app = create_console(settings, empty_engine)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as client:
        rows = (await client.get("/api/v1/regressions")).json()
        assert [row["worse"] for row in rows] == [0, 1, 0]
        report = (await client.get(f"/api/v1/regressions/{made}")).json()["report"]
        (worse,) = report["cells"]["worse"]
        assert len(worse["pairs"]["sample_ids"]) == 10
        assert 1.0 <= report["design_effect"]["cells"] < 3.0
        assert report["design_effect"]["sessions"] == 300  # two requests of either type each
        page = (await client.get(f"/regressions/{made}")).text
        assert worse["pairs"]["path"].replace("&", "&amp;") in page
        pairs = (await client.get(worse["pairs"]["path"])).text
        assert worse["pairs"]["sample_ids"][0] in pairs
        assert pairs.count("<article") == 20
        older = pairs.split('<p><a href="')[1].split('"')[0].replace("&amp;", "&")
        assert "There are none" not in (await client.get(older)).text
        sampled = await client.get(
            "/api/v1/samples", params={"feature": "help", "since": "2026-02-23T00:00:00Z", "limit": 500}
        )
        assert {item["feature"] for item in sampled.json()["items"]} == {"help"}
        assert (await client.get("/api/v1/regressions/latest")).json()["report"]["requests"] == 0
        said = await client.get(f"/api/v1/regressions/{made}", params={"format": "markdown"})
        assert "(https://shadow.example.org/pairs?tier=fast" in said.text
        assert (await client.get("/regressions/9999")).status_code == 404
        assert (await client.get("/api/v1/regressions/9999")).status_code == 404
        assert (await client.get("/pairs?cursor=nonsense")).status_code == 422


async def test_the_command_prints_any_week_in_any_form(
    empty_engine: AsyncEngine,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await fill(empty_engine)
    config = tmp_path / "shadow.yaml"
    config.write_text(yaml.safe_dump(configuration(database_url)))

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["shadow", "regressions", "--config", str(config), *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0), "".join(capsys.readouterr())

    code, said = await asyncio.to_thread(call, "--week", "2026-W09", "--json")
    found = json.loads(said)
    assert code == 0
    assert [one["query_type"] for one in found["cells"]["worse"]] == ["qa"]
    assert "WORSE  fast / qa / help" in (await asyncio.to_thread(call, "--week", "2026-02-25"))[1]
    assert (await asyncio.to_thread(call, "--week", "2026-W08", "--format", "markdown"))[1].startswith(
        "# Regressions, 16 to 22 Feb"
    )
    assert (await asyncio.to_thread(call, "--week", "2026-W08", "--format", "html"))[1].startswith("<!doctype html>")
    for wrong in (
        ("--week", "2026-W60"),
        ("--week", "soon"),
        ("--stored", "5"),
        ("--stored", "5", "--week", "2026-W08"),
    ):
        code, said = await asyncio.to_thread(call, *wrong)
        assert code == 2
        assert said.startswith("shadow")
    # What is computed from whole weeks is what is computed from their buckets.
    async with empty_engine.connect() as connection:
        period = period_before(MONDAY, days=7, weeks_before=4, bucket_seconds=900)
        again = await build(connection, period, tiers=("fast", "top"))
    assert again["cells"]["worse"][0]["change"] == found["cells"]["worse"][0]["change"]
