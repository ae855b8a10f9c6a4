"""From a sample to its verdict: mirrors within the budget, retried where it helps, judged once; texts kept as configured."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uuid_utils
from sqlalchemy.ext.asyncio import AsyncEngine

from router.contracts import Attempt, Decision, Exchange, Hints
from router.pricing import resolve_prices
from router.testing.provider import FakeProvider, silence
from shadow.judging.panels import panels_of
from shadow.lab.config import demo_config
from shadow.lab.processes import Child, start_child
from shadow.lab.world import World
from shadow.mirror import Mirror
from shadow.sampling.draws import Draw, Target
from shadow.settings import Settings, parse
from shadow.store import budgets, samples
from shadow.store.engine import engine_for
from shadow.task_queue import queue_app
from shadow.tasks import MirrorIncompleteError, Tasks
from shadow.worker import dispatch_new

pytestmark = pytest.mark.slow

WORLD = World(1, items=60)
FRONTIER = "lab-frontier-2026-05"


@pytest.fixture(scope="module")
def provider() -> Iterator[Child]:
    child = start_child(["shadow.lab.provider", "--seed", "1", "--items", "60", "--latency-scale", "0"])
    yield child
    child.stop()


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database_url)
    yield engine
    await engine.dispose()


def settings_for(provider: Child, tmp_path: Any, **changes: Any) -> Settings:
    content = demo_config(provider_url=provider.base_url, data_dir=tmp_path)
    content["judges"] = {"panel": ["structured", "lexical", "markers"]}
    for section, values in changes.items():
        content[section] = {**content[section], **values}
    return parse(content, source="test")


@pytest.fixture
def faults(provider: Child) -> Iterator[Any]:
    url = provider.base_url.removesuffix("/v1") + "/lab/faults"

    def set_faults(body: dict[str, Any]) -> None:
        httpx.post(url, json=body, trust_env=False).raise_for_status()

    yield set_faults
    set_faults({"*": {"mode": "none"}})


def exchange(**changes: Any) -> Exchange:
    task = next(item for item in WORLD.items if item.kind == "arithmetic")
    body = {"model": "auto", "messages": task.messages, "stream": True, "temperature": 0}
    one = Exchange(
        request_id=str(uuid_utils.uuid7()),
        started_at=datetime.now(UTC),
        policy_version=1,
        dialect="openai.chat",
        hints=Hints(feature="help"),
        query_type="arithmetic",
        query_type_source="hint",
        requested_model="auto",
        decision=Decision(scores={}, predicted="fast", chosen="fast", confidence=0.9, reason=None),
        served_tier="fast",
        served_model="lab-fast-2026-05",
        reason=None,
        status="answered",
        http_status=200,
        error_kind=None,
        streamed=True,
        latency_seconds=0.1,
        first_token_seconds=0.05,
        finish_reason="stop",
        prompt_tokens=30,
        completion_tokens=10,
        cost_usd=Decimal("0.000007"),
        attempts=(Attempt(tier="fast", provider="lab", model="m", latency_seconds=0.1, outcome="ok"),),
        request_body=json.dumps(body),
        completion=f"The answer is {task.answer}.",
    )
    return replace(one, **changes)


UP = Draw(
    arm="up",
    reference_tier="frontier",
    targets=(Target(tier="mid", repeat=0, pi=0.01), Target(tier="frontier", repeat=0, pi=0.04)),
    pi=0.04,
    eta=1.0,
    label_drawn=True,
    counts_for_accuracy=True,
)


async def sampled(engine: AsyncEngine, draw: Draw = UP, **changes: Any) -> str:
    one = exchange(**changes)
    async with engine.begin() as connection:
        await samples.insert_samples(connection, [(one, draw, "prompt")])
    return one.request_id


@pytest.fixture
async def tasks(engine: AsyncEngine) -> AsyncIterator[Callable[[Settings], Tasks]]:
    """Call it with settings for the work of a worker."""
    mirrors: list[Mirror] = []

    def build(settings: Settings) -> Tasks:
        mirrors.append(Mirror(settings, resolve_prices(settings.providers, settings.tiers)))
        return Tasks(settings, engine, mirrors[-1], panels_of(settings))

    yield build
    for mirror in mirrors:
        await mirror.aclose()


async def row(engine: AsyncEngine, request_id: str) -> Any:
    async with engine.connect() as connection:
        query = sa.text("SELECT state, failure FROM samples WHERE request_id = :id")
        return (await connection.execute(query, {"id": request_id})).one()


async def answers(engine: AsyncEngine, request_id: str) -> dict[tuple[str, int], Any]:
    async with engine.connect() as connection:
        query = sa.text("SELECT * FROM answers WHERE request_id = :id")
        return {(r.tier, r.repeat): r for r in await connection.execute(query, {"id": request_id})}


async def test_a_sample_is_mirrored_to_every_planned_tier_and_judged(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any
) -> None:
    work = tasks(settings_for(provider, tmp_path))
    request_id = await sampled(engine)
    assert await work.mirror(request_id, last_attempt=False)
    assert (await row(engine, request_id)).state == "mirrored"
    await work.judge(request_id)
    assert (await row(engine, request_id)).state in ("judged", "abstained")
    found = await answers(engine, request_id)
    assert set(found) == {("fast", 0), ("mid", 0), ("frontier", 0)}
    assert all(answer.panel for answer in found.values()), "every answer obtained has a verdict"
    assert found["frontier", 0].model == FRONTIER
    assert found["frontier", 0].cost_usd > 0
    async with engine.connect() as connection:
        spent = await budgets.spent_today(connection, datetime.now(UTC))
    shadow = found["mid", 0].cost_usd + found["frontier", 0].cost_usd
    assert spent["mirror"] == (shadow, Decimal(0)), "every reservation is settled"


async def test_a_task_that_runs_twice_asks_once(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any
) -> None:
    work = tasks(settings_for(provider, tmp_path))
    request_id = await sampled(engine)
    await work.mirror(request_id, last_attempt=False)
    before = await answers(engine, request_id)
    assert await work.mirror(request_id, last_attempt=False), "still to be judged"
    await work.judge(request_id)
    await work.judge(request_id)
    assert not await work.mirror(request_id, last_attempt=False), "judged: nothing is left to do"
    after = await answers(engine, request_id)
    assert after["frontier", 0].obtained_at == before["frontier", 0].obtained_at


async def test_a_provider_that_is_down_is_asked_again_and_then_the_sample_counts_as_failed(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any, faults: Any
) -> None:
    work = tasks(settings_for(provider, tmp_path))
    request_id = await sampled(engine)
    faults({FRONTIER: {"mode": "down"}})
    with pytest.raises(MirrorIncompleteError):
        await work.mirror(request_id, last_attempt=False)
    assert (await row(engine, request_id)).state == "sampled"
    assert not await work.mirror(request_id, last_attempt=True)
    assert tuple(await row(engine, request_id)) == ("failed", "connect")


async def test_a_provider_that_comes_back_in_time_loses_no_sample(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any, faults: Any
) -> None:
    work = tasks(settings_for(provider, tmp_path))
    request_id = await sampled(engine)
    faults({FRONTIER: {"mode": "http429"}})
    with pytest.raises(MirrorIncompleteError, match="http_429"):
        await work.mirror(request_id, last_attempt=False)
    faults({"*": {"mode": "none"}})
    assert await work.mirror(request_id, last_attempt=False)


async def test_a_hanging_provider_is_given_up_in_time(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any, faults: Any
) -> None:
    settings = settings_for(provider, tmp_path, sampling={"timeout_seconds": 0.3})
    work = tasks(settings)
    request_id = await sampled(engine)
    faults({FRONTIER: {"mode": "hang", "seconds": 60}})
    async with asyncio.timeout(5):
        assert not await work.mirror(request_id, last_attempt=True)
    assert tuple(await row(engine, request_id)) == ("failed", "timeout")


async def test_a_spent_budget_sheds_mirrors_before_they_cost_anything(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any
) -> None:
    work = tasks(settings_for(provider, tmp_path, sampling={"budget_usd_per_day": 0.0}))
    request_id = await sampled(engine)
    assert not await work.mirror(request_id, last_attempt=False)
    assert tuple(await row(engine, request_id)) == ("shed", "budget")
    assert set(await answers(engine, request_id)) == {("fast", 0)}


async def test_many_workers_never_pass_the_cap_together(engine: AsyncEngine) -> None:
    now, cap, amount = datetime.now(UTC), Decimal("1.00"), Decimal("0.07")

    async def reserve() -> str | None:
        async with engine.begin() as connection:
            return await budgets.reserve(connection, "mirror", amount, cap_usd=cap, now=now)

    granted = [r for r in await asyncio.gather(*(reserve() for _ in range(40))) if r is not None]
    assert len(granted) == 14, "14 x 0.07 fits into a dollar, 15 do not"
    async with engine.begin() as connection:
        await budgets.settle(connection, granted[0], Decimal("0.01"))
        await budgets.settle(connection, granted[0], Decimal("0.01"))
    assert await reserve() is not None, "what was settled below its reservation is free again"
    async with engine.connect() as connection:
        assert (await budgets.spent_today(connection, now))["mirror"][0] == Decimal("0.01")


async def test_a_judge_that_hangs_holds_nobody_up_and_one_that_is_too_dear_is_not_asked(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any
) -> None:
    model = {"provider": "slow", "model": "claude-x", "input_usd_per_mtok": 1, "output_usd_per_mtok": 1}
    judges: dict[str, Any] = {"panel": ["structured", "rubric"], "model": model, "deadline_seconds": 0.3}
    said = sa.text("SELECT rationale, cost_usd FROM judgments WHERE request_id = :id AND judge LIKE 'rubric@%'")
    found, spent = {}, {}
    with FakeProvider() as silent:
        silent.always("claude-x", silence())
        for budget in (10.0, 0.0):
            content = settings_for(provider, tmp_path).model_dump(mode="json")
            content["providers"]["slow"] = {"kind": "openai", "base_url": silent.base_url}
            work = tasks(parse(content | {"judges": judges | {"budget_usd_per_day": budget}}, source="test"))
            request_id = await sampled(engine, completion="Something else, in words of its own.")
            await work.mirror(request_id, last_attempt=True)
            async with asyncio.timeout(10):
                await work.judge(request_id)
            async with engine.connect() as connection:
                found[budget] = (await connection.execute(said, {"id": request_id})).all()
                spent[budget] = (await budgets.spent_today(connection, datetime.now(UTC)))["judge"]
    assert {r.rationale for r in found[10.0]} <= {"unavailable: no reply within 0.3 s in all"}
    assert found[10.0]
    assert spent[10.0] == (sum(r.cost_usd for r in found[10.0]), Decimal(0)), "given up: counted as billed"
    assert {(r.rationale[:32], r.cost_usd) for r in found[0.0]} == {("not asked: today's budget of $0 ", Decimal(0))}
    assert spent[0.0] == spent[10.0]


@pytest.mark.parametrize(
    ("kept", "expected"), [("redacted", "mail [EMAIL]"), ("none", ""), ("full", "mail a@b.example")]
)
async def test_texts_are_kept_as_configured_once_they_are_judged(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any, kept: str, expected: str
) -> None:
    work = tasks(settings_for(provider, tmp_path, sampling={"store_text": kept}))
    request_id = await sampled(engine, completion="mail a@b.example")
    await work.mirror(request_id, last_attempt=False)
    await work.judge(request_id)
    assert (await answers(engine, request_id))["fast", 0].completion == expected


@pytest.mark.parametrize(("kept", "expected"), [("redacted", "see [IP]"), ("none", ""), ("full", "see 10.20.30.40")])
async def test_texts_of_a_sample_that_nobody_will_judge_are_kept_as_configured(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any, kept: str, expected: str
) -> None:
    work = tasks(settings_for(provider, tmp_path, sampling={"store_text": kept, "budget_usd_per_day": 0.0}))
    request_id = await sampled(engine, completion="see 10.20.30.40")
    await work.mirror(request_id, last_attempt=True)
    assert (await row(engine, request_id)).state == "shed"
    assert (await answers(engine, request_id))["fast", 0].completion == expected


async def test_no_judgment_quotes_a_text_that_may_not_be_kept(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any
) -> None:
    quoted = {}
    for kept in ("full", "none"):
        work = tasks(settings_for(provider, tmp_path, sampling={"store_text": kept}))
        request_id = await sampled(
            engine, completion="I am sorry, but I can't help. See https://leak.example, 4711 times."
        )
        await work.mirror(request_id, last_attempt=False)
        await work.judge(request_id)
        async with engine.connect() as connection:
            query = sa.text("SELECT rationale, markers FROM judgments WHERE request_id = :id")
            rows = (await connection.execute(query, {"id": request_id})).all()
        assert rows
        quoted[kept] = "".join(r.rationale + "".join(marker["text"] for marker in r.markers) for r in rows)
    assert "4711" in quoted["full"]
    assert quoted["none"] == ""


async def test_the_top_tier_asked_twice_is_held_against_itself(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any
) -> None:
    control = Draw(
        arm="control",
        reference_tier="frontier",
        targets=(Target(tier="frontier", repeat=1, pi=0.01),),
        pi=0.01,
        eta=1.0,
        label_drawn=True,
        counts_for_accuracy=True,
    )
    work = tasks(settings_for(provider, tmp_path))
    request_id = await sampled(engine, control, served_tier="frontier", served_model=FRONTIER)
    assert await work.mirror(request_id, last_attempt=False)
    await work.judge(request_id)
    found = await answers(engine, request_id)
    assert set(found) == {("frontier", 0), ("frontier", 1)}
    assert found["frontier", 0].verdict is not None


async def test_where_only_an_intermediate_tier_was_asked_it_is_the_reference(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any
) -> None:
    between = replace(UP, targets=(Target(tier="mid", repeat=0, pi=0.01),), counts_for_accuracy=False)
    work = tasks(settings_for(provider, tmp_path))
    request_id = await sampled(engine, between)
    assert await work.mirror(request_id, last_attempt=False)
    await work.judge(request_id)
    assert (await row(engine, request_id)).state == "judged"
    assert (await answers(engine, request_id))["fast", 0].verdict in ("accept", "reject")


async def test_a_task_that_fails_for_good_leaves_no_sample_waiting(
    engine: AsyncEngine, provider: Child, tmp_path: Any, database_url: str, tasks: Any
) -> None:
    class BrokenMirror(Mirror):
        async def ask(self, call: Any) -> Any:
            raise ZeroDivisionError

    settings = settings_for(provider, tmp_path, sampling={"max_attempts": 1})
    broken = BrokenMirror(settings, resolve_prices(settings.providers, settings.tiers))
    request_id = await sampled(engine)
    app = queue_app(database_url)
    Tasks(settings, engine, broken, panels_of(settings)).register(app)
    async with app.open_async():
        await dispatch_new(app, engine)
        await app.run_worker_async(queues=["mirror"], wait=False, install_signal_handlers=False, listen_notify=False)
    await broken.aclose()
    assert tuple(await row(engine, request_id)) == ("failed", "mirror: ZeroDivisionError")


async def test_new_samples_reach_the_queue_once_and_are_worked_off(
    engine: AsyncEngine, provider: Child, tmp_path: Any, tasks: Any, database_url: str
) -> None:
    settings = settings_for(provider, tmp_path)
    request_ids = [await sampled(engine) for _ in range(12)]
    app = queue_app(database_url)
    tasks(settings).register(app)
    async with app.open_async():
        assert await dispatch_new(app, engine) == 12
        assert await dispatch_new(app, engine) == 0
        for queue in ("mirror", "judge"):
            await app.run_worker_async(
                queues=[queue], wait=False, concurrency=4, install_signal_handlers=False, listen_notify=False
            )
    assert {(await row(engine, request_id)).state for request_id in request_ids} <= {"judged", "abstained"}
