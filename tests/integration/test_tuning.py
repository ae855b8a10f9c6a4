"""Do the store's mirrored requests lower a threshold as far as they show it may go, and no further, and can it be taken back?"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from router.contracts import Decision, Exchange
from shadow.sampling.draws import draw
from shadow.settings import Settings
from shadow.store import policies, proposals, samples
from shadow.store.engine import engine_for, utc_now
from shadow.store.exchanges import insert_exchanges
from shadow.store.schema import answers, labels
from shadow.tuning import service
from shadow.tuning.what_if import what_if

pytestmark = pytest.mark.slow
TIERS = ("fast", "top")
USD = {"fast": Decimal("0.0002"), "top": Decimal("0.004")}


def configuration(database_url: str, **tuning: Any) -> dict[str, Any]:
    def models(name: str, usd: float) -> list[dict[str, Any]]:
        price = {"input_usd_per_mtok": usd, "output_usd_per_mtok": usd}
        return [{"provider": "lab", "model": f"{name}-1", "price": price}]

    return {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [{"name": "fast", "models": models("fast", 1)}, {"name": "top", "models": models("top", 20)}],
        "routing": {"thresholds": {"fast": 0.9}, "band": 0.0},
        "sampling": {"up": 0.4, "down": 0.6, "control_top": 0.05, "control_share": 0.0, "all_tiers_share": 0.0},
        "labels": {"rate": 0.9, "top_rate": 0.9},
        "tuning": tuning,
        "database": {"url": database_url},
    }


async def fill(
    url: str,
    settings: Settings,
    example: Exchange,
    requests: int,
    *,
    labelled: bool,
    worst: float,
    age_hours: float = 30.0,
) -> None:
    """Requests with a score in [0, 1], the cheap tier as good as the top one from a score of `worst` on, and never below it."""
    rng, engine = random.Random(worst), engine_for(url)
    drawn, given, judged = [], [], []
    for at in range(requests):
        score = rng.random()
        served = "fast" if score >= 0.9 else "top"
        exchange = replace(
            example,
            request_id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            started_at=utc_now() - timedelta(hours=age_hours) + timedelta(seconds=at),
            requested_model="auto",
            served_tier=served,
            served_model=f"{served}-1",
            status="answered",
            cost_usd=USD[served],
            mode="route",
            decision=Decision(
                scores={"fast": score, "top": 1.0}, predicted=served, chosen=served, confidence=score, reason=None
            ),
        )
        one = draw(settings.rates, seed="s", request_id=exchange.request_id, served_tier=served, tiers=TIERS)
        if one is None:
            continue
        drawn.append((exchange, one, ""))
        good = score >= worst
        for tier, right in (("fast", good), ("top", True)):
            if tier == served or any(target.tier == tier and target.repeat == 0 for target in one.targets):
                key = {"request_id": exchange.request_id, "tier": tier, "repeat": 0}
                probability = 1.0 if tier == "top" else 0.95 if right else 0.1
                judged.append({**key, "probability": probability, "served": tier == served})
                if labelled and one.label_drawn:
                    given.append({**key, "reviewer": "mira", "label": int(right), "labelled_at": utc_now()})
    async with engine.begin() as connection:
        await insert_exchanges(connection, [exchange for exchange, _, _ in drawn])
        await samples.insert_samples(
            connection, drawn, {e.request_id: what_if(e, one, settings, settings.rates) for e, one, _ in drawn}
        )
        mirrored = [
            {
                **row,
                "pi": 0.5,
                "outcome": "ok",
                "model": f"{row['tier']}-1",
                "cost_usd": USD[row["tier"]],
                "prompt_tokens": 100,
                "completion_tokens": 100,
            }
            for row in judged
            if not row["served"]
        ]
        await connection.execute(sa.insert(answers), mirrored)
        said = "CASE tier WHEN 'top' THEN 1.0 ELSE CAST(:p AS float8) END"
        await connection.execute(
            sa.text(f"UPDATE answers SET probability = {said} WHERE request_id = :r AND served"),
            [{"r": row["request_id"], "p": row["probability"]} for row in judged if row["served"]],
        )
        if given:
            await connection.execute(sa.insert(labels), given)
    await engine.dispose()


@pytest.fixture
def settings_of(database_url: str) -> Callable[..., Settings]:
    return lambda **tuning: Settings.model_validate(configuration(database_url, **tuning))


async def test_labelled_pairs_certify_a_lower_threshold_and_no_lower_than_they_show(
    settings_of: Callable[..., Settings], database_url: str, one_exchange: Exchange
) -> None:
    settings = settings_of(epsilon=0.05)
    await fill(database_url, settings, one_exchange, 3000, labelled=True, worst=0.5)
    engine = engine_for(database_url)
    async with engine.begin() as connection:
        found = await service.look(connection, settings, days=3)
        made = await service.propose(connection, found)
        again = await service.propose(connection, found)
        listed = await proposals.listed(connection)
    assert found.tuned.certificate.status == "certified"
    assert found.tuned.policy is not None
    assert found.tuned.policy.thresholds == {"fast": 0.9}, "of other query types nothing was seen"
    own = found.tuned.policy.by_query_type[one_exchange.query_type]["fast"]
    assert 0.42 < own < 0.62, "the loss below .5 is 1 a request: epsilon allows .45"
    assert found.tuned.risk_now is not None
    assert found.tuned.risk_now.high is not None
    assert found.tuned.risk_now.high < 0.05
    saving = found.tuned.saving_usd_per_day
    assert saving is not None
    assert saving.low > 0
    assert [(row.id, row.state) for row in listed] == [(again, "open"), (made, "superseded")]
    assert listed[0].evidence["labels"] >= 200
    await engine.dispose()


async def test_judges_alone_certify_nothing_and_are_never_applied_by_themselves(
    settings_of: Callable[..., Settings], database_url: str, one_exchange: Exchange
) -> None:
    settings = settings_of(epsilon=0.1, mode="auto", cooldown_hours=0, max_step=1.0)
    await fill(database_url, settings, one_exchange, 1500, labelled=False, worst=0.5)
    engine = engine_for(database_url)
    await service.run(engine, settings)
    async with engine.begin() as connection:
        rows = await proposals.listed(connection)
        assert [(row.status, row.state) for row in rows] == [("uncertified", "open")]
        assert await policies.newest(connection) is None
    await engine.dispose()


async def test_auto_takes_one_step_then_cools_down_and_goes_back_when_answers_get_worse(
    settings_of: Callable[..., Settings], database_url: str, one_exchange: Exchange
) -> None:
    settings = settings_of(epsilon=0.05, mode="auto", cooldown_hours=24, max_step=0.1)
    engine = engine_for(database_url)
    async with engine.begin() as connection:
        first = await policies.adopt_configured(connection, thresholds={"fast": 0.9}, band=0.0)
        await connection.execute(sa.text("UPDATE policies SET created_at = now() - interval '3 days'"))
    await fill(database_url, settings, one_exchange, 3000, labelled=True, worst=0.5)
    await service.run(engine, settings)
    async with engine.begin() as connection:
        applied = await policies.newest(connection)
        assert applied is not None
        assert applied.origin == "tuner"
        own = applied.policy.by_query_type[one_exchange.query_type]["fast"]
        assert 0.8 <= own < 0.9, "one step of .1 at most"
    await service.run(engine, settings)
    async with engine.begin() as connection:
        still = await policies.newest(connection)
        assert still is not None
        assert still.policy.version == applied.policy.version, "it cools down"
        # The policy has been in force for a day, and the cheap tier fails half of what it is sent.
        await connection.execute(
            sa.text("UPDATE policies SET created_at = now() - interval '28 hours' WHERE version = :v"),
            {"v": applied.policy.version},
        )
    await fill(database_url, settings, one_exchange, 900, labelled=False, worst=0.97, age_hours=20)
    await service.run(engine, settings)
    async with engine.begin() as connection:
        back = await policies.newest(connection)
        assert back is not None
        assert (back.origin, back.policy.thresholds) == ("rollback", {"fast": 0.9})
        assert first == 1
        assert [row.state for row in await proposals.listed(connection)] == ["rolled_back"]
    await engine.dispose()


def test_the_command_says_what_it_found_and_applies_only_what_is_certified(database_url: str, tmp_path: Path) -> None:
    config = tmp_path / "shadow.yaml"
    config.write_text(yaml.safe_dump(configuration(database_url)))

    def tune(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "shadow.cli.main", "tune", "--config", str(config), "--author", "ana", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    done = tune("--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "keep"
    assert "Keep the thresholds: no request of the window" in tune().stdout
    refused = tune("--reject", "--reason", "no")
    assert refused.returncode == 2
    assert "no proposal waits" in refused.stderr
    assert tune("--epsilon", "0").returncode == 2
    assert "exclude each other" in tune("--apply", "--reject").stderr
