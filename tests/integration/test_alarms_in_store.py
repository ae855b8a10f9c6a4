"""The alarms on a real store: quiet where all is well, told where it is not, and closed by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from router.contracts import Attempt, Exchange
from shadow.alarms.service import look
from shadow.job_record import JobRecord
from shadow.settings import Settings
from shadow.store import alerts, budgets
from shadow.store.alarm_rows import judge_failures
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.exchanges import insert_exchanges

pytestmark = pytest.mark.slow


async def told(engine: AsyncEngine) -> dict[str, str]:
    async with engine.connect() as connection:
        return {f"{one.kind}:{one.key}": one.severity for one in await alerts.last_alerts(connection, is_open=True)}


async def spent(engine: AsyncEngine, amount: str, now: datetime) -> None:
    async with engine.begin() as connection:
        held = await budgets.reserve(connection, "judge", Decimal(amount), cap_usd=Decimal(100), now=now)
        assert held is not None
        await budgets.settle(connection, held, Decimal(amount))


async def test_alarms_open_on_what_the_store_shows_and_close_when_it_is_over(
    empty_engine: AsyncEngine, console_config: Settings, one_exchange: Exchange
) -> None:
    now = utc_now()
    await look(empty_engine, console_config, now=now)
    assert await told(empty_engine) == {}, "an empty store has nothing wrong"
    await spent(empty_engine, "8.5", now)
    failed = Attempt(tier="fast", provider="lab", model="fast-1", latency_seconds=0.1, outcome="http_503")
    ok = Attempt(tier="balanced", provider="lab", model="balanced-1", latency_seconds=0.1, outcome="ok")

    def exchange(minutes_ago: float, *attempts: Attempt, number: int) -> Exchange:
        return replace(
            one_exchange,
            request_id=f"0193{number:04x}-0000-7000-8000-000000000000",
            started_at=now - timedelta(minutes=minutes_ago),
            attempts=attempts,
            served_model=attempts[-1].model,
        )

    down = [exchange(20 - n, failed, ok, number=n) for n in range(12)]
    async with empty_engine.begin() as connection:
        await insert_exchanges(connection, down)
    await look(empty_engine, console_config, now=now)
    assert await told(empty_engine) == {"budget:judge": "warning", "model_down:lab/fast-1": "critical"}

    async with empty_engine.begin() as connection:
        again = replace(failed, outcome="ok")
        await insert_exchanges(connection, [exchange(1, again, number=99)])
    tomorrow = now + timedelta(days=1)
    await look(empty_engine, console_config, now=now)
    assert await told(empty_engine) == {"budget:judge": "warning"}
    await look(empty_engine, console_config, now=tomorrow)
    assert await told(empty_engine) == {}


async def test_a_filled_store_is_read_by_every_alarm(filled_engine: AsyncEngine, console_config: Settings) -> None:
    now = utc_now()
    strict = console_config.alerts.alarms.model_copy(
        update={"failure_share": 0.0001, "backlog_minutes": 1.0, "late_minutes": 0.5, "coverage": 1.0}
    )
    settings = console_config.model_copy(update={"alerts": console_config.alerts.model_copy(update={"alarms": strict})})
    async with filled_engine.connect() as connection:
        judged = await judge_failures(connection, since=now - timedelta(days=1), until=now)
    assert [(judge, failed, n > 100) for judge, failed, n in judged] == [
        ("lexical@1", 0, True),
        ("structured@1", 0, True),
    ]
    await look(filled_engine, settings, now=now)
    found = await told(filled_engine)
    assert {"coverage:fast", "mirror_failures:mirror", "late_records:records"} <= set(found)
    await look(filled_engine, console_config, now=now + timedelta(days=3))
    assert await told(filled_engine) == {}, "a shared store is left as it was found"


async def test_a_job_that_fails_three_times_is_told_until_it_succeeds(empty_engine: AsyncEngine) -> None:
    record, now = JobRecord(empty_engine), utc_now()
    for _ in range(2):
        await record.failed("gold", "OSError", now=now)
    assert await told(empty_engine) == {}
    await record.failed("gold", "OSError", now=now)
    assert await told(empty_engine) == {"job_failing:gold": "warning"}
    await JobRecord(empty_engine).succeeded("gold", now=now)
    assert await told(empty_engine) == {}, "a new leader's first success closes it"
