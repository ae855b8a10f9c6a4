"""Does the loop close on a real store: trained up to a cut-off, compared on what comes later, proposed, decided by a person?"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import yaml

from router.contracts import Decision, Exchange
from router.scorers.learned import LearnedScorer
from shadow.challenger import service
from shadow.challenger.findings_text import challenger_lines
from shadow.console.app import create_console
from shadow.sampling.draws import draw
from shadow.settings import Settings
from shadow.store import challengers, samples
from shadow.store.engine import AsyncEngine, engine_for, utc_now
from shadow.store.exchanges import insert_exchanges
from shadow.store.schema import answers, sample_texts
from shadow.tuning.what_if import what_if

pytestmark = pytest.mark.slow
TIERS = ("fast", "top")
#: Proofs are too hard for the cheap tier; sums are not.
SKILL = {"prove the lemma": 0.1, "add the numbers": 0.95}


def configuration(database_url: str, data_dir: Path) -> dict[str, Any]:
    price = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}
    return {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [
            {"name": tier, "models": [{"provider": "lab", "model": f"{tier}-1", "price": price}]} for tier in TIERS
        ],
        "routing": {"thresholds": {"fast": 0.5}, "band": 0.0},
        "sampling": {"up": 0.9, "down": 0.1, "control_share": 0.0, "all_tiers_share": 0.0},
        "challenger": {"every_hours": 24, "min_requests": 200, "min_pairs": 100},
        "database": {"url": database_url},
        "data_dir": str(data_dir),
    }


async def fill(
    engine: AsyncEngine, settings: Settings, example: Exchange, requests: int, *, start: datetime, seed: int
) -> None:
    """Mirrored and judged requests, scored by a champion that knows nothing."""
    rng, drawn, mirrored, judged = random.Random(seed), [], [], []
    for at in range(requests):
        kind = rng.choice(list(SKILL))
        text = f"{kind} about item {seed} {at}"
        exchange = replace(
            example,
            request_id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            started_at=start + timedelta(seconds=at),
            requested_model="auto",
            served_tier="fast",
            served_model="fast-1",
            mode="route",
            request_body=json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]}),
            decision=Decision(
                scores={"fast": 0.5 + rng.random() / 2, "top": 1.0},
                predicted="fast",
                chosen="fast",
                confidence=0.7,
                reason=None,
            ),
        )
        one = draw(settings.rates, seed="s", request_id=f"{seed} {at}", served_tier="fast", tiers=TIERS)
        if one is not None:
            drawn.append((exchange, one, text))
            key = {"request_id": exchange.request_id, "tier": "top", "repeat": 0, "served": False, "pi": 0.9}
            mirrored.append({**key, "outcome": "ok", "model": "top-1", "cost_usd": Decimal("0.004")})
            judged.append({"r": exchange.request_id, "p": 0.95 if rng.random() < SKILL[kind] else 0.1})
    async with engine.begin() as connection:
        await insert_exchanges(connection, [exchange for exchange, _, _ in drawn])
        await samples.insert_samples(
            connection, drawn, {e.request_id: what_if(e, one, settings, settings.rates) for e, one, _ in drawn}
        )
        await connection.execute(sa.insert(answers), mirrored)
        await connection.execute(
            sa.text("UPDATE answers SET probability = :p WHERE request_id = :r AND served"), judged
        )


async def test_a_better_scorer_is_trained_compared_on_later_requests_proposed_and_adopted(
    database_url: str, one_exchange: Exchange, tmp_path: Path
) -> None:
    settings = Settings.model_validate(configuration(database_url, tmp_path))
    engine, now = engine_for(database_url), utc_now()
    cut_off = now - timedelta(hours=12)
    try:
        await fill(engine, settings, one_exchange, 320, start=cut_off - timedelta(hours=20), seed=1)
        long_ago = cut_off - timedelta(days=3)
        async with engine.begin() as connection:
            await challengers.begin(
                connection, champion="heuristic", trained_from=long_ago, cut_off_at=long_ago, now=long_ago
            )
        await service.step(engine, settings, now=cut_off + service.WATERMARK)
        await service.step(engine, settings, now=cut_off + service.WATERMARK)
        row, dead = await _rows(engine)
        assert (dead.state, dead.reason) == ("dropped", "training was interrupted")
        assert (row.state, row.cut_off_at, row.looks, row.comparison) == ("comparing", cut_off, 0, None)
        assert row.training is not None
        assert row.data_sha256 == row.training["sha256"]
        model = tmp_path / "scorers" / str(row.version)
        assert LearnedScorer.load(model, TIERS).model.provenance["version"] == row.version

        await fill(engine, settings, one_exchange, 150, start=cut_off + timedelta(hours=1), seed=2)
        await service.step(engine, settings, now=now)
        row, _ = await _rows(engine)
        assert (row.state, row.looks) == ("proposed", 1)
        assert row.comparison is not None
        assert 100 <= row.comparison["pairs"][0] < 150, "only what came after the cut-off"
        assert row.comparison["difference"]["low"] > 0.0
        assert row.comparison["by_labels"] is None

        said = "\n".join(challenger_lines(row, model))
        assert "routes better than the scorer in force" in said
        assert "Few labels: it rests on the panel" in said

        config = tmp_path / "shadow.yaml"
        config.write_text(yaml.safe_dump(configuration(database_url, tmp_path)))
        words = ["scorer", "adopt", str(row.id), "--reason", "better", "--author", "mira", "--config", str(config)]
        command = [sys.executable, "-m", "shadow.cli.main", *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert f"model_dir: {model}" in done.stdout
        assert "shadow policy apply --threshold fast=" in done.stdout
        again = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert (again.returncode, len(again.stderr.splitlines())) == (2, 1)
        assert "is adopted" in again.stderr

        # The texts are gone a day later: there is nothing to learn from, and that is said.
        async with engine.begin() as connection:
            await connection.execute(sa.update(sample_texts).values(request_body=""))
        await service.step(engine, settings, now=now + timedelta(days=1))
        newest, before, _ = await _rows(engine)
        assert (before.state, before.decided_by) == ("adopted", "mira")
        assert newest.state == "dropped"
        assert "was kept (sampling.store_text is full)" in str(newest.reason)
        transport = httpx.ASGITransport(app=create_console(settings, engine))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            found = (await client.get("/api/v1/scorers")).json()
        assert [one["state"] for one in found] == ["dropped", "adopted", "dropped"]
        assert found[1]["comparison"]["difference"] == row.comparison["difference"]
    finally:
        await engine.dispose()


async def _rows(engine: AsyncEngine) -> list[challengers.ChallengerRow]:
    async with engine.connect() as connection:
        return await challengers.listed(connection)
