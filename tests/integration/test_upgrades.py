"""From a proposal to a switched pin: pairs of both models, evidence that is frozen and checked again, decisions exactly once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uuid_utils
from sqlalchemy.ext.asyncio import AsyncEngine

from router.contracts import Attempt, Decision, Exchange, Hints
from router.pins import Pins, in_share
from router.policy_file import FilePolicySource
from router.pool import build_pool
from router.settings import ModelSettings
from shadow.console.app import create_console
from shadow.errors import ConfigError, RefusedError
from shadow.intake.policy_follower import write_policy
from shadow.settings import Settings
from shadow.store import audit, labels, policies, samples, tier_pins, upgrade_pairs, upgrades
from shadow.store.alerts import last_alerts
from shadow.store.engine import AsyncConnection, engine_for, utc_now
from shadow.upgrades import advance, decisions
from shadow.upgrades.design import Design
from shadow.upgrades.drawing import Running, draw_pair
from shadow.upgrades.pins import CANDIDATE_TIER
from shadow.upgrades.proposing import propose

pytestmark = pytest.mark.slow

NEW = ModelSettings.model_validate(
    {"provider": "lab", "model": "fast-2", "price": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}}
)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database_url)
    yield engine
    await engine.dispose()


def exchange(at: datetime, model: str = "fast-1", *failed: str) -> Exchange:
    tried = [
        Attempt(tier="fast", provider="lab", model=name, latency_seconds=0.1, outcome=outcome)
        for name, outcome in (*((name, "http_503") for name in failed), (model, "ok"))
    ]
    return Exchange(
        request_id=str(uuid_utils.uuid7()),
        started_at=at,
        policy_version=1,
        dialect="openai.chat",
        hints=Hints(feature="help"),
        query_type="arithmetic",
        query_type_source="hint",
        requested_model="auto",
        decision=Decision(scores={}, predicted="fast", chosen="fast", confidence=0.9, reason=None),
        served_tier="fast",
        served_model=model,
        reason=None,
        status="answered",
        http_status=200,
        error_kind=None,
        streamed=False,
        latency_seconds=0.2,
        first_token_seconds=None,
        finish_reason="stop",
        prompt_tokens=30,
        completion_tokens=10,
        cost_usd=Decimal("0.002"),
        attempts=tuple(tried),
        request_body=json.dumps({"model": "auto", "messages": [{"role": "user", "content": "2 + 2?"}]}),
        completion="4",
    )


async def answered(
    connection: AsyncConnection,
    settings: Settings,
    upgrade_id: int,
    exchanges: Sequence[Exchange],
    *,
    candidate: float,
    pinned: float,
    given: tuple[int, int] | None = None,
) -> int:
    """Draw pairs and give them their other answers and verdicts; given: labels of candidate and pinned. Returns how many."""
    row = await upgrades.by_id(connection, upgrade_id)
    assert row is not None
    running = Running(row=row, design=Design.from_json(row.design), left=1)
    seed, tiers, rates = settings.sampling.seed, settings.tier_names, settings.rates
    found = [(one, draw_pair(running, one, seed=seed, tiers=tiers, rates=rates)) for one in exchanges]
    drawn = [(one, pair[0], "2 + 2?") for one, pair in found if pair is not None and pair[0] is not None]
    pairs = [pair[1] for _, pair in found if pair is not None]
    await samples.insert_samples(connection, drawn)
    await upgrade_pairs.insert_pairs(connection, pairs)
    if not pairs:
        return 0
    await connection.execute(
        sa.text(
            "INSERT INTO answers (request_id, tier, repeat, served, pi, outcome, completion, cost_usd, latency_seconds) "
            "VALUES (:id, :tier, 0, false, 1, 'ok', '5', 0.001, 0.1)"
        ),
        [{"id": one.request_id, "tier": target.tier} for one, draw, _ in drawn for target in draw.targets],
    )
    await connection.execute(
        sa.text(
            "UPDATE answers a SET panel = 'panel@1', probability = CASE WHEN a.tier = '(candidate)' "
            "OR a.tier = 'fast' AND p.served_candidate THEN CAST(:candidate AS float8) ELSE :pinned END "
            "FROM upgrade_pairs p WHERE p.request_id = a.request_id AND p.entered_at IS NULL"
        ),
        {"candidate": candidate, "pinned": pinned},
    )
    await connection.execute(sa.text("UPDATE samples SET state = 'judged' WHERE state = 'sampled'"))
    words = [] if given is None else list(zip((CANDIDATE_TIER, "fast"), given, strict=True))
    said = [
        labels.Label(sample_id=pair.request_id, which=which, label=label, reviewer="ann", labelled_at=utc_now())
        for pair in pairs
        for which, label in words
    ]
    await labels.save_labels(connection, said)
    return len(pairs)


async def proposed(engine: AsyncEngine, settings: Settings, **said: Any) -> int:
    asked: dict[str, Any] = {"tier": "fast", "candidate": NEW, "rate": 1.0, "label_share": 1.0, "by": "mira"} | said
    async with engine.begin() as connection:
        await policies.adopt_configured(connection, thresholds=settings.routing.thresholds, band=settings.routing.band)
        made = await propose(connection, settings, reason="half the price", now=utc_now(), **asked)
        assert await advance.step(connection, settings, made, now=utc_now()) == "shadowing"
    return made


async def shadowed(
    engine: AsyncEngine, settings: Settings, upgrade_id: int, n: int, given: tuple[int, int] = (1, 1)
) -> str:
    start = utc_now() - timedelta(hours=1)
    async with engine.begin() as connection:
        served = [exchange(start + timedelta(seconds=number)) for number in range(n)]
        await answered(connection, settings, upgrade_id, served, candidate=0.9, pinned=0.9, given=given)
        return await advance.step(connection, settings, upgrade_id, now=utc_now())


async def act(engine: AsyncEngine, do: Any, *args: Any, **kwargs: Any) -> Any:
    async with engine.begin() as connection:
        return await do(connection, *args, now=utc_now(), **kwargs)


async def served_first(engine: AsyncEngine, settings: Settings, path: Path, request_id: str) -> list[str]:
    """The models that a router asks for a request of tier fast, by the file that the intake writes for it."""
    async with engine.connect() as connection:
        row, pins = await policies.newest(connection), await tier_pins.in_force(connection)
    assert row is not None
    write_policy(path, row.policy, pins)
    source = FilePolicySource(path, tiers=settings.tier_names, thresholds={}, band=0.0)
    chains = Pins(build_pool(settings, {}), settings, source, {}).chains_for(request_id)
    return [target.model for target in chains["fast"]]


async def test_a_candidate_goes_all_the_way_and_back(
    engine: AsyncEngine, console_config: Settings, tmp_path: Path
) -> None:
    settings = console_config
    made = await proposed(engine, settings)
    for early in (decisions.approve, decisions.promote):
        with pytest.raises(RefusedError, match=f"upgrade {made} is shadowing"):
            await act(engine, early, settings, made, by="jon", reason="")
    assert await shadowed(engine, settings, made, 145) == "ready"

    with pytest.raises(RefusedError, match="it must be approved first"):
        await act(engine, decisions.promote, settings, made, by="jon", reason="")
    with pytest.raises(RefusedError, match="somebody else has to approve"):
        await act(engine, decisions.approve, settings, made, by="Mira", reason="mine")
    async with engine.begin() as connection:
        waiting = await last_alerts(connection, is_open=True, kind="upgrade")
    assert [alert.key for alert in waiting] == [f"{made}:ready"]
    transport = httpx.ASGITransport(create_console(settings, engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8081") as client:
        api = f"/api/v1/upgrades/{made}"
        refused = await client.post(f"{api}/approve", json={"by": "mira"})
        assert (refused.status_code, "somebody else" in refused.json()["error"]["message"]) == (409, True)
        assert (await client.post("/api/v1/upgrades/77/approve", json={"by": "jon"})).status_code == 404
        assert (await client.post(f"{api}/approve", json={"reason": "?"})).status_code == 422
        done = await client.post(f"{api}/approve", json={"by": "jon", "reason": "looked at it"})
        assert done.json() == {"upgrade": made, "state": "approved"}
        assert (await client.get(api)).json()["evidence"]["figures"]["verdict"] == "not_worse"
        page = (await client.get(f"/upgrades/{made}")).text
        for said in ("fast-1 → fast-2", "approved by jon", "Start the canary", "Evidence", "points ("):
            assert said in page
        assert f'<a href="/upgrades/{made}">' in (await client.get("/upgrades")).text
        assert (await client.get("/upgrades/77")).status_code == 404
    with pytest.raises(RefusedError, match="approved already"):
        await act(engine, decisions.approve, settings, made, by="kim", reason="me too")

    # A process that dies between the two leaves an approval, and one in the middle leaves nothing.
    async def killed(connection: AsyncConnection, *, now: datetime) -> None:
        await decisions.promote(connection, settings, made, by="jon", reason="go", now=now)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await act(engine, killed)
    async with engine.begin() as connection:
        row = await upgrades.by_id(connection, made)
        assert row is not None
        assert (row.state, await tier_pins.in_force(connection)) == ("approved", [])
    said = await act(engine, decisions.promote, settings, made, by="jon", reason="go")
    assert "fast-2 serves 10% of tier fast" in said
    drawn = next(f"request-{i}" for i in range(1_000) if in_share(f"request-{i}", made, 0.1))
    asked = partial(served_first, engine, settings, tmp_path / "policy.json")
    assert await asked(drawn) == ["fast-2", "fast-1"]
    with pytest.raises(RefusedError, match="serves its canary share already"):
        await act(engine, decisions.promote, settings, made, by="jon", reason="go")
    await act(engine, decisions.promote, settings, made, by="jon", reason="all of it", full=True)
    assert await asked("any") == ["fast-2"]
    newer = NEW.model_copy(update={"model": "fast-3"})
    following = await proposed(engine, settings, candidate=newer, pinned="lab:fast-2")
    await act(engine, decisions.rollback, settings, made, by="kim", reason="complaints")
    assert await asked(drawn) == ["fast-1"]
    async with engine.begin() as connection:
        assert await advance.step(connection, settings, following, now=utc_now()) == "rejected"
        after = await upgrades.by_id(connection, following)
    assert after is not None
    assert after.state_reason == "fast-2 is not the tier's pin any more"

    async with engine.begin() as connection:
        pins = await tier_pins.history(connection)
        assert [(pin.share, pin.pinned and pin.pinned["model"]) for pin in pins] == [
            (0, None),
            (0, "fast-2"),
            (0.1, None),
        ]
        verified = await audit.verify(connection)
        assert verified.broken_at is None
        evidence = json.loads(row.evidence or "")
    figures = evidence["figures"]
    assert figures["verdict"] == "not_worse"
    assert set(evidence["versions"]) == {"policy", "pins", "judges"}
    assert figures["pairs"]["labelled"] == figures["pairs"]["entered"] > 120
    assert figures["cost_ratio"]["value"] == pytest.approx(0.5)
    assert figures["difference"]["low"] < 0 < figures["difference"]["high"]
    assert figures["slices"]["query_type"][0]["name"] == "arithmetic"


async def test_evidence_that_is_stale_or_tampered_with_is_refused(
    engine: AsyncEngine, console_config: Settings
) -> None:
    settings = console_config
    made = await proposed(engine, settings)
    assert await shadowed(engine, settings, made, 145) == "ready"

    async def refused(why: str, settings: Settings = settings, days: int = 0) -> None:
        at = utc_now() + timedelta(days=days)
        async with engine.connect() as connection:
            with pytest.raises(RefusedError, match=why):
                await decisions.approve(connection, settings, made, by="jon", reason="ok", now=at)

    await refused("older than 14 days", days=15)
    panel = settings.judges.model_copy(update={"panel": ("structured",)})
    await refused("judges or their calibration are others", settings.model_copy(update={"judges": panel}))
    for table, change, why in (
        ("upgrades", "evidence = replace(evidence, 'not_worse', 'not_bad')", "its SHA-256 differs"),
        ("upgrade_pairs", "z = z + 0.001", "the pairs are not those"),
    ):
        async with engine.begin() as connection:  # somebody who may switch triggers off
            await connection.execute(sa.text(f"CREATE TABLE kept AS SELECT * FROM {table}"))
            await connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            await connection.execute(sa.text(f"UPDATE {table} SET {change}"))
        await refused(why)
        async with engine.begin() as connection:
            key, column = ("id", "evidence") if table == "upgrades" else ("request_id", "z")
            await connection.execute(
                sa.text(f"UPDATE {table} t SET {column} = k.{column} FROM kept k WHERE k.{key} = t.{key}")
            )
            await connection.execute(sa.text("DROP TABLE kept"))
    async with engine.begin() as connection:
        await policies.append(
            connection, thresholds={"fast": 0.5, "balanced": 0.5}, band=0.0, author="x", origin="user", reason="x"
        )
    await refused("the threshold policy in force is another one")
    async with engine.begin() as connection:
        assert await advance.step(connection, settings, made, now=utc_now()) == "expired"


async def test_a_worse_candidate_is_stopped_and_a_canary_that_fails_is_taken_back(
    engine: AsyncEngine, console_config: Settings
) -> None:
    settings = console_config
    made = await proposed(engine, settings)
    assert await shadowed(engine, settings, made, 60, given=(0, 1)) == "harmed"

    made = await proposed(engine, settings)
    assert await shadowed(engine, settings, made, 145) == "ready"
    await act(engine, decisions.approve, settings, made, by="jon", reason="ok")
    await act(engine, decisions.promote, settings, made, by="jon", reason="go")
    start = utc_now()
    async with engine.begin() as connection:
        later = start + timedelta(hours=2)
        assert await advance.step(connection, settings, made, now=later) == "canary"
        assert (await last_alerts(connection, is_open=True, kind="upgrade"))[0].key == f"{made}:unserved"
        assert await answered(connection, settings, made, [exchange(start)], candidate=1.0, pinned=1.0) == 0
        served = [  # by the candidate, or by the pinned model where it failed
            exchange(start + timedelta(seconds=number), *(("fast-2",) if number % 2 else ("fast-1", "fast-2")))
            for number in range(80)
        ]
        assert await answered(connection, settings, made, served, candidate=0.1, pinned=0.9) > 20
        assert await advance.step(connection, settings, made, now=utc_now()) == "rolled_back"
        assert (await tier_pins.in_force(connection))[0].candidate is None
        alert = (await last_alerts(connection, is_open=True, kind="upgrade"))[0]
    assert alert.severity == "critical"
    assert "worse than fast-1" in alert.message


async def test_what_could_show_nothing_is_not_even_proposed(engine: AsyncEngine, console_config: Settings) -> None:
    for said, why in (
        ({"tier": "slow"}, "there is no tier"),
        ({"tier": "frontier", "label_share": 0.25}, "nothing is above tier"),
        ({"pinned": "lab:other"}, "the pin of tier 'fast' is lab:fast-1"),
        ({"candidate": ModelSettings(provider="lab", model="unheard-of")}, "no price is known"),
    ):
        with pytest.raises((ConfigError, RefusedError), match=why):
            await proposed(engine, console_config, **said)
