"""Roll-ups hold exactly the sums of the raw rows, whatever order things arrive in, and one leader computes them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
import uuid_utils
from sqlalchemy.ext.asyncio import AsyncEngine

from judges.contracts import Judgment, PanelJudgment
from router.contracts import Attempt, Decision, Exchange, Hints
from shadow import rollup
from shadow.jobs import Job
from shadow.leader import lead
from shadow.reports.window import build_report
from shadow.sampling.draws import draw
from shadow.settings import Settings, parse
from shadow.statistics.noise_floor import NOISE_FIELDS, NoiseSums
from shadow.statistics.sums import SUM_FIELDS, Samples, Sums, sums_of
from shadow.store import labels, rollups, samples
from shadow.store.engine import engine_for
from shadow.store.exchanges import insert_exchanges
from shadow.store.labels import Label
from shadow.store.noise import window_noise
from shadow.store.rollup_queue import mark
from shadow.store.samples import Answer

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FREE = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
TIERS = ("fast", "top")


@pytest.fixture
def settings() -> Settings:
    return parse(
        {
            "providers": {"lab": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}},
            "tiers": [{"name": n, "models": [{"provider": "lab", "model": f"m-{n}", "price": FREE}]} for n in TIERS],
            "routing": {"thresholds": {"fast": 0.8}},
            "sampling": {"up": 0.4, "down": 0.05, "control_share": 0.3, "control_top": 0.3},
            "labels": {"rate": 0.15, "top_rate": 0.15},
            "rollup": {"bucket_seconds": 900, "every_seconds": 0.1},
        },
        source="test",
    )


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database_url)
    yield engine
    await engine.dispose()


def exchange(number: int, rng: random.Random) -> Exchange:
    served = "top" if rng.random() < 0.25 else "fast"
    confidence = rng.random()
    return Exchange(
        request_id=str(uuid_utils.uuid7()),
        started_at=START + timedelta(seconds=number * 7),
        policy_version=1,
        dialect="openai.chat",
        hints=Hints(feature="help"),
        query_type="qa",
        query_type_source="hint",
        requested_model="auto",
        decision=Decision(scores={}, predicted="fast", chosen=served, confidence=confidence, reason=None),
        served_tier=served,
        served_model=f"m-{served}",
        reason="low_confidence" if served == "top" else None,
        status="answered",
        http_status=200,
        error_kind=None,
        streamed=False,
        latency_seconds=0.1,
        first_token_seconds=None,
        finish_reason="stop",
        prompt_tokens=10,
        completion_tokens=5,
        cost_usd=Decimal(rng.randrange(1, 1000)) / 1_000_000,
        attempts=(Attempt(tier=served, provider="lab", model="m", latency_seconds=0.1, outcome="ok"),),
        request_body="{}",
        completion="text",
    )


def panel(probability: float | None) -> PanelJudgment:
    verdict: Any = "abstain" if probability is None else ("accept" if probability >= 0.5 else "reject")
    said = Judgment(judge="lexical@1", verdict=verdict, score=probability, rationale="r", cost_usd=Decimal("0.001"))
    return PanelJudgment(panel="panel@1", verdict=verdict, probability=probability, judgments=(said,))


class Raw:
    """What was put into the store, kept as plain lists: the other way to compute the sums."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.control: list[tuple[str, float, float | None, float | None]] = []  # fate, pi, d, r
        self.exchanges: list[Exchange] = []

    def noise(self) -> NoiseSums:
        """Of the tier below the top, pair by pair."""
        parts = []
        for fate, pi, d, r in self.control:
            base = NoiseSums(control=1, abstained=fate == "abstained", failed=fate == "failed")
            if d is not None and r is not None:
                w = 1 / pi
                found = {"wwd": w * w * d, "wwr": w * w * r, "wwdd": (w * d) ** 2, "wwdr": w * w * d * r}
                base = NoiseSums(
                    control=1, pairs=1, w=w, ww=w * w, wd=w * d, wr=w * r, wwrr=(w * r) ** 2, **found
                )  # fmt: skip
            parts.append(base)
        return NoiseSums.total(parts)

    def sums(self, tier: str) -> Sums:
        rows = [row for row in self.rows if row["tier"] == tier]

        def array(name: str, kind: Any = float) -> Any:
            return np.array([row[name] for row in rows], dtype=kind)

        return sums_of(
            Samples(
                inclusion=array("pi"),
                decided=array("decided", bool),
                probability=array("p"),
                labelled=array("labelled", bool),
                label=array("y"),
                label_inclusion=array("eta"),
                mirrored=array("mirrored", bool),
                abstained=array("abstained", bool),
                failed=array("failed", bool),
                priced=array("priced", bool),
                reference_cost_usd=array("c_ref"),
                served_cost_usd=array("c_served"),
            ),
            costs_usd=np.array([float(e.cost_usd) for e in self.exchanges if e.served_tier == tier]),
        )


async def filled(engine: AsyncEngine, settings: Settings, n: int = 900) -> Raw:
    rng = random.Random(5)
    raw = Raw()
    raw.exchanges = [exchange(i, rng) for i in range(n)]
    async with engine.begin() as connection:
        await insert_exchanges(connection, raw.exchanges)
        await mark(connection, (e.started_at for e in raw.exchanges))
        for number, one in enumerate(raw.exchanges):
            # By number: ids are new in every run, and the draw must not be.
            drawn = draw(
                settings.rates, seed="s", request_id=f"{number}", served_tier=one.served_tier or "", tiers=TIERS
            )
            if drawn is None:
                continue
            await samples.insert_samples(connection, [(one, drawn, "prompt")])
            fate = rng.choice(["judged", "judged", "judged", "abstained", "failed", "sampled"])
            reference_cost = Decimal(rng.randrange(1000, 5000)) / 1_000_000
            if fate in ("judged", "abstained"):
                for target in drawn.targets:
                    answer = Answer(
                        tier=target.tier, repeat=target.repeat, served=False, pi=target.pi, outcome="ok",
                        completion="text", cost_usd=reference_cost,
                    )  # fmt: skip
                    await samples.save_answer(connection, one.request_id, answer)
                    await samples.save_answer(connection, one.request_id, answer)  # delivered twice
            p = rng.random() if fate == "judged" else None
            again = None if p is None else round(1 - p / 2, 3)  # of the reference's second answer
            if fate in ("judged", "abstained"):
                known = await samples.load_answers(connection, one.request_id)
                verdicts = [(a, panel(p if a.served else again)) for a in known if a.served or a.repeat]
                await samples.save_judgments(connection, one.request_id, verdicts)
            pi_of = {(target.tier, target.repeat): target.pi for target in drawn.targets}
            if drawn.arm == "up" and ("top", 1) in pi_of:
                d, r = (None, None) if p is None or again is None else (1 - p, 1 - again)
                raw.control.append((fate, pi_of["top", 1], d, r))
            if fate != "sampled":
                await samples.set_state(connection, one.request_id, fate)  # type: ignore[arg-type]
            y = int(rng.random() < 0.8)
            if drawn.label_drawn:
                label = Label(sample_id=one.request_id, which="served", label=y, reviewer="ann", labelled_at=START)
                assert await labels.save_label(connection, label)
            if drawn.counts_for_accuracy:
                raw.rows.append(
                    {
                        "tier": one.served_tier, "pi": drawn.pi, "eta": drawn.eta, "decided": p is not None, "p": p or 0.0,
                        "labelled": drawn.label_drawn, "y": y, "mirrored": fate in ("judged", "abstained"),
                        "abstained": fate == "abstained", "failed": fate == "failed",
                        "priced": drawn.arm == "up" and fate in ("judged", "abstained"),
                        "c_ref": float(reference_cost), "c_served": float(one.cost_usd),
                    }
                )  # fmt: skip
    return raw


async def window(engine: AsyncEngine, by: tuple[str, ...] = ("tier",)) -> dict[str, Sums]:
    async with engine.connect() as connection:
        slices = await rollups.window_sums(connection, since=START, until=START + timedelta(days=1), by=by)
    return {piece.tier: piece.sums for piece in slices}


async def test_rolled_up_sums_equal_those_of_the_raw_rows_and_the_report_shows_every_figure(
    engine: AsyncEngine, settings: Settings
) -> None:
    raw = await filled(engine, settings)
    assert await rollup.compute(engine, settings) == 7, "900 requests, 7 s apart, touch seven quarters of an hour"
    found = await window(engine)
    for tier in TIERS:
        expected = raw.sums(tier)
        assert expected.labelled > 5
        for name in SUM_FIELDS:
            assert getattr(found[tier], name) == pytest.approx(getattr(expected, name), rel=1e-9), (tier, name)

    report = await build_report(engine, tiers=TIERS, since=START, until=START + timedelta(days=1))
    fast, top = report.tiers
    assert fast.requests + top.requests == report.overall.requests == 900
    assert fast.accuracy.corrected is not None
    assert fast.accuracy.raw is not None
    assert fast.accuracy.coverage is not None
    assert fast.accuracy.coverage.value < 1
    assert top.accuracy.raw is None
    assert top.accuracy.undefined["raw"].reason == "not_identified"
    assert top.self_consistency is not None
    fast_noise, of_qa, top_noise, _ = report.noise
    assert fast_noise.found.excess == of_qa.found.excess is not None
    assert (top_noise.found.floor is not None, top_noise.found.excess) == (True, None)
    assert top_noise.found.floor.value == pytest.approx(1 - top.self_consistency.value)  # type: ignore[union-attr]
    served_higher = sum(e.reason is not None for e in raw.exchanges)
    assert fast.escalation_rate is not None
    assert fast.escalation_rate.value == pytest.approx(served_higher / 900)
    assert fast.cost_per_success_usd is not None
    states = ("judged", "abstained", "failed", "shed", "waiting_for_mirror", "waiting_for_judge")
    assert sum(report.funnel[state] for state in states) == report.funnel["sampled"]
    assert report.shadow_usd > 0
    async with engine.connect() as connection:
        (noise,) = await window_noise(connection, since=START, until=START + timedelta(days=1))
    assert (noise.tier, noise.query_type) == ("fast", "qa")
    assert noise.sums.pairs >= 30
    for name in NOISE_FIELDS:
        assert getattr(noise.sums, name) == pytest.approx(getattr(raw.noise(), name), rel=1e-9), name


async def test_a_second_run_reads_nothing_and_a_late_label_reopens_its_bucket_only(
    engine: AsyncEngine, settings: Settings
) -> None:
    raw = await filled(engine, settings, n=300)
    await rollup.compute(engine, settings)
    assert await rollup.compute(engine, settings) == 0
    before = await window(engine)
    async with engine.begin() as connection:
        waiting = await connection.scalar(
            sa.text("SELECT request_id FROM labels WHERE label = 1 AND tier = 'fast' LIMIT 1")
        )
        late = Label(sample_id=str(waiting), which="served", label=0, reviewer="ann", labelled_at=START)
        assert await labels.save_label(connection, late)
    assert await rollup.compute(engine, settings) == 1
    after = await window(engine)
    assert after["fast"].labelled == before["fast"].labelled == raw.sums("fast").labelled
    assert after["fast"].vy + after["fast"].u_vy < before["fast"].vy + before["fast"].u_vy
    assert after["top"] == before["top"]


async def test_recomputing_everything_gives_the_same_sums(engine: AsyncEngine, settings: Settings) -> None:
    raw = await filled(engine, settings, n=300)
    await rollup.compute(engine, settings)
    before = await window(engine)
    async with engine.begin() as connection:
        await mark(connection, (e.started_at for e in raw.exchanges))
    await rollup.compute(engine, settings)
    assert await window(engine) == before


async def test_an_empty_store_has_a_report_without_figures(engine: AsyncEngine) -> None:
    report = await build_report(engine, tiers=TIERS, since=START, until=START + timedelta(days=1))
    assert report.overall.requests == 0
    assert report.overall.accuracy.corrected is None
    assert report.overall.cost_per_success_usd is None


async def test_one_leader_runs_the_jobs_and_another_takes_over(engine: AsyncEngine, settings: Settings) -> None:
    ran: list[str] = []

    def process(name: str) -> asyncio.Task[None]:
        async def run(_: AsyncEngine, __: Settings) -> None:
            ran.append(name)

        return asyncio.create_task(lead(engine, settings, (Job(name="j", every_seconds=0.02, run=run),)))

    first, second = process("first"), process("second")
    async with asyncio.timeout(20):
        while len(ran) < 5:
            await asyncio.sleep(0.01)
        leader = ran[0]
        assert set(ran) == {leader}
        (first if leader == "first" else second).cancel()
        while set(ran) == {leader}:
            await asyncio.sleep(0.01)
    for task in (first, second):
        task.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
