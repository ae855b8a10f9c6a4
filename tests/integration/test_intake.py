"""Every exchange on disk ends in the store exactly once, whatever is delivered twice, torn, refused or left behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uuid_utils
from sqlalchemy.ext.asyncio import AsyncEngine

from router.contracts import Attempt, Decision, Exchange, Hints
from router.spool import SpoolWriter
from router.wire import exchange_to_json
from shadow.intake.policy_follower import follow_policy
from shadow.intake.segments import REJECTED, backlog, shippable
from shadow.intake.shipper import Shipper
from shadow.settings import Settings, parse
from shadow.store import policies, tier_pins, upgrades
from shadow.store.engine import engine_for, utc_now

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FREE = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}


@pytest.fixture
def settings() -> Settings:
    names = ("fast", "mid", "top")
    return parse(
        {
            "providers": {"lab": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}},
            "tiers": [{"name": n, "models": [{"provider": "lab", "model": f"m-{n}", "price": FREE}]} for n in names],
            "routing": {"thresholds": {"fast": 0.8, "mid": 0.7}},
            "sampling": {"up": 0.5, "down": 0.1, "control_top": 0.3},
        },
        source="test",
    )


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database_url)
    yield engine
    await engine.dispose()


def exchange(number: int, **changes: Any) -> Exchange:
    started_at = NOW + timedelta(seconds=number)
    fields: dict[str, Any] = {
        "request_id": str(uuid_utils.uuid7()),
        "started_at": started_at,
        "policy_version": 1,
        "dialect": "openai.chat",
        "hints": Hints(user="u1", feature="help"),
        "query_type": "qa",
        "query_type_source": "hint",
        "requested_model": "auto",
        "decision": Decision(
            scores={"fast": 0.9, "mid": 0.95, "top": 1.0}, predicted="fast", chosen="fast", confidence=0.9, reason=None
        ),
        "served_tier": ("fast", "mid", "top")[number % 3],
        "served_model": "m",
        "reason": None,
        "status": "answered",
        "http_status": 200,
        "error_kind": None,
        "streamed": False,
        "latency_seconds": 0.1,
        "first_token_seconds": None,
        "finish_reason": "stop",
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost_usd": Decimal("0.000123"),
        "attempts": (Attempt(tier="fast", provider="lab", model="m", latency_seconds=0.1, outcome="ok"),),
        "request_body": json.dumps({"model": "auto", "messages": [{"role": "user", "content": f"question {number}"}]}),
        "completion": f"answer {number}",
    }
    return Exchange(**{**fields, **changes})


async def count(engine: AsyncEngine, table: str) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)


def finished(directory: Path, name: str, exchanges: list[Exchange], tail: bytes = b"") -> Path:
    path = directory / f"{name}-00000000.jsonl"
    path.write_bytes(b"".join(exchange_to_json(e).rstrip(b"\n") + b"\n" for e in exchanges) + tail)
    return path


async def test_what_the_router_wrote_arrives_once_with_its_samples(
    tmp_path: Path, engine: AsyncEngine, settings: Settings
) -> None:
    writer = SpoolWriter(tmp_path)
    await writer.start()
    exchanges = [exchange(i) for i in range(300)]
    for one in exchanges:
        await writer.record(one)  # on a busy disk it may be confirmed later than it is written
    await writer.close()

    assert await Shipper(settings, engine, tmp_path).ship() == 300
    assert await count(engine, "exchanges") == 300
    assert backlog(tmp_path) == (0, 0)
    async with engine.connect() as connection:
        arms = dict((await connection.execute(sa.text("SELECT arm, count(*) FROM samples GROUP BY 1"))).all())
        marked = await connection.scalar(sa.text("SELECT count(*) FROM rollup_queue"))
        cost = await connection.scalar(sa.text("SELECT sum(cost_usd) FROM exchanges"))
    assert set(arms) == {"up", "down", "control"}
    assert 60 < arms["up"] < 140
    assert marked == 20, "300 seconds of traffic touch 20 marks of 15 s"
    assert cost == Decimal("0.0369")


async def test_a_second_delivery_changes_nothing(tmp_path: Path, engine: AsyncEngine, settings: Settings) -> None:
    exchanges = [exchange(i) for i in range(60)]
    shipper = Shipper(settings, engine, tmp_path)
    finished(tmp_path, "a", exchanges)
    assert await shipper.ship() == 60
    before = await count(engine, "samples"), await count(engine, "answers")
    finished(tmp_path, "b", [*exchanges[30:], exchange(100)])
    assert await shipper.ship() == 1
    assert await count(engine, "exchanges") == 61
    after = await count(engine, "samples"), await count(engine, "answers")
    assert after[0] - before[0] <= 1
    assert after[1] - before[1] <= 1


async def test_a_torn_last_line_is_dropped_and_a_broken_one_is_kept_aside(
    tmp_path: Path, engine: AsyncEngine, settings: Settings
) -> None:
    good = exchange(1)
    finished(tmp_path, "a", [good], tail=b'{"not": "an exchange"}\n' + exchange_to_json(exchange(2))[:40])
    assert await Shipper(settings, engine, tmp_path).ship() == 1
    assert (tmp_path / REJECTED).read_bytes() == b'{"not": "an exchange"}\n'
    assert shippable(tmp_path) == []


async def test_a_row_the_database_refuses_does_not_hold_up_the_others(
    tmp_path: Path, engine: AsyncEngine, settings: Settings
) -> None:
    refused = exchange(5, prompt_tokens=2**40)
    finished(tmp_path, "a", [exchange(4), refused, exchange(6)])
    assert await Shipper(settings, engine, tmp_path).ship() == 2
    assert refused.request_id in (tmp_path / REJECTED).read_text()


async def test_characters_that_postgresql_cannot_hold_do_not_stop_an_exchange(
    tmp_path: Path, engine: AsyncEngine, settings: Settings
) -> None:
    odd = [
        exchange(i, served_tier="fast", completion="nul \x00 and \ud800", hints=Hints(user="\x00", feature="\udfff"))
        for i in range(20)
    ]
    finished(tmp_path, "a", odd)
    assert await Shipper(settings, engine, tmp_path).ship() == 20
    assert not (tmp_path / REJECTED).exists()


async def test_a_segment_that_a_dead_router_left_open_is_shipped(
    tmp_path: Path, engine: AsyncEngine, settings: Settings
) -> None:
    finished(tmp_path, "a", [exchange(1)]).rename(tmp_path / "a-00000000.open.jsonl")
    assert await Shipper(settings, engine, tmp_path).ship() == 1


async def test_a_segment_that_is_being_written_is_left_alone(
    tmp_path: Path, engine: AsyncEngine, settings: Settings
) -> None:
    writer = SpoolWriter(tmp_path, max_segment_age_seconds=3600)
    await writer.start()
    assert await writer.record(exchange(1))
    assert await Shipper(settings, engine, tmp_path).ship() == 0
    assert backlog(tmp_path)[0] == 1
    await writer.close()
    assert await Shipper(settings, engine, tmp_path).ship() == 1


async def test_midnight_and_odd_clocks_find_their_partitions(
    tmp_path: Path, engine: AsyncEngine, settings: Settings
) -> None:
    days = [NOW + timedelta(days=d) for d in (0, 1, -400, 800)]
    finished(tmp_path, "a", [exchange(i, started_at=day) for i, day in enumerate(days)])
    assert await Shipper(settings, engine, tmp_path).ship() == 4
    assert await count(engine, "exchanges") == 4


async def test_a_new_policy_reaches_the_policy_file_within_a_second(
    tmp_path: Path, engine: AsyncEngine, database_url: str
) -> None:
    path = tmp_path / "policy.json"
    async with engine.begin() as connection:
        assert await policies.adopt_configured(connection, thresholds={"fast": 0.8}, band=0.05) == 1
    follower = asyncio.create_task(follow_policy(engine, database_url, path))
    await _until(path.exists)
    async with engine.begin() as connection:
        assert await policies.adopt_configured(connection, thresholds={"fast": 0.8}, band=0.05) is None
        await policies.append(
            connection, thresholds={"fast": 0.7}, band=0.02, author="ann", origin="user", reason="cheaper"
        )
    began = asyncio.get_running_loop().time()
    await _until(lambda: json.loads(path.read_bytes())["version"] == 2)
    assert asyncio.get_running_loop().time() - began < 1.0, "announced, not polled"
    in_force: dict[str, Any] = {
        "version": 2, "thresholds": {"fast": 0.7}, "band": 0.02, "by_query_type": {}, "pins": []
    }  # fmt: skip
    assert json.loads(path.read_bytes()) == in_force
    said: dict[str, Any] = {"pinned": {"model": "old"}, "candidate": {"model": "new"}, "reason": "r", "now": utc_now()}
    async with engine.begin() as connection:
        made = await upgrades.insert_proposal(connection, tier="fast", design={}, by="ann", **said)
        await tier_pins.append(
            connection, tier="fast", upgrade_id=made, author="jon", configured={"model": "old"}, share=0.1, **said
        )
    await _until(lambda: json.loads(path.read_bytes())["pins"])
    [pin] = json.loads(path.read_bytes())["pins"]
    assert (pin["upgrade_id"], pin["candidate"], pin["share"]) == (made, {"model": "new"}, 0.1)
    follower.cancel()
    await asyncio.gather(follower, return_exceptions=True)


async def _until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
