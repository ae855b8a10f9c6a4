"""Any window's estimates are the same from buckets, compacted days and raw rows; odd and late arrivals change what they must."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import uuid_utils
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from router.contracts import Exchange
from shadow import rollup
from shadow.reports.bands import strata_of
from shadow.reports.window import build_report
from shadow.settings import parse
from shadow.statistics.accuracy import assess
from shadow.statistics.cost import cost_per_success, savings
from shadow.statistics.difference import mean_difference
from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.histogram import latency_quantile
from shadow.statistics.pair_sums import PAIR_FIELDS, PairSums
from shadow.statistics.strata import Strata
from shadow.statistics.sums import Sums
from shadow.store import labels, rollups, schema_challengers, schema_rollups
from shadow.store.engine import AsyncEngine, engine_for, libpq_url
from shadow.store.exchanges import insert_exchanges
from shadow.store.labels import Label
from shadow.store.rollup_queue import mark

pytestmark = pytest.mark.slow

DAYS = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3)]
END = DAYS[-1] + timedelta(days=1)
TIERS = ("fast", "balanced", "frontier")
PRICE = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
SETTINGS = parse(
    {
        "providers": {"lab": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [{"name": n, "models": [{"provider": "lab", "model": f"m-{n}", "price": PRICE}]} for n in TIERS],
        "routing": {"thresholds": {"fast": 0.8, "balanced": 0.6}},
        "rollup": {"bucket_seconds": 14400},
    },
    source="test",
)


def benchmark_module(name: str) -> ModuleType:
    """Benchmarks are scripts and no package."""
    folder = str(Path(__file__).parents[1] / "benchmarks")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"rollups.{name}")


@pytest.fixture(scope="module")
def traffic_url(module_database_url: str) -> str:
    """Three days of random traffic in both modes, as raw rows; every bucket is marked."""
    synthetic = benchmark_module("synthetic")
    rates = synthetic.Rates(up=0.5, down=0.1, control_top=0.4, label=0.12, label_top=0.12)
    with psycopg.connect(libpq_url(module_database_url)) as connection:
        synthetic.load(
            connection,
            synthetic.Traffic(exchanges_per_day=800, seed=3, observe_share=0.15, rates=rates),
            DAYS,
            lambda _: None,
        )
        connection.execute(
            "INSERT INTO rollup_queue (bucket_start) SELECT DISTINCT date_bin('15 s', started_at, 'epoch') FROM exchanges"
        )
    return module_database_url


@pytest.fixture
async def engine(traffic_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(traffic_url)
    await rollup.compute(engine, SETTINGS)
    await rollup.compact(engine, SETTINGS, now=END)  # the third day is not over by the watermark: it is "today"
    yield engine
    await engine.dispose()


async def slices(
    engine: AsyncEngine, by: Sequence[str], *, since: datetime = DAYS[0], mode: rollups.Mode = "route"
) -> list[rollups.Slice]:
    keys = tuple(dict.fromkeys([*by, "tier", "query_type", "band"]))
    async with engine.connect() as connection:
        return await rollups.window_sums(connection, since=since, until=END, by=keys, mode=mode)


def figures(strata: Strata) -> dict[str, Estimate | None]:
    found = assess(strata, top_tier="frontier")
    total = Sums.total(strata.values())
    saved = savings({"all": total}, top_tier="frontier", shadow_usd=0.0)
    shown: dict[str, Any] = {name: getattr(found, name) for name in ("corrected", "raw", "labels_only", "coverage")}
    shown |= {"cost": cost_per_success(total, found.corrected), "saved": getattr(saved, "net_usd", None)}
    return shown


def same(one: Estimate | None, other: Estimate | None) -> bool:
    if one is None or other is None:
        return one is other
    names = ("value", "low", "high", "n", "labelled", "effective_n")
    values = [(getattr(one, name), getattr(other, name)) for name in names]
    return all(a is b is None or (None not in (a, b) and a == pytest.approx(b, rel=1e-9)) for a, b in values)


@pytest.mark.parametrize("mode", ["route", "observe"])
async def test_every_slice_has_the_estimates_of_its_raw_rows(
    engine: AsyncEngine, traffic_url: str, mode: rollups.Mode
) -> None:
    from_raw = benchmark_module("from_raw")
    with psycopg.connect(libpq_url(traffic_url)) as connection:
        raw = from_raw.RawWindow(connection, DAYS[0], END, mode)
    compared = defined = 0
    for by in from_raw.every_slice():
        grouped: dict[tuple[str, ...], list[rollups.Slice]] = {}
        for piece in await slices(engine, by, mode=mode):
            grouped.setdefault(tuple(getattr(piece, name) for name in by), []).append(piece)
        expected = dict(raw.slices(by))
        assert grouped.keys() == expected.keys()
        for key, strata in expected.items():
            if by and sum(sums.sampled for sums in strata.values()) < 30 and compared % 7:
                compared += 1  # of the many tiny cells, every seventh
                continue
            compared += 1
            found, wanted = figures(strata_of(grouped[key])), figures(strata)
            defined += sum(one is not None for one in wanted.values())
            for name, estimate in wanted.items():
                assert same(found[name], estimate), (by, key, name)
    assert defined > 200


async def test_pairs_of_tiers_have_the_sums_of_their_raw_rows(engine: AsyncEngine, traffic_url: str) -> None:
    with psycopg.connect(libpq_url(traffic_url)) as connection:
        expected = benchmark_module("from_raw").raw_pairs(connection, DAYS[0], END)
    async with engine.connect() as connection:
        found: dict[tuple[str, str, str], dict[str, float]] = {}
        for piece in await rollups.window_pairs(connection, since=DAYS[0], until=END):
            total = found.setdefault((piece.tier, piece.other_tier, piece.arm), dict.fromkeys(PAIR_FIELDS, 0.0))
            for name in PAIR_FIELDS:
                total[name] += getattr(piece.sums, name)
    assert found.keys() == expected.keys()
    assert {("fast", "frontier", "up"), ("fast", "balanced", "up"), ("frontier", "fast", "down")} <= set(found)
    for key, total in found.items():
        assert total == pytest.approx({f.name: getattr(expected[key], f.name) for f in fields(PairSums)}, rel=1e-9), key
        loss = [mean_difference([(1.0, sums)]) for sums in (PairSums(**total), expected[key])]
        assert isinstance(loss[0], Undefined) or same(*loss), key  # type: ignore[arg-type]
        assert type(loss[0]) is type(loss[1])
    reference = expected["fast", "frontier", "up"]
    assert isinstance(mean_difference([(1.0, reference)]), Estimate)
    assert min(reference.judged, reference.labelled, reference.pairs - reference.judged) > 5


async def test_histograms_count_every_request_and_every_verdict(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        found = await rollups.window_histograms(connection, since=DAYS[0], until=END)
        requests, slow, judged = (
            await connection.execute(
                sa.text(
                    "SELECT count(*), percentile_cont(0.9) WITHIN GROUP (ORDER BY latency_seconds) "
                    "FILTER (WHERE status = 'answered' AND served_tier = 'fast'), "
                    "(SELECT count(*) FROM answers a JOIN samples s USING (request_id) WHERE s.mode = 'route' AND a.repeat = 0 "
                    "AND a.probability IS NOT NULL) FROM exchanges WHERE mode = 'route'"
                )
            )
        ).one()
    counted = {
        kind: sum(one.histogram.n for one in found if one.kind == kind) for kind in ("confidence", "probability")
    }
    assert counted == {"confidence": requests, "probability": judged}
    (latency,) = [one.histogram for one in found if (one.kind, one.tier) == ("latency", "fast")]
    within = latency_quantile(latency, 0.9)
    assert within is not None
    assert within.value == pytest.approx(slow, rel=0.07)
    assert within.high is not None
    assert within.low < slow < within.high


async def test_a_late_label_reopens_its_day_and_the_day_is_compacted_again(
    engine: AsyncEngine, traffic_url: str
) -> None:
    async def read() -> tuple[Sums, list[Any]]:
        async with engine.connect() as connection:
            spans = await connection.execute(sa.text("SELECT daily FROM rollup_spans(:since, :until)"), window)
            return Sums.total(piece.sums for piece in await slices(engine, ("tier",))), list(spans.scalars())

    window = {"since": DAYS[0], "until": END}
    before, spans = await read()
    assert spans == [True, True, False]
    async with engine.begin() as connection:
        row = (
            await connection.execute(
                sa.text(
                    "SELECT l.request_id, l.label FROM labels l JOIN samples s ON s.request_id = l.request_id AND s.label_drawn "
                    "AND l.tier = s.served_tier WHERE s.mode = 'route' AND s.started_at < :until LIMIT 1"
                ),
                {"until": DAYS[1]},
            )
        ).one()
        late = Label(
            sample_id=str(row.request_id), which="served", label=1 - row.label, reviewer="ann", labelled_at=END
        )
        assert await labels.save_label(connection, late)
    assert await rollup.compute(engine, SETTINGS) == 1
    reopened, spans = await read()
    assert spans == [False, True, False]
    assert reopened.vy + reopened.u_vy != pytest.approx(before.vy + before.u_vy, rel=1e-6)
    assert await rollup.compact(engine, SETTINGS, now=END) == 1
    compacted, spans = await read()
    assert spans == [True, True, False]
    assert compacted.vector() == pytest.approx(reopened.vector(), rel=1e-12)
    assert await rollup.compact(engine, SETTINGS, now=END) == 0


async def test_a_window_that_begins_within_a_compacted_day_counts_no_request_before_it(engine: AsyncEngine) -> None:
    since = DAYS[0] + timedelta(hours=12)
    total = Sums.total(piece.sums for piece in await slices(engine, (), since=since))
    async with engine.connect() as connection:
        counted = await connection.scalar(
            sa.text(
                "SELECT count(*) FROM exchanges WHERE started_at >= :since AND mode = 'route' AND status = 'answered'"
            ),
            {"since": since},
        )
    assert total.requests == counted


async def test_a_second_delivery_and_clocks_that_go_wrong_leave_every_request_counted_once(
    empty_engine: AsyncEngine, one_exchange: Exchange
) -> None:
    ahead, behind = END + timedelta(days=2), DAYS[0] - timedelta(days=40)
    batch = [
        replace(one_exchange, request_id=str(uuid_utils.uuid7()), started_at=at, mode="route")
        for at in (DAYS[2], DAYS[2], ahead, behind)
    ]
    for _ in range(2):
        async with empty_engine.begin() as connection:
            new = await insert_exchanges(connection, batch)
            await mark(connection, (e.started_at for e in batch if e.request_id in new))
        await rollup.compute(empty_engine, SETTINGS)
        await rollup.compact(empty_engine, SETTINGS, now=END)
    async with empty_engine.begin() as connection:
        await mark(connection, (e.started_at for e in batch))  # marked twice is computed once
    assert await rollup.compute(empty_engine, SETTINGS) == 3

    async def requests(since: datetime, until: datetime) -> float:
        async with empty_engine.connect() as connection:
            found = await rollups.window_sums(connection, since=since, until=until)
        return sum(piece.sums.requests for piece in found)

    assert await requests(DAYS[0], END) == 2
    assert await requests(behind, END) == 3
    assert await requests(behind, ahead + timedelta(days=1)) == 4
    async with empty_engine.connect() as connection:
        compacted = await connection.scalars(sa.text("SELECT day FROM rollup_days WHERE compacted_at IS NOT NULL"))
    await rollup.compact(empty_engine, SETTINGS, now=END)
    assert await requests(behind, ahead + timedelta(days=1)) == 4
    assert ahead.replace(hour=0) not in set(compacted)


async def test_a_tier_that_came_or_went_within_the_window_keeps_its_figures(engine: AsyncEngine) -> None:
    report = await build_report(engine, tiers=("fast", "new", "frontier"), since=DAYS[0], until=END)
    assert [tier.tier for tier in report.tiers] == ["balanced", "fast", "new", "frontier"]
    gone, new = report.tiers[0], report.tiers[2]
    assert gone.accuracy.corrected is not None
    assert new.requests == 0
    assert new.accuracy.undefined["corrected"].reason == "no_requests"
    assert report.overall.requests == sum(tier.requests for tier in report.tiers)
    assert report.overall.accuracy.corrected is not None


def test_the_migrations_lead_to_the_schema_that_the_code_describes(module_database_url: str) -> None:
    with sa.create_engine(module_database_url, poolclass=sa.NullPool).connect() as connection:
        ours = set(schema_rollups.metadata.tables)
        assert schema_challengers.challengers.name in ours
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or name in ours, "compare_type": True},
        )
        assert compare_metadata(context, schema_rollups.metadata) == []
