"""Does mode observe foretell what mode route would do, while clients get the one tier and nothing else?"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy.ext.asyncio import AsyncEngine

from shadow import rollup
from shadow.lab.audience import Audience
from shadow.lab.tokens import conversation_tokens, count_tokens
from shadow.lab.traffic import Traffic
from shadow.lab.world import World
from shadow.reports.window import Report, build_report
from shadow.settings import Settings, load
from shadow.statistics.cost import Projection
from shadow.store import labels
from shadow.store.embedded import attach
from shadow.store.engine import engine_for, utc_now
from shadow.store.labels import Label
from shadow.testing import Product, running_product

pytestmark = pytest.mark.slow

WORLD = World(1, items=200)
LEVEL = 0.9999  # ids, and with them draws, are new in every run; an interval of this level misses once in 10,000


@pytest.fixture
def observing() -> Iterator[Product]:
    changes: dict[str, dict[str, Any]] = {
        "routing": {"mode": "observe"},
        "sampling": {"up": 0.4, "control_top": 0.3, "down": 0.0},
        "labels": {"rate": 0.3, "top_rate": 0.3},
        "judges": {"panel": ["structured", "lexical", "markers"]},
    }
    with running_product(changes) as running:
        yield running


async def traffic(product: Product, *, seconds: float, seed: int) -> Traffic:
    flowing = Traffic(Audience(world=WORLD, rate=60, seed=seed), product.base_url, timeout_seconds=30)
    await flowing.run(seconds)
    assert flowing.statistics().failed == 0
    return flowing


async def label_all(engine: AsyncEngine) -> int:
    """Every answer of the samples that wait for a reviewer is labelled with the truth."""
    async with engine.begin() as connection:
        waiting = await labels.waiting_samples(connection, await labels.waiting_for_label(connection, None))
        batch = [
            Label(
                sample_id=sample.sample_id,
                which=tier,
                label=int(bool(WORLD.truth(json.loads(sample.request_body)["messages"], completion))),
                reviewer="truth",
                labelled_at=utc_now(),
            )
            for sample in waiting
            for tier, completion in sample.answers
        ]
        assert "unknown" not in await labels.save_labels(connection, batch)
    return len(batch)


async def settled(engine: AsyncEngine, settings: Settings, requests: int) -> Report:
    """The report once all that was sampled is judged and labelled."""
    async with asyncio.timeout(120):
        while True:
            labelled = await label_all(engine)
            await rollup.compute(engine, settings)
            now = utc_now()
            found = await build_report(
                engine,
                tiers=settings.tier_names,
                since=now - timedelta(hours=1),
                until=now + timedelta(minutes=1),
                level=LEVEL,
            )
            observed = found.observed.overall.requests if found.observed else 0
            routed = found.overall.requests if found.mode == "route" else 0
            waiting = found.funnel["waiting_for_mirror"] + found.funnel["waiting_for_judge"]
            if labelled == 0 and observed + routed == requests and waiting == 0:
                return found
            await asyncio.sleep(0.5)


def expected_cost_usd(item: int, tier: int) -> float:
    """Of one call, right and wrong answers as likely as they are."""
    task, lab_tier = WORLD.items[item], WORLD.tiers[tier]
    right = WORLD.success_probability(item, tier)
    written = {
        success: np.mean([count_tokens(task.write(success, lab_tier.style, random.Random(i))) for i in range(8)])
        for success in (True, False)
    }
    prompt_tokens = conversation_tokens([message["content"] for message in task.messages])
    tokens = right * written[True] + (1 - right) * written[False]
    return (
        prompt_tokens * float(lab_tier.input_usd_per_mtok) + float(tokens) * float(lab_tier.output_usd_per_mtok)
    ) / 1e6


def _ready(product: Product) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{product.port}/readyz", timeout=1, trust_env=False).status_code == 200
    return False


def report_of_command(product: Product) -> dict[str, Any]:
    command = [sys.executable, "-m", "shadow.cli.main", "report", "--config", str(product.config), "--json"]
    made = subprocess.run(command, capture_output=True, check=True, timeout=90)
    found: dict[str, Any] = json.loads(made.stdout)
    return found


async def test_what_would_have_been_served_is_foretold_and_stays_apart_from_what_is(observing: Product) -> None:
    settings = load(observing.config, environ={})
    tiers = settings.tier_names
    before = await traffic(observing, seconds=14, seed=1)
    answered = [one for one in before.served if one.failure is None]
    assert {one.tier for one in answered} == {"frontier"}, "clients get the tier that observes, whatever was decided"

    url = attach(observing.directory)
    assert url is not None
    engine = engine_for(url)
    try:
        found = await settled(engine, settings, len(answered))
        assert found.mode == "observe"
        assert found.observed is not None
        async with engine.connect() as connection:
            rows = await connection.execute(sa.text("SELECT request_id, chosen_tier FROM exchanges"))
            chosen = {str(row.request_id): row.chosen_tier for row in rows}
        assert found.observed.served == {"frontier": len(answered)}

        items = {one.request_id: one.item for one in answered}
        decided: dict[str, list[int]] = {tier: [] for tier in tiers}
        for request_id, tier in chosen.items():
            decided[tier].append(items[request_id])
        parts = {part.tier: part for part in found.observed.tiers}
        for position, tier in enumerate(tiers):
            part, own = parts[tier], decided[tier]
            assert part.requests == len(own)
            assert part.share == pytest.approx(len(own) / len(answered))
            truth = float(np.mean([WORLD.success_probability(item, position) for item in own]))
            assert part.accuracy.corrected is not None
            assert part.accuracy.corrected.covers(truth), (tier, truth, part.accuracy.corrected)
        overall = found.observed.overall
        truths = [WORLD.success_probability(i, k) for k, tier in enumerate(tiers) for i in decided[tier]]
        assert overall.accuracy.corrected is not None
        assert overall.accuracy.corrected.covers(float(np.mean(truths)))
        assert isinstance(overall.cost, Projection)
        cost = sum(expected_cost_usd(item, position) for position, tier in enumerate(tiers) for item in decided[tier])
        assert overall.cost.cost_usd.covers(cost), (cost, overall.cost.cost_usd)
        assert overall.cost.saved_usd.low > 0
        kinds = Counter(part.query_type for part in found.observed.parts if part.tier == "fast")
        assert len(kinds) > 1

        # Back to mode route: the figures of the two modes stay apart.
        content = yaml.safe_load(observing.config.read_text())
        content["routing"]["mode"] = "route"
        observing.config.write_text(yaml.safe_dump(content))
        router = observing.role("router")
        assert router is not None
        os.kill(router.pid, signal.SIGTERM)
        router.wait(20)
        await asyncio.to_thread(observing.until, lambda: observing.role("router") is not None and _ready(observing), 60)
        after = await traffic(observing, seconds=3, seed=2)
        routed = Counter(one.tier for one in after.served if one.failure is None)
        assert set(routed) == set(tiers)
        both = await settled(engine, settings, len(answered) + routed.total())
        assert both.mode == "route"
        assert {tier.tier: tier.requests for tier in both.tiers} == dict(routed)
        assert both.observed is not None
        assert both.observed.overall.requests == len(answered)
        assert isinstance(both.observed.overall.cost, Projection)
        assert both.observed.overall.cost.cost_usd.value == pytest.approx(overall.cost.cost_usd.value)
        assert both.observed.overall.accuracy.corrected is not None
        assert both.observed.overall.accuracy.corrected.value == pytest.approx(overall.accuracy.corrected.value)
    finally:
        await engine.dispose()
    shown = await asyncio.to_thread(report_of_command, observing)
    assert shown["mode"] == "route"
    assert shown["observed"]["certified"] is False
    going = shown["going_live"]
    assert {one["query_type"] for one in going["query_types"]} >= set(kinds), (
        "each query type that was decided for is told of"
    )
    assert all(one["status"] != "certified" or one["why"] == "all_on_top" for one in going["query_types"]), (
        "too few labels"
    )
    assert shown["observed"]["overall"]["requests"] == len(answered)
    assert shown["observed"]["overall"]["accuracy"]["corrected"]["low"] < float(np.mean(truths)) + 0.1
