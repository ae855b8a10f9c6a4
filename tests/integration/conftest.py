"""What does a store look like after some hours of traffic? A deterministic one, filled by the functions that fill a real one."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from judges.contracts import Judgment, Marker, PanelJudgment, Verdict
from router.contracts import Attempt, Decision, Exchange, Hints
from shadow import rollup
from shadow.reports.window import build_report
from shadow.sampling.draws import Draw, Rates, draw
from shadow.settings import Settings, parse
from shadow.store import budgets, estimates, labels, policies, rollup_queue, samples
from shadow.store.engine import AsyncConnection, AsyncEngine, engine_for, utc_now
from shadow.store.exchanges import insert_exchanges
from shadow.store.judge_days import count_judgments

TIERS = ("fast", "balanced", "frontier")
RATES = Rates(up=0.55, down=0.12, control_share=0.4, control_top=0.3, label=0.12, label_top=0.12)
SKILL = {"fast": 0.86, "balanced": 0.94, "frontier": 0.98}
PRICE = {"fast": 0.00021, "balanced": 0.0013, "frontier": 0.0094}
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@dataclass(frozen=True, slots=True)
class Case:
    """A prompt with a good and a bad completion; marked: the part of the bad one that a judge points at."""

    query_type: str
    feature: str
    prompt: str
    good: str
    bad: str
    marked: str


CASES = (
    Case(
        "order_status",
        "support",
        "Where is my order 48213? It should have been here on Tuesday.",
        "Order 48213 left the Rotterdam warehouse on Monday and is due on Thursday, 14 March. You can follow it under "
        "parcel number 3SKABA77120.",
        "Order 48213 was delivered on Tuesday at 10:42 and signed for by a neighbour.",
        "delivered on Tuesday at 10:42",
    ),
    Case(
        "extraction",
        "invoices",
        "Extract invoice number, date and total as JSON.\n\nINVOICE 2024-0117, issued 3 February 2024. Net 410.00 EUR, "
        "VAT 21 % 86.10 EUR, total 496.10 EUR.",
        '{"invoice": "2024-0117", "date": "2024-02-03", "total": 496.10}',
        '{"invoice": "2024-0117", "date": "2024-03-02", "total": 410.00}',
        "410.00",
    ),
    Case(
        "arithmetic",
        "tutor",
        "A tank holds 240 litres. It loses 15 litres an hour and gains 5. After how many hours is it empty?",
        "It loses 10 litres an hour net, so 240 / 10 = 24. The tank is empty after 24 hours.",
        "It loses 15 litres an hour, so 240 / 15 = 16. The tank is empty after 16 hours.",
        "16 hours",
    ),
    Case(
        "summary",
        "briefing",
        "Summarise in one sentence: The board approved the merger on Friday. Shareholders vote in May. Regulators in "
        "two countries have still to agree.",
        "The board approved the merger on Friday; shareholders vote in May and two regulators have yet to agree.",
        "The board and the shareholders approved the merger on Friday, and regulators raised no objections.",
        "regulators raised no objections",
    ),
    Case(
        "classification",
        "support",
        f"Label this message as billing, delivery or other: I was charged twice. {HOSTILE}",
        "billing",
        f"delivery {HOSTILE}",
        "delivery",
    ),
)


def console_settings() -> Settings:
    """Three tiers, default everything else, and an embedded database that nobody starts."""
    return parse(
        {
            "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
            "tiers": [
                {
                    "name": tier,
                    "models": [
                        {
                            "provider": "lab",
                            "model": f"{tier}-1",
                            "price": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2},
                        }
                    ],
                }
                for tier in TIERS
            ],
            "routing": {"thresholds": {"fast": 0.8, "balanced": 0.6}},
            "labels": {"rate": RATES.label, "top_rate": RATES.label_top},
        },
        source="tests",
    )


async def fill(engine: AsyncEngine, settings: Settings, *, requests: int = 700, hours: float = 6.0) -> None:
    """Some hours of traffic up to now: exchanges, samples, answers, verdicts, labels, policies, money, and all roll-ups."""
    rng, now = random.Random(11), utc_now()
    start = now - timedelta(hours=hours)
    async with engine.begin() as connection:
        await policies.adopt_configured(connection, thresholds=settings.routing.thresholds, band=settings.routing.band)
        await policies.append(
            connection,
            thresholds={"fast": 0.82, "balanced": 0.6},
            band=0.05,
            author="mira",
            origin="user",
            reason="fewer order-status slips on fast",
        )
        made = [_exchange(rng, start + (now - start) * ((i + rng.random()) / requests)) for i in range(requests)]
        await insert_exchanges(connection, [exchange for exchange, _ in made])
        await rollup_queue.mark(connection, [exchange.started_at for exchange, _ in made])
        for number, (exchange, case) in enumerate(made):
            if exchange.status == "answered" and exchange.served_tier is not None:
                # By number, not by id: ids hold the time of day, and the draw must be the same in every run.
                drawn = draw(RATES, seed="tests", request_id=f"{number}", served_tier=exchange.served_tier, tiers=TIERS)
                if drawn is not None:
                    await _mirror(connection, rng, exchange, drawn, case)
        await labels.save_gold_checks(connection, "mira", [(f"gold-{i}", i % 2, i % 2) for i in range(60)])
        for purpose, spent in (("mirror", "1.84"), ("judge", "0.37")):
            held = await budgets.reserve(
                connection,
                purpose,  # type: ignore[arg-type]
                Decimal(2),
                cap_usd=Decimal(20),
                now=now,
            )
            assert held is not None
            await budgets.settle(connection, held, Decimal(spent))
    await rollup.compute_and_publish(engine, settings)
    for step in range(1, 6):  # what was shown in the hours before
        until = now - timedelta(hours=step)
        report = await build_report(engine, tiers=settings.tier_names, since=start, until=until)
        async with engine.begin() as connection:
            await estimates.publish(connection, rollup.figures_of(report, at=until))


def _exchange(rng: random.Random, at: datetime) -> tuple[Exchange, Case]:
    case = rng.choice(CASES)
    predicted = rng.choices(TIERS, (70, 20, 10))[0]
    confidence = {"fast": 0.82, "balanced": 0.62, "frontier": 0.1}[predicted] + rng.random() * 0.18
    status = rng.choices(("answered", "failed", "cancelled"), (97, 1, 2))[0]
    served, reason = predicted, None
    if predicted != "frontier" and rng.random() < 0.14:
        served = TIERS[TIERS.index(predicted) + 1]
        reason = rng.choice(("low_confidence", "low_confidence", "rule", "fallback", "impact"))
    if status == "failed":
        served, reason = None, None
    cost = Decimal(str(round(PRICE[served or predicted] * rng.uniform(0.5, 1.6), 9)))
    attempts = [
        Attempt(
            tier=served or predicted,
            provider="lab",
            model=f"{served or predicted}-1",
            latency_seconds=rng.uniform(0.2, 1.8),
            outcome="ok" if served else "http_503",
            cost_usd=cost,
        )
    ]
    if reason == "fallback":
        attempts.insert(
            0, Attempt(tier=predicted, provider="lab", model=f"{predicted}-1", latency_seconds=0.4, outcome="http_429")
        )
    exchange = Exchange(
        request_id=_uuid7(rng, at),
        started_at=at,
        policy_version=2,
        dialect="openai.chat",
        hints=Hints(user=f"user-{min(int(rng.expovariate(0.35)), 30)}", feature=case.feature),
        query_type=case.query_type,
        query_type_source="hint",
        requested_model="auto",
        decision=Decision(
            scores={"fast": confidence, "balanced": 0.9, "frontier": 1.0},
            predicted=predicted,
            chosen=served or predicted,
            confidence=confidence,
            reason=reason,  # type: ignore[arg-type]
            rule="contracts" if reason == "rule" else None,
        ),
        served_tier=served,
        served_model=f"{served}-1" if served else None,
        reason=reason,  # type: ignore[arg-type]
        status=status,  # type: ignore[arg-type]
        http_status=200 if served else 503,
        error_kind=None if served else "upstream",
        streamed=rng.random() < 0.6,
        latency_seconds=sum(a.latency_seconds for a in attempts),
        first_token_seconds=0.2,
        finish_reason="stop" if served else None,
        prompt_tokens=len(case.prompt) // 4,
        completion_tokens=len(case.good) // 4,
        cost_usd=cost,
        attempts=tuple(attempts),
        request_body=json.dumps({"model": "auto", "messages": [{"role": "user", "content": case.prompt}]}),
        completion=case.good if served is None or rng.random() < SKILL[served] else case.bad,
    )
    return exchange, case


async def _mirror(connection: AsyncConnection, rng: random.Random, exchange: Exchange, drawn: Draw, case: Case) -> None:
    request_id = exchange.request_id
    await samples.insert_samples(connection, [(exchange, drawn, case.prompt)])
    await samples.mark_queued(connection, [request_id])
    fate = rng.choices(("judged", "abstained", "failed", "shed", "sampled", "mirrored"), (85, 6, 3, 2, 2, 2))[0]
    if fate == "sampled":
        return
    for target in drawn.targets if fate not in {"failed", "shed"} else ():
        right = rng.random() < SKILL[target.tier]
        await samples.save_answer(
            connection,
            request_id,
            samples.Answer(
                tier=target.tier,
                repeat=target.repeat,
                served=False,
                pi=target.pi,
                outcome="ok",
                model=f"{target.tier}-1",
                completion=case.good if right else case.bad,
                finish_reason="stop",
                prompt_tokens=exchange.prompt_tokens,
                completion_tokens=exchange.completion_tokens,
                cost_usd=Decimal(str(round(PRICE[target.tier] * rng.uniform(0.5, 1.6), 9))),
                latency_seconds=rng.uniform(0.3, 2.5),
            ),
        )
    if fate in {"failed", "shed"}:
        await samples.set_state(connection, request_id, fate, failure="http_503" if fate == "failed" else "budget")  # type: ignore[arg-type]
    else:
        await samples.set_state(connection, request_id, "mirrored")
        if fate != "mirrored":
            obtained = await samples.load_answers(connection, request_id)
            verdicts = [(answer, _panel(rng, answer, case, abstain=fate == "abstained")) for answer in obtained]
            await samples.save_judgments(connection, request_id, verdicts)
            judged = [said for _, said in verdicts]
            await count_judgments(connection, exchange.query_type, judged, day=exchange.started_at.date())
            await samples.set_state(connection, request_id, fate)  # type: ignore[arg-type]
    if drawn.label_drawn:
        await labels.save_label(
            connection,
            labels.Label(
                sample_id=request_id,
                which="served",
                label=int((exchange.completion == case.good) != (rng.random() < 0.03)),
                reviewer="mira",
                labelled_at=exchange.started_at + timedelta(minutes=20),
            ),
        )


def _panel(rng: random.Random, answer: samples.Answer, case: Case, *, abstain: bool) -> PanelJudgment:
    text = answer.completion or ""
    good = (text == case.good) != (rng.random() < 0.06)
    at = text.find(case.marked)
    markers = (
        (Marker(kind="unsupported_number", start=at, end=at + len(case.marked), text=case.marked, weight=0.6),)
        if at >= 0 and not good
        else ()
    )
    probability = rng.uniform(0.86, 0.99) if good else rng.uniform(0.02, 0.3)
    verdict: Verdict = "abstain" if abstain else "accept" if good else "reject"
    said = "the final answers agree" if good else "the answer contradicts the reference on a stated fact"
    return PanelJudgment(
        panel="panel@1",
        verdict=verdict,
        certified=verdict != "abstain" and case.query_type != "summary",
        spared=() if abstain else ("semantic@1",),
        probability=None if abstain else probability,
        judgments=(
            Judgment(judge="structured@1", verdict="abstain", score=None, rationale="nothing structured to compare"),
            Judgment(
                judge="lexical@1",
                verdict=verdict,
                score=None if abstain else probability,
                rationale="too little overlap to decide" if abstain else said,
                markers=markers,
                cost_usd=Decimal("0.00004"),
                latency_seconds=0.004,
            ),
        ),
    )


def _uuid7(rng: random.Random, at: datetime) -> str:
    stamp = int(at.timestamp() * 1000) << 80
    return str(uuid.UUID(int=stamp | 7 << 76 | rng.getrandbits(12) << 64 | 2 << 62 | rng.getrandbits(62)))


@pytest.fixture(scope="session")
def console_config() -> Settings:
    """The configuration that the filled store belongs to."""
    return console_settings()


@pytest.fixture(scope="session")
def filled_database_url(new_database: Callable[[], str], console_config: Settings) -> str:
    """A database that holds some hours of traffic and every roll-up of it. Shared: add to it, but take nothing away."""
    url = new_database()

    async def run() -> None:
        engine = engine_for(url)
        try:
            await fill(engine, console_config)
        finally:
            await engine.dispose()

    asyncio.run(run())
    return url


@pytest.fixture
async def filled_engine(filled_database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the filled database, for one test (an engine belongs to one event loop)."""
    engine = engine_for(filled_database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def empty_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a migrated database without any rows."""
    engine = engine_for(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def one_exchange() -> Exchange:
    """A request that `fast` answered half an hour ago."""
    rng = random.Random(1)
    while True:
        exchange, _ = _exchange(rng, utc_now() - timedelta(minutes=30))
        if exchange.status == "answered" and exchange.served_tier == "fast":
            return exchange
