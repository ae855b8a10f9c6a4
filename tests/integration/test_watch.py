"""Does a look at judged pairs take each of them once, and does a fall open one alert that somebody can settle?"""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shadow.console.app import create_console
from shadow.settings import Settings
from shadow.store import alert_actions, alerts, watch_streams
from shadow.store.engine import AsyncConnection, AsyncEngine
from shadow.store.schema import answers, samples
from shadow.streams import watch

pytestmark = pytest.mark.slow

START = datetime(2026, 9, 7, tzinfo=UTC)
KEY = ("fast", "fast-1", "short_qa")


async def _pairs(
    connection: AsyncConnection, first: int, failures: list[float | None], *, version: int = 1, kind: str = "short_qa"
) -> None:
    """A pair a minute from the first minute on; None has no verdict."""
    ids = [str(uuid.UUID(int=first + at + 1 + (0 if kind == "short_qa" else 10**6))) for at in range(len(failures))]
    rows = [
        {
            "request_id": request_id,
            "started_at": START + timedelta(minutes=first + at),
            "arm": "up",
            "served_tier": "fast",
            "served_model": "fast-1",
            "reference_tier": "frontier",
            "query_type": kind,
            "feature": "",
            "band": "b85",
            "policy_version": version,
            "plan": [["frontier", 0, 0.05]],
            "counts_for_accuracy": True,
            "pi": 0.05,
            "eta": 0.05,
            "label_drawn": False,
        }
        for at, request_id in enumerate(ids)
    ]
    await connection.execute(insert(samples), rows)
    said = [
        {
            "request_id": request_id,
            "tier": "fast",
            "repeat": 0,
            "served": True,
            "pi": 0.05,
            "model": "fast-1",
            "outcome": "ok",
            "probability": None if failure is None else 1.0 - failure,
        }
        for request_id, failure in zip(ids, failures, strict=True)
    ]
    await connection.execute(insert(answers), said)


async def _look(engine: AsyncEngine, settings: Settings, minute: int, *, judges: str = "j", most: int = 5_000) -> int:
    async with engine.begin() as connection:
        now = START + timedelta(minutes=minute)
        return await watch.look(connection, settings, judges=judges, now=now, most=most)


def _drawn(n: int, rate: float, seed: int) -> list[float | None]:
    return [float(x) for x in np.random.default_rng(seed).random(n) < rate]


async def test_a_fall_is_told_once_and_settled_by_accepting_the_new_level(
    empty_engine: AsyncEngine, console_config: Settings
) -> None:
    engine, settings = empty_engine, console_config
    before, after = _drawn(2_300, 0.05, 1), _drawn(1_500, 0.12, 2)
    async with engine.begin() as connection:
        await _pairs(connection, 0, before)
        await _pairs(connection, 0, _drawn(150, 0.05, 3), kind="summary")
        await _pairs(connection, 2_300, after)
        await connection.execute(
            sa.update(answers).where(answers.c.request_id == str(uuid.UUID(int=9))).values(probability=None)
        )
    # Looked at in pieces, by two at once, and once by somebody who dies before the commit: each pair counts once.
    assert await _look(engine, settings, 900, most=400) == 400
    async with engine.connect() as connection:
        await watch.look(connection, settings, judges="j", now=START + timedelta(minutes=2_000))
        await connection.rollback()
    await asyncio.gather(*(_look(engine, settings, 2_360, most=1_000) for _ in range(3)))
    async with engine.connect() as connection:
        streams = await watch_streams.all_streams(connection)
    found = streams[KEY]
    assert (found.baseline_pairs, found.judged, found.missing, found.draws, found.left_out) == (2_000, 300, 0, 300, 0)
    assert (found.cohort, found.cohort_streams) == (1, 2)
    assert streams["fast", "fast-1", "summary"].judged == 150
    assert streams["fast", "fast-1", "summary"].alpha == found.alpha
    assert found.alpha == pytest.approx(0.05 * 0.75 / 2)

    await _look(engine, settings, 3_900)
    await _look(engine, settings, 3_915)
    async with engine.connect() as connection:
        [alert] = await alerts.last_alerts(connection, kind="accuracy_drop")
        fired = (await watch_streams.all_streams(connection))[KEY]
    assert alert.key == "fast/fast-1/short_qa"
    assert "judged accuracy fell, or the judge changed" in alert.message
    assert "no gold set" in alert.message
    assert fired.fired_at is not None
    assert START + timedelta(minutes=2_300) < fired.fired_at < START + timedelta(minutes=3_800)
    assert fired.draws == 3_800 - 2_001
    transport = httpx.ASGITransport(app=create_console(settings, engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as client:
        first, second = (await client.get("/api/v1/streams")).json()["streams"]
        assert "fallen since 2026-09-08" in (await client.get("/streams")).text
    assert (first["state"], first["needed"], second["state"], second["needed"]) == ("fallen", 0, "idle", 1_850)
    assert first["p"] <= first["bar"]

    async with engine.begin() as connection:
        await alert_actions.close_alert(connection, alert.id, by="mira", now=START + timedelta(minutes=3_920))
    await _look(engine, settings, 3_930)
    async with engine.connect() as connection:
        anew = (await watch_streams.all_streams(connection))[KEY]
        assert await alerts.last_alerts(connection, is_open=True, kind="accuracy_drop") == []
    assert (anew.epoch, anew.reason, anew.baseline, anew.judged) == (2, "accepted", None, 0)


async def test_other_judges_and_another_policy_begin_a_stream_anew(
    empty_engine: AsyncEngine, console_config: Settings
) -> None:
    engine, settings = empty_engine, console_config
    async with engine.begin() as connection:
        await _pairs(connection, 0, [0.1] * 50, version=0)
        await _pairs(connection, 50, [0.1] * 10, version=7)  # nobody stored what it says, so it is another one
        await _pairs(connection, 60, [0.1] * 5, version=0)  # a router that had not heard of it yet
        await _pairs(connection, 500, [0.1] * 5, version=7)
    await _look(engine, settings, 130)
    async with engine.connect() as connection:
        found = (await watch_streams.all_streams(connection))[KEY]
    assert (found.epoch, found.reason, found.judged, found.left_out) == (2, "policy", 10, 5)
    await _look(engine, settings, 502, judges="others")
    await _look(engine, settings, 600, judges="others")
    async with engine.connect() as connection:
        found = (await watch_streams.all_streams(connection))[KEY]
    assert (found.epoch, found.reason, found.judged) == (3, "judges", 2)
    async with engine.begin() as connection:
        now = START + timedelta(minutes=601)
        anew = await watch.begin_anew(connection, settings, KEY, by="ana", why="the new prompt", now=now)
        assert await watch.begin_anew(connection, settings, ("fast", "x", "y"), by="ana", why="-", now=now) is None
    assert anew is not None
    assert (anew.epoch, anew.reason, anew.judged) == (4, "accepted", 0)
