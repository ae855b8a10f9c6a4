"""Does feedback arrive once, about the right answer, and never where only labels may be?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uuid_utils
from sqlalchemy.ext.asyncio import AsyncEngine

from router.contracts import Decision, Exchange, Hints
from router.feedback import Feedback
from router.spool import SpoolWriter
from router.wire import exchange_to_json, feedback_to_json
from shadow import rollup
from shadow.intake.segments import REJECTED
from shadow.intake.shipper import Shipper
from shadow.reports.as_json import report_json
from shadow.reports.window import build_report
from shadow.settings import Settings, parse
from shadow.store import feedback, labels
from shadow.store.engine import engine_for, utc_now

pytestmark = pytest.mark.slow
FREE = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}
TIERS = ("fast", "top")


def settings_with(store_text: str = "full", **sampling: float) -> Settings:
    return parse(
        {
            "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
            "tiers": [{"name": n, "models": [{"provider": "lab", "model": f"m-{n}", "price": FREE}]} for n in TIERS],
            "routing": {"thresholds": {"fast": 0.8}},
            "sampling": {"up": 1.0, "down": 0.0, "store_text": store_text, **sampling},
        },
        source="test",
    )


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database_url)
    yield engine
    await engine.dispose()


def exchange(**changes: Any) -> Exchange:
    question = {"model": "auto", "messages": [{"role": "user", "content": "Where is order 7?"}]}
    fields: dict[str, Any] = {
        "request_id": str(uuid_utils.uuid7()),
        "started_at": datetime.now(UTC),
        "policy_version": 1,
        "dialect": "openai.chat",
        "hints": Hints(user="u1", feature="help"),
        "query_type": "orders",
        "query_type_source": "hint",
        "requested_model": "auto",
        "decision": Decision(
            scores={"fast": 0.9, "top": 1.0}, predicted="fast", chosen="fast", confidence=0.9, reason=None
        ),
        "served_tier": "fast",
        "served_model": "m-fast",
        "reason": None,
        "status": "answered",
        "http_status": 200,
        "error_kind": None,
        "streamed": False,
        "latency_seconds": 0.1,
        "first_token_seconds": None,
        "finish_reason": "stop",
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost_usd": Decimal("0.000123"),
        "request_body": json.dumps(question),
        "completion": "In Rotterdam.",
    }
    return Exchange(**{**fields, **changes})


def rating(about: Exchange, word: str | None, **changes: Any) -> Feedback:
    fields: dict[str, Any] = {
        "feedback_id": str(uuid_utils.uuid7()),
        "request_id": about.request_id,
        "at": datetime.now(UTC),
        "rating": word,
        "key_id": about.key_id,
    }
    return Feedback(**{**fields, **changes})


def spooled(directory: Path, *entries: Exchange | Feedback | bytes) -> None:
    lines = [
        entry
        if isinstance(entry, bytes)
        else exchange_to_json(entry)
        if isinstance(entry, Exchange)
        else feedback_to_json(entry)
        for entry in entries
    ]
    (directory / f"{uuid_utils.uuid7()}-00000000.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


async def stored(engine: AsyncEngine, *ids: str) -> list[feedback.FeedbackRow]:
    async with engine.connect() as connection:
        return await feedback.feedback_of(connection, ids)


async def test_what_the_router_wrote_arrives_once_about_the_tier_that_served(
    tmp_path: Path, engine: AsyncEngine
) -> None:
    about = exchange()
    writer = SpoolWriter(tmp_path)
    await writer.start()
    await writer.record(about)
    await writer.record_feedback(rating(about, "down", comment="It is in Lyon."))
    await writer.close()
    [segment] = tmp_path.glob("*.jsonl")
    content = segment.read_bytes()

    shipper = Shipper(settings_with(), engine, tmp_path)
    await shipper.ship()
    segment.write_bytes(content)  # delivered, but not deleted before a crash
    await shipper.ship()

    [row] = await stored(engine, about.request_id)
    assert (row.source, row.rating, row.comment, row.tier) == ("user", "down", "It is in Lyon.", "fast")
    assert (row.query_type, row.feature, row.model) == ("orders", "help", "m-fast")


async def test_the_last_rating_of_a_key_counts_in_whatever_order_it_arrives(
    tmp_path: Path, engine: AsyncEngine
) -> None:
    about = exchange()
    first, second = rating(about, "down"), rating(about, "up", at=datetime.now(UTC) + timedelta(seconds=5))
    spooled(tmp_path, about, second, first)
    await Shipper(settings_with(), engine, tmp_path).ship()
    assert [row.rating for row in await stored(engine, about.request_id)] == ["up"]


async def test_feedback_that_comes_before_its_exchange_is_joined_to_it_later(
    tmp_path: Path, engine: AsyncEngine
) -> None:
    about, settings = exchange(), settings_with()
    spooled(tmp_path, rating(about, "up"))
    await Shipper(settings, engine, tmp_path).ship()
    assert [row.tier for row in await stored(engine, about.request_id)] == [None]
    spooled(tmp_path, about)
    await Shipper(settings, engine, tmp_path).ship()
    await rollup.compute(engine, settings)
    assert [row.tier for row in await stored(engine, about.request_id)] == ["fast"]


async def test_feedback_by_another_key_or_about_nothing_counts_nowhere(tmp_path: Path, engine: AsyncEngine) -> None:
    about, settings = exchange(key_id="aaaaaaaaaaaa"), settings_with()
    invented = exchange(request_id=str(uuid_utils.uuid4()))
    spooled(tmp_path, about, rating(about, "up", key_id="bbbbbbbbbbbb"), rating(invented, "up"))
    await Shipper(settings, engine, tmp_path).ship()
    await rollup.compute(engine, settings)
    now = utc_now()
    async with engine.connect() as connection:
        assert await feedback.rating_counts(connection, since=now - timedelta(days=1), until=now) == []
    assert [row.tier for row in await stored(engine, about.request_id, invented.request_id)] == [None, None]


@pytest.mark.parametrize(
    ("store_text", "kept"), [("full", "mail me at a@b.example"), ("redacted", "mail me at [EMAIL]"), ("none", None)]
)
async def test_comments_are_kept_as_texts_are(
    tmp_path: Path, engine: AsyncEngine, store_text: str, kept: str | None
) -> None:
    about = exchange()
    spooled(tmp_path, about, rating(about, "down", comment="mail me at a@b.example"))
    await Shipper(settings_with(store_text), engine, tmp_path).ship()
    assert [row.comment for row in await stored(engine, about.request_id)] == [kept]


async def test_sessions_and_retries_leave_signals_of_their_own(tmp_path: Path, engine: AsyncEngine) -> None:
    about = exchange()
    signals = {"session_signal": "rephrased", "about_request_id": about.request_id}
    spooled(
        tmp_path,
        about,
        rating(about, None, retry=True),
        exchange(extra=signals),
        exchange(extra={**signals, "about_request_id": "not a uuid"}),
        exchange(extra={"session_signal": "delighted", "about_request_id": about.request_id}),
    )
    await Shipper(settings_with(), engine, tmp_path).ship()
    rows = await stored(engine, about.request_id)
    assert {(row.source, row.signal, row.rating, row.tier) for row in rows} == {
        ("session", "rephrased", "down", "fast"),
        ("retry", "retry", "down", "fast"),
    }


async def test_lines_of_an_unknown_kind_and_hostile_comments_hold_nobody_up(
    tmp_path: Path, engine: AsyncEngine
) -> None:
    about = exchange()
    unknown = b'{"kind": "hologram", "version": 9}'
    spooled(
        tmp_path, unknown, rating(about, "down", comment="\x00 null \ud83d".encode("utf-8", "ignore").decode()), about
    )
    assert await Shipper(settings_with(), engine, tmp_path).ship() == 1
    assert len(await stored(engine, about.request_id)) == 1
    assert (tmp_path / REJECTED).read_bytes() == unknown + b"\n"


async def test_a_down_rated_sample_goes_to_a_reviewer_but_never_into_an_estimate(
    tmp_path: Path, engine: AsyncEngine
) -> None:
    """Clients who complain do so about bad answers: with their labels in the label phase, every tier would look worse."""
    settings = settings_with(control_share=0.0)
    made = [exchange() for _ in range(60)]
    spooled(tmp_path, *made)
    await Shipper(settings, engine, tmp_path).ship()
    async with engine.begin() as connection:
        await connection.execute(sa.text("UPDATE samples SET state = 'mirrored', label_drawn = false"))
        drawn = [one.request_id for one in made[:10]]
        await connection.execute(
            sa.text("UPDATE samples SET label_drawn = true WHERE request_id = ANY(CAST(:ids AS uuid[]))"),
            {"ids": drawn},
        )
    complained = [made[5], *made[50:]]  # one of them was drawn for a label anyway
    spooled(tmp_path, *(rating(one, "down") for one in complained), *(rating(one, "up") for one in made[20:25]))
    await Shipper(settings, engine, tmp_path).ship()

    async with engine.connect() as connection:
        waiting = await labels.waiting_for_label(connection, None)
        few = await labels.waiting_for_label(connection, 8)
    extra = [one.request_id for one in reversed(made[50:])]
    assert waiting == [*extra, *drawn], "complaints first; the drawn ones in the order of the draw, complained or not"
    assert few == [*extra[:4], *drawn[:4]], "complaints never crowd the drawn ones out"

    at = utc_now()
    async with engine.begin() as connection:
        await labels.save_labels(
            connection,
            [
                labels.Label(sample_id=i, which="served", label=int(i in drawn), reviewer="mira", labelled_at=at)
                for i in [*extra, *drawn]
            ],
        )
    await rollup.compute(engine, settings)
    report = await build_report(engine, tiers=TIERS, since=at - timedelta(hours=1), until=utc_now())
    fast = report.tiers[0].accuracy
    assert fast.labelled == 10
    assert fast.labels_only is not None
    assert fast.labels_only.value == 1.0, "the ten labels on complaints, all bad, are not in it"


async def test_ratings_are_reported_by_tier_with_an_interval_and_as_self_selected(
    tmp_path: Path, engine: AsyncEngine
) -> None:
    made = [exchange() for _ in range(10)]
    tops = [exchange(served_tier="top", served_model="m-top") for _ in range(4)]
    spooled(tmp_path, *made, *tops)
    spooled(
        tmp_path,
        *(rating(one, "up" if n < 7 else "down") for n, one in enumerate(made)),
        rating(tops[0], None, retry=True),
    )
    settings = settings_with()
    await Shipper(settings, engine, tmp_path).ship()
    await rollup.compute(engine, settings)
    now = utc_now()
    found = report_json(await build_report(engine, tiers=TIERS, since=now - timedelta(hours=1), until=now))["ratings"]
    fast, top = found
    assert (fast["tier"], fast["up"], fast["down"], fast["self_selected"]) == ("fast", 7, 3, True)
    assert fast["good"]["value"] == 0.7
    assert fast["good"]["low"] == pytest.approx(0.397, abs=0.001)  # Wilson, 7 of 10
    assert fast["good"]["high"] == pytest.approx(0.892, abs=0.001)
    assert (top["tier"], top["good"], top["retries"]) == ("top", None, 1)


async def test_training_gets_what_was_said_with_the_texts_that_are_kept(tmp_path: Path, engine: AsyncEngine) -> None:
    sampled, unsampled = exchange(), replace(exchange(), status="failed")
    spooled(tmp_path, sampled, unsampled, rating(sampled, "down"), rating(unsampled, "up"))
    await Shipper(settings_with(), engine, tmp_path).ship()
    now = utc_now()
    window = {"since": now - timedelta(hours=1), "until": now + timedelta(hours=1)}
    async with engine.connect() as connection:
        found = await feedback.feedback_outcomes(connection, **window)
        all_of_it = await feedback.feedback_outcomes(connection, **window, with_text_only=False)
    assert [(one.request_id, one.tier, one.success) for one in found] == [(sampled.request_id, "fast", 0)]
    assert found[0].prompt is not None
    assert "Where is order 7?" in found[0].prompt
    assert len(all_of_it) == 2
