"""Does every cent arrive, with every digit, under the right name, and does a price never change behind anyone's back?"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from router.contracts import Attempt, Exchange, Hints
from router.pricing import resolve_prices
from router.settings import PriceSettings
from shadow import rollup
from shadow.console.app import create_console
from shadow.money.findings import findings_json, load_findings
from shadow.money.price_log import log_prices
from shadow.reports.window import build_report
from shadow.settings import Settings
from shadow.statistics.moves import MIN_PAIRS
from shadow.store import rollup_queue, spend
from shadow.store.engine import utc_now
from shadow.store.exchanges import insert_exchanges
from shadow.store.prices import price_rows, record_prices

pytestmark = pytest.mark.slow
#: Too fine for nine decimals: the price of a cached token of a cheap model.
TINY = Decimal("0.000000000375")


@pytest.fixture
async def client(empty_engine: AsyncEngine, console_config: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_console(console_config, empty_engine)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as opened:
        yield opened


def attempt(tier: str, cost: Decimal, outcome: str = "ok") -> Attempt:
    return Attempt(
        tier=tier,
        provider="lab",
        model=f"{tier}-1",
        latency_seconds=0.1,
        outcome=outcome,
        prompt_tokens=1000,
        cached_tokens=100,
        completion_tokens=200,
        cost_usd=cost,
    )


def copies(one: Exchange, count: int, **hints: str) -> list[Exchange]:
    """Requests that the middle tier failed at, billed all the same, and the top tier answered."""
    made = []
    for number in range(count):
        attempts = (attempt("balanced", TINY, "cut"), attempt("frontier", Decimal("0.0123") + TINY))
        made.append(
            replace(
                one,
                request_id=f"00000000-0000-7000-8000-{abs(hash((tuple(hints.items()), number))) % 10**12:012d}",
                hints=Hints(**hints),
                key_id="k1",
                served_tier="frontier",
                attempts=attempts,
                cost_usd=sum((a.cost_usd for a in attempts), Decimal(0)),
            )
        )
    return made


async def store(engine: AsyncEngine, exchanges: list[Exchange]) -> None:
    async with engine.begin() as connection:
        await insert_exchanges(connection, exchanges)
        await rollup_queue.mark(connection, [one.started_at for one in exchanges])


async def test_every_sum_of_the_same_money_is_the_same_to_the_last_digit(
    empty_engine: AsyncEngine, client: httpx.AsyncClient, console_config: Settings, one_exchange: Exchange
) -> None:
    made = copies(one_exchange, 7, user="mia", feature="mail") + copies(one_exchange, 3, user="ben", session="s1")
    made.append(replace(made[0], request_id="00000000-0000-7000-8000-999999999999", status="failed", served_tier=None))
    exact = sum((one.cost_usd for one in made), Decimal(0))
    await store(empty_engine, made)
    await store(empty_engine, made)  # delivered again
    await rollup.compute(empty_engine, console_config)

    window = {"since": utc_now().date() - timedelta(days=2), "until": utc_now().date()}
    async with empty_engine.connect() as connection:
        raw = await connection.scalar(sa.text("SELECT sum(cost_usd) FROM exchanges"))
        for by in ("user", "feature", "query_type", "session", "key", "tier", "model"):
            rows = await spend.spend_by(connection, by, **window)  # type: ignore[arg-type]
            assert sum((row.cost_usd for row in rows), Decimal(0)) == exact, by
        assert await spend.total_spend(connection, **window) == (11, exact)
    assert raw == exact
    found = (await client.get("/api/v1/spend", params={"by": "user", "days": 2})).json()
    assert (found["requests"], found["total_usd"]) == (11, pytest.approx(float(exact), rel=1e-12))
    overview = (await client.get("/api/v1/spend", params={"days": 2})).json()
    assert overview["total_usd"] == pytest.approx(float(exact), rel=1e-12)
    until = utc_now()
    tiers = console_config.tier_names
    report = await build_report(empty_engine, tiers=tiers, since=until - timedelta(days=2), until=until)
    assert report.overall.cost_usd == pytest.approx(float(exact), rel=1e-12)


async def test_spend_is_shown_by_any_name_and_failed_calls_that_were_billed_are_in_it(
    empty_engine: AsyncEngine, client: httpx.AsyncClient, one_exchange: Exchange
) -> None:
    await store(empty_engine, copies(one_exchange, 4, user="mia") + copies(one_exchange, 1))

    async def rows(by: str) -> dict[str, tuple[int, float]]:
        answer = await client.get("/api/v1/spend", params={"by": by, "days": 2})
        return {row["name"]: (row["requests"], row["cost_usd"]) for row in answer.json()["rows"]}

    one = float(Decimal("0.0123") + 2 * TINY)
    assert await rows("user") == {"mia": (4, pytest.approx(4 * one)), "": (1, pytest.approx(one))}
    assert await rows("key") == {"k1": (5, pytest.approx(5 * one))}
    assert await rows("tier") == {"frontier": (5, pytest.approx(5 * one))}
    assert await rows("model") == {
        "frontier-1": (5, pytest.approx(5 * float(Decimal("0.0123") + TINY))),
        "balanced-1": (5, pytest.approx(5 * float(TINY))),
    }


async def test_spend_comes_as_csv_with_every_digit_and_without_formulas(
    empty_engine: AsyncEngine, client: httpx.AsyncClient, one_exchange: Exchange
) -> None:
    await store(empty_engine, copies(one_exchange, 1, user='=HYPERLINK("x")') + copies(one_exchange, 1, user='a,"b"'))
    answer = await client.get("/api/v1/spend", params={"by": "user", "days": 2, "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["name"] for row in rows} == {'\'=HYPERLINK("x")', 'a,"b"'}
    assert all(Decimal(row["cost_usd"]) == Decimal("0.0123") + 2 * TINY for row in rows)


async def test_a_wrong_dimension_is_refused_by_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/spend", params={"by": "moon"})
    assert answer.status_code == 422
    assert "by" in answer.text


def priced(settings: Settings, model: str, price: object) -> Settings:
    """The settings with another price for one model."""
    tiers = tuple(
        tier.model_copy(
            update={
                "models": tuple(
                    entry.model_copy(update={"price": PriceSettings.model_validate(price)})
                    if entry.model == model
                    else entry
                    for entry in tier.models
                )
            }
        )
        for tier in settings.tiers
    )
    return settings.model_copy(update={"tiers": tiers})


async def test_prices_are_written_down_once_and_a_change_is_a_row_of_its_own(
    empty_engine: AsyncEngine, console_config: Settings, client: httpx.AsyncClient
) -> None:
    await log_prices(empty_engine, console_config)
    await log_prices(empty_engine, console_config)
    async with empty_engine.connect() as connection:
        assert len(await price_rows(connection)) == 3
    dearer = priced(
        console_config,
        "fast-1",
        [
            {"input_usd_per_mtok": 3, "output_usd_per_mtok": 4},
            {"from": "2999-01-01", "input_usd_per_mtok": 5, "output_usd_per_mtok": 6},
        ],
    )
    await log_prices(empty_engine, dearer)
    await log_prices(empty_engine, dearer)
    rows = [row for row in (await client.get("/api/v1/prices")).json() if row["model"] == "fast-1"]
    assert [(row["input_usd_per_mtok"], row["output_usd_per_mtok"], row["source"]) for row in rows] == [
        (1, 2, "configuration"),
        (3, 4, "configuration"),
        (5, 6, "configuration"),
    ]
    assert rows[2]["starts_at"] == "2999-01-01T00:00:00Z"
    assert rows[0]["starts_at"] < rows[1]["starts_at"] == rows[1]["seen_at"]


@pytest.mark.parametrize("statement", ["UPDATE prices SET source = 'nobody'", "DELETE FROM prices"])
async def test_a_price_that_was_seen_can_be_neither_changed_nor_removed(
    empty_engine: AsyncEngine, console_config: Settings, statement: str
) -> None:
    await log_prices(empty_engine, console_config)
    with pytest.raises(sa.exc.DBAPIError, match="rows of prices are never changed"):
        async with empty_engine.begin() as connection:
            await connection.execute(sa.text(statement))


async def test_a_dated_price_takes_its_place_in_the_log_when_its_day_comes(
    empty_engine: AsyncEngine, console_config: Settings
) -> None:
    rows = [
        {"input_usd_per_mtok": 3, "output_usd_per_mtok": 4},
        {"from": "2027-01-01", "input_usd_per_mtok": 5, "output_usd_per_mtok": 6},
    ]
    settings = priced(console_config, "fast-1", rows)
    known = resolve_prices(settings.providers, settings.tiers)
    sources = dict.fromkeys(known, "configuration")
    async with empty_engine.begin() as connection:
        before = await record_prices(connection, known, sources=sources, now=datetime(2026, 12, 1, tzinfo=UTC))
        after = await record_prices(connection, known, sources=sources, now=datetime(2027, 1, 2, tzinfo=UTC))
    assert len(before) == 4
    assert after == [], "it was announced, so nothing is new"


async def test_findings_say_what_prices_do_to_the_bill_and_to_the_order_of_tiers(
    empty_engine: AsyncEngine, console_config: Settings, one_exchange: Exchange
) -> None:
    made = [
        replace(
            one_exchange,
            request_id=f"00000000-0000-7000-8000-{number:012d}",
            attempts=(attempt("fast", Decimal("0.0014")),),
            cost_usd=Decimal("0.0014"),
        )
        for number in range(10)
    ]
    await store(empty_engine, made)
    settings = priced(
        console_config,
        "fast-1",
        [
            {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2},
            {"from": "2999-01-01", "input_usd_per_mtok": 10, "output_usd_per_mtok": 20},
        ],
    )
    found = findings_json(await load_findings(empty_engine, settings, days=2))
    [effect] = found["price_effects"]
    assert effect["at"] == "2999-01-01T00:00:00Z"
    assert (effect["actual_usd"], effect["repriced_usd"]) == (pytest.approx(0.014), pytest.approx(0.14))
    assert [(c["model"], c["input_before"], c["input_after"]) for c in effect["changes"]] == [("fast-1", 1, 10)]
    assert [(i["lower_tier"], i["higher_tier"]) for i in effect["inversions"]] == [
        ("fast", "balanced"),
        ("fast", "frontier"),
    ]
    assert effect["inversions"][0]["lower_usd"] == pytest.approx(0.014)
    assert effect["inversions"][0]["higher_usd"] == pytest.approx(0.0014)


async def test_the_findings_of_a_filled_store_are_whole(filled_engine: AsyncEngine, console_config: Settings) -> None:
    found = findings_json(await load_findings(filled_engine, console_config, days=2))
    assert len(found["top_types"]) == 5
    assert sum(one["share_of_spend"] for one in found["top_types"]) == pytest.approx(1.0)
    moves = [move for one in found["top_types"] for move in one["moves"]]
    assert {(m["from_tier"], m["to_tier"]) for m in moves} == {
        ("balanced", "fast"),
        ("frontier", "fast"),
        ("frontier", "balanced"),
    }
    judged = [m for m in moves if m["loss"] is not None]
    assert judged
    for move in judged:
        assert move["loss"]["low"] <= move["loss"]["value"] <= move["loss"]["high"]
        assert move["loss"]["corrected"] is False
        assert move["pairs"] == move["loss"]["n"] > 1
    few = [move for move in moves if move["pairs"] < MIN_PAIRS]
    assert {(move["verdict"], move["saving_usd_per_day"]) for move in few if move["from_tier"] == "frontier"} == {
        ("too_few_pairs", None)
    }
    assert "certified" not in str(found)


@pytest.mark.parametrize("by", ["user", "feature", "query_type", "session", "key", "tier", "model"])
async def test_the_page_about_money_shows_spend_findings_and_ratings(
    filled_engine: AsyncEngine, console_config: Settings, by: str
) -> None:
    app = create_console(console_config, filled_engine)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8081") as opened:
        page = await opened.get("/money", params={"by": by, "days": 2})
        assert page.status_code == 200
        assert f"Spend by {by.replace('_', ' ')}" in page.text
        assert "self-selected" in page.text
        assert "Query type" in page.text
        assert (await opened.get("/money", params={"by": "moon"})).status_code == 422
        assert (await opened.get("/api/v1/findings", params={"days": 2})).json()["top_types"]
