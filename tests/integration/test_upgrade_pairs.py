"""From a served request to a pair: drawn from the spool, answered by both models, judged, labelled blind, entered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uuid_utils
from sqlalchemy.ext.asyncio import AsyncEngine

from router.contracts import Attempt, Decision, Exchange, Hints
from router.pricing import resolve_prices
from router.settings import ModelSettings
from router.wire import exchange_to_json
from shadow.intake.shipper import Shipper
from shadow.judging.panels import panels_of
from shadow.lab.config import demo_config
from shadow.lab.processes import Child, start_child
from shadow.lab.world import World
from shadow.labels.labelling import Word, next_item, save_words
from shadow.mirror import Mirror
from shadow.settings import parse
from shadow.store import upgrades
from shadow.store.engine import engine_for, utc_now
from shadow.tasks import Tasks
from shadow.upgrades import advance
from shadow.upgrades.proposing import propose

pytestmark = pytest.mark.slow

WORLD = World(1, items=60)
TIERS = {"fast": "lab-fast-2026-05", "frontier": "lab-frontier-2026-05"}


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


def exchange(number: int, tier: str) -> Exchange:
    task = [item for item in WORLD.items if item.kind == "arithmetic"][number]
    model = TIERS[tier]
    return Exchange(
        request_id=str(uuid_utils.uuid7()),
        started_at=utc_now() - timedelta(seconds=60 - number),
        policy_version=1,
        dialect="openai.chat",
        hints=Hints(feature="help"),
        query_type="arithmetic",
        query_type_source="hint",
        requested_model="auto",
        decision=Decision(scores={}, predicted=tier, chosen=tier, confidence=0.9, reason=None),
        served_tier=tier,
        served_model=model,
        reason=None,
        status="answered",
        http_status=200,
        error_kind=None,
        streamed=False,
        latency_seconds=0.1,
        first_token_seconds=None,
        finish_reason="stop",
        prompt_tokens=30,
        completion_tokens=10,
        cost_usd=Decimal("0.00002"),
        attempts=(Attempt(tier=tier, provider="lab", model=model, latency_seconds=0.1, outcome="ok"),),
        request_body=json.dumps({"model": "auto", "messages": task.messages, "temperature": 0}),
        completion=f"The answer is {task.answer}.",
    )


async def rows(engine: AsyncEngine, query: str) -> list[Any]:
    async with engine.connect() as connection:
        return list((await connection.execute(sa.text(query))).all())


@pytest.mark.parametrize(("tier", "above"), [("fast", {"mid"}), ("frontier", set())])
async def test_both_models_answer_and_are_judged_by_the_same_measure_and_labelled_blind(
    engine: AsyncEngine, provider: Child, tmp_path: Path, tier: str, above: set[str]
) -> None:
    content = demo_config(provider_url=provider.base_url, data_dir=tmp_path)
    content["judges"] = {"panel": ["structured", "lexical", "markers"]}
    content["sampling"] |= {"up": 0.0, "down": 0.0, "control_top": 0.0}
    content["labels"]["gold_share"] = 0.0
    settings = parse(content, source="test")
    price = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    candidate = ModelSettings.model_validate({"provider": "lab", "model": "lab-mid-2026-05", "price": price})
    async with engine.begin() as connection:
        made = await propose(
            connection, settings, tier=tier, candidate=candidate, rate=1.0, label_share=1.0, by="mira", reason="x",
            now=utc_now(),
        )  # fmt: skip
        await advance.step(connection, settings, made, now=utc_now())
    served = [exchange(0, tier), exchange(1, tier)]
    (tmp_path / "a-00000000.jsonl").write_bytes(b"".join(exchange_to_json(e).rstrip() + b"\n" for e in served))
    await Shipper(settings, engine, tmp_path).ship()

    mirror = Mirror(settings, resolve_prices(settings.providers, settings.tiers))
    work = Tasks(settings, engine, mirror, panels_of(settings))
    for one in served:
        assert await work.mirror(one.request_id, last_attempt=False)
        await work.judge(one.request_id)
    await mirror.aclose()
    found = await rows(engine, "SELECT tier, model, panel, cost_usd FROM answers ORDER BY tier, request_id")
    assert {row.tier for row in found} == {"(candidate)", tier, *above}
    assert {row.model for row in found if row.tier == "(candidate)"} == {"lab-mid-2026-05"}
    assert all(row.panel for row in found)
    assert await rows(engine, "SELECT 1 FROM samples WHERE counts_for_accuracy OR label_drawn") == []

    async with engine.begin() as connection:
        for _ in served:  # both answers of the pair, and nothing that tells which is which
            item = await next_item(connection, "ann", settings.labels, now=utc_now())
            assert item is not None
            assert len(item.answers) == 2
            assert all(answer.which.startswith("blind:") for answer in item.answers)
            words = [Word(which=answer.which, label=1) for answer in item.answers]
            await save_words(connection, "ann", item.item_id, words, settings.labels, now=utc_now())
        assert await advance.step(connection, settings, made, now=utc_now()) == "shadowing"
        row = await upgrades.by_id(connection, made)
    assert row is not None
    assert row.progress is not None
    assert row.progress["pairs"] | {"sha256": ""} == {
        "entered": 2, "used": 2, "judged": 2, "labelled": 2, "label_drawn": 2, "missing": {}, "coverage": 1.0,
        "sha256": "",
    }  # fmt: skip
    assert row.progress["cost_ratio"]["value"] > 0
    labelled = await rows(engine, "SELECT tier FROM labels")
    assert {row.tier for row in labelled} == {"(candidate)", tier}
    assert await rows(engine, "SELECT 1 FROM label_extras") == []
