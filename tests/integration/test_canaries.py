"""Is another model behind the same name noticed within one canary interval, and is a noisy one left alone?"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shadow.canaries.asking import Asker
from shadow.canaries.service import CanaryRuns, ask_for_canaries
from shadow.console.app import create_console
from shadow.errors import ConfigError
from shadow.lab.impostors import Impostor
from shadow.lab.provider import Provider
from shadow.lab.world import World
from shadow.pins import checking as pins
from shadow.settings import Settings, parse
from shadow.store import alerts, budgets, canaries
from shadow.store.engine import AsyncEngine, utc_now

pytestmark = pytest.mark.slow

MODEL = "lab-fast-2026-05"


def _settings(**canary: Any) -> Settings:
    price = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    tiers = {"fast": MODEL, "top": "lab-frontier-2026-05"}
    return parse(
        {
            "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
            "tiers": [
                {"name": name, "models": [{"provider": "lab", "model": model, "price": price}]}
                for name, model in tiers.items()
            ],
            "routing": {"thresholds": {"fast": 0.8}},
            "pins": {"canary": {"every_minutes": 1e-4, "baseline_runs": 4, **canary}},
        },
        source="tests",
    )


class _Watch:
    """A model asked again and again, and what is open about it."""

    def __init__(self, engine: AsyncEngine, settings: Settings, provider: Provider) -> None:
        self.engine, self.provider = engine, provider
        self._runs = CanaryRuns(settings, engine, Asker(settings, transport=httpx.ASGITransport(app=provider)))

    async def asked(self, times: int = 1) -> tuple[str | None, set[str]]:
        state = None
        for _ in range(times):
            state = await self._runs.run("lab", MODEL)
        async with self.engine.connect() as connection:
            found = await alerts.last_alerts(connection, is_open=True)
        return state, {alert.kind for alert in found}


async def test_another_id_and_another_behaviour_are_noticed_in_the_next_run(empty_engine: AsyncEngine) -> None:
    provider = Provider(World(1, 20), latency_scale=0.0)
    watch = _Watch(empty_engine, _settings(), provider)
    assert await watch.asked(4) == ("first", set())
    assert await watch.asked(2) == ("compared", set())
    provider.impostors = {MODEL: Impostor(reports="lab-fast-2026-09")}
    assert await watch.asked() == ("compared", {"silent_model_change"})
    provider.impostors = {MODEL: Impostor(answers_as="lab-mid-2026-05")}
    assert await watch.asked() == ("compared", {"silent_model_change", "model_behaviour"})
    async with empty_engine.begin() as connection:
        [alert] = await alerts.last_alerts(connection, kind="model_behaviour")
        assert alert.message.startswith(f"lab/{MODEL} behaves otherwise than at first under an unchanged name (answer")
        assert "24 of 24 canary prompts, capital, chemistry" in alert.message
        assert set((await canaries.answers_of(connection, alert.details["run"]))["sum"].answer or "") > {"?"}
        [run, *_] = await canaries.last_runs(connection)
        assert run.changed
        spent, reserved = (await budgets.spent_today(connection, utc_now()))["canary"]
        assert spent > 0
        assert reserved == 0
    await _shown(empty_engine)
    async with empty_engine.begin() as connection:
        await pins.accept(connection, "lab", MODEL, by="ana", why="announced", now=utc_now())
    assert await watch.asked() == ("first", set())


async def _shown(engine: AsyncEngine) -> None:
    """Both answers of a changed prompt are on the page, and the model is told as changed wherever models are listed."""
    transport = httpx.ASGITransport(app=create_console(_settings(), engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as client:
        page = (await client.get("/pins")).text
        assert "answered by lab-fast-2026-09" in page
        assert "changed: 24 prompts" in page
        answers = (await client.get("/pins/canaries", params={"provider": "lab", "model": MODEL})).text
        assert "I can help with that. <span" in answers
        assert "Could you tell me a bit more?" in answers
        found = (await client.get("/api/v1/pins/canaries", params={"provider": "lab", "model": MODEL})).json()
        assert found["prompts"][0]["changed"] == ["answer", "length"]
        [row] = [row for row in (await client.get("/api/v1/pins")).json()["pins"] if row["model"] == MODEL]
        assert (row["state"], row["canary"]["changed"], row["answers"]) == ("changed", True, 8 * 24)
        assert (await client.get("/pins/canaries", params={"provider": "lab", "model": "x"})).status_code == 404
        assert "Has a model become worse?" in (await client.get("/streams")).text


async def test_a_model_that_never_says_the_same_twice_raises_no_alarm(
    empty_engine: AsyncEngine, tmp_path: Path
) -> None:
    world = World(1, 40)
    lines = [json.dumps({"id": str(number), "prompt": item.user}) for number, item in enumerate(world.items)]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    provider = Provider(world, latency_scale=0.0)
    watch = _Watch(empty_engine, _settings(file=str(tmp_path / "mine.jsonl")), provider)
    assert await watch.asked(10) == ("compared", set())
    async with empty_engine.connect() as connection:
        [run] = await canaries.last_runs(connection)
    assert run.answered == 40
    assert any(look["p"] < 1.0 for look in run.looks)  # there was something to tell from noise


async def test_each_model_is_queued_once_and_without_money_or_answers_nothing_is_compared(
    empty_engine: AsyncEngine,
) -> None:
    async with empty_engine.connect() as connection:
        queued = sa.text("SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE task_name = 'canary'")
        for _ in range(2):
            await ask_for_canaries(empty_engine, _settings())
        assert await connection.scalar(queued) == 2  # one for each model, however often the schedule comes round
    with pytest.raises(ConfigError, match=r"pins.canary.file: gone.jsonl: cannot be read"):
        await ask_for_canaries(empty_engine, _settings(file="gone.jsonl"))
    provider = Provider(World(1, 20), latency_scale=0.0)
    assert await _Watch(empty_engine, _settings(budget_usd_per_day=0.0), provider).asked() == ("shed", set())
    assert not provider.calls
    provider.faults.update({"*": {"mode": "error500"}}, provider.models)
    assert await _Watch(empty_engine, _settings(), provider).asked() == ("failed", set())
    assert await _Watch(empty_engine, _settings(), provider).asked() == ("failed", {"canary_unheard"})
    async with empty_engine.connect() as connection:
        spent = await budgets.spent_today(connection, utc_now())
        assert await canaries.first_answers(connection, "lab", MODEL, "any") == {}
    assert spent["canary"] == (Decimal(0), Decimal(0))
