"""Do roll-ups keep figures cheap? 10 million exchanges over 30 days in the embedded PostgreSQL: a bucket, a window, storage.

    python tests/benchmarks/bench_rollups.py [--exchanges 10000000] [--days 30] [--folder DIR] [--seed 1] [--json]

Loads raw rows by COPY (5 % sampled, judged, some labelled; no texts), computes every bucket, compacts all days but the last, and
measures. Every figure has its bar; medians come with a 95 % interval of order statistics. The estimates over the whole window are
held against the same from raw rows, in every tier. Needs about 1 GB of disk per million exchanges while it runs, in --folder
(default: the directory for temporary files); all of it is removed afterwards.
Exit code 1: a bar is missed. Bars on time and size count from a million exchanges on; fewer only show that everything works.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).parent))
from rollups.from_raw import RawWindow
from rollups.synthetic import TIERS, Traffic, load, midnights
from scipy.stats import binom

from shadow import retention, rollup
from shadow.grafana.files import read_dashboard
from shadow.grafana.macros import expand
from shadow.reports.bands import strata_of
from shadow.settings import Settings, parse
from shadow.statistics.accuracy import Assessment, assess
from shadow.statistics.strata import Strata, Stratum
from shadow.statistics.sums import Sums
from shadow.store import rollups
from shadow.store.embedded import EmbeddedPostgres
from shadow.store.engine import AsyncEngine, engine_for, libpq_url
from shadow.store.grafana_queries import run_query
from shadow.store.migrate import upgrade
from shadow.store.rollup_compute import recompute_changed

END = datetime(2026, 7, 1, tzinfo=UTC)
REPEATS = 30
#: Tables with a row per exchange, or per sampled one.
PER_EXCHANGE = (
    "exchanges", "samples", "sample_texts", "answers", "judgments", "labels", "feedback", "budget_reservations",
)  # fmt: skip
PRICE = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A measured figure. low, high: its interval, None where it is counted and not timed. bar: None: shown, but no promise."""

    what: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    bar: float | None = None

    @property
    def met(self) -> bool:
        return self.bar is None or (self.value if self.high is None else self.high) < self.bar


def settings(**sections: dict[str, int]) -> Settings:
    tiers = [{"name": n, "models": [{"provider": "lab", "model": f"m-{n}", "price": PRICE}]} for n in TIERS]
    provider = {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}
    thresholds = {"thresholds": {"fast": 0.75, "balanced": 0.5}}
    return parse(
        {"providers": {"lab": provider}, "tiers": tiers, "routing": thresholds, **sections}, source="benchmark"
    )


def measure(
    url: str, traffic: Traffic, days: Sequence[datetime], told: Callable[[str], None], *, bucket_seconds: int = 900
) -> list[Line]:
    """Fill the store at `url` (migrated, empty) and measure. The last day is today: over, but not compacted."""
    began = time.monotonic()
    with psycopg.connect(libpq_url(url)) as connection:
        load(connection, traffic, days, lambda done: told(f"loading, {done}"))
        loaded = time.monotonic() - began
        connection.execute(
            "INSERT INTO rollup_queue (bucket_start) SELECT generate_series(%s, %s, make_interval(secs => %s))",
            [days[0], days[-1] + timedelta(days=1) - timedelta(seconds=bucket_seconds), bucket_seconds],
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
    lines = [Line(what="exchanges", value=traffic.exchanges_per_day * len(days), unit="")]
    lines.append(Line(what="loading them", value=loaded, unit="s"))
    return lines + asyncio.run(_measured(url, days, told, bucket_seconds))


async def _measured(url: str, days: Sequence[datetime], told: Callable[[str], None], bucket_seconds: int) -> list[Line]:
    engine = engine_for(url, statement_timeout_seconds=600)
    until = days[-1] + timedelta(days=1)
    try:
        buckets = await _buckets(engine, told, bucket_seconds)
        lines = [
            _timed(f"one bucket of {bucket_seconds // 60} minutes", buckets, bar=1.0),
            Line(what="the slowest of them", value=max(buckets), unit="s", bar=1.0),
        ]
        told("compacting")
        began = time.monotonic()
        compacted = await rollup.compact(engine, settings(), now=until)
        lines.append(Line(what="compacting a day", value=(time.monotonic() - began) / max(compacted, 1), unit="s"))
        with psycopg.connect(libpq_url(url), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        for name, since in (
            ("whole days and today", days[0]),
            ("from the middle of a day", days[0] + timedelta(hours=11)),
        ):
            told(f"estimates, {name}")
            lines.append(
                _timed(f"{len(days)}-day estimates by tier, {name}", await _estimates(engine, since, until), bar=0.1)
            )
        told("estimates from raw rows")
        lines.append(await _against_raw(engine, url, days[0], until))
        told("dashboard")
        lines += await _dashboard(engine, days[0], until)
    finally:
        await engine.dispose()
    with psycopg.connect(libpq_url(url)) as connection:
        lines += _storage(connection)
    told("deleting a day")
    return lines + await _retention(url, days[0])


async def _retention(url: str, day: datetime) -> list[Line]:
    """What deleting the oldest day takes. Its exchanges are deleted row by row first, and that is taken back."""
    with psycopg.connect(libpq_url(url)) as connection:
        began = time.monotonic()
        deleted = connection.execute("DELETE FROM exchanges WHERE started_at < %s", [day + timedelta(days=1)]).rowcount
        by_row = time.monotonic() - began
        connection.rollback()
    engine = engine_for(url, statement_timeout_seconds=600)
    try:
        before, began = await _read(engine, day, day + timedelta(days=1)), time.monotonic()
        policy = settings(retention={"texts_days": 1, "rows_days": 1, "labels_days": 1, "spend_days": 1})
        found = {one.what: one.rows for one in await retention.delete_due(engine, policy, now=day + timedelta(days=2))}
        seconds = time.monotonic() - began
        unchanged = await _read(engine, day, day + timedelta(days=1)) == before
    finally:
        await engine.dispose()
    if found["exchanges"] != deleted:
        raise SystemExit(f"retention deleted {found['exchanges']} exchanges of {deleted}")
    return [
        Line(what=f"deleting a day's {deleted:,} exchanges row by row (for comparison)", value=by_row, unit="s"),
        Line(what="deleting the day by policy, all tables, pauses included", value=seconds, unit="s"),
        Line(what="figures of that day that changed with it", value=float(not unchanged), unit="", bar=0.5),
    ]


async def _buckets(engine: AsyncEngine, told: Callable[[str], None], bucket_seconds: int) -> list[float]:
    """Compute every marked bucket by itself; seconds of each, the commit included."""
    seconds: list[float] = []
    while True:
        began = time.monotonic()
        async with engine.begin() as connection:
            done = await recompute_changed(connection, bucket_seconds=bucket_seconds, limit=1)
        if done.claimed == 0:
            return seconds
        seconds.append(time.monotonic() - began)
        if len(seconds) % 96 == 0:
            told(f"computing buckets, {len(seconds)}")


async def _read(engine: AsyncEngine, since: datetime, until: datetime) -> dict[str, Assessment]:
    async with engine.connect() as connection:
        strata = strata_of(await rollups.window_sums(connection, since=since, until=until))
    return {tier: assess(_of(strata, tier), top_tier=TIERS[-1]) for tier in TIERS}


def _of(strata: Strata, tier: str) -> Strata:
    return {key: sums for key, sums in strata.items() if key.tier == tier}


async def _estimates(engine: AsyncEngine, since: datetime, until: datetime) -> list[float]:
    seconds = []
    for _ in range(REPEATS + 1):
        began = time.monotonic()
        found = await _read(engine, since, until)
        seconds.append(time.monotonic() - began)
    if any(one.corrected is None for one in found.values()):
        raise SystemExit("a tier has no estimate: too few exchanges for this benchmark")
    return seconds[1:]  # the first one connects


async def _against_raw(engine: AsyncEngine, url: str, since: datetime, until: datetime) -> Line:
    found = await _read(engine, since, until)
    raw: dict[str, dict[Stratum, Sums]] = {tier: {} for tier in TIERS}
    with psycopg.connect(libpq_url(url)) as connection:
        for day in range((until - since).days):  # a day at a time, for the memory's sake
            start = since + timedelta(days=day)
            for (tier,), strata in RawWindow(connection, start, start + timedelta(days=1)).slices(("tier",)):
                for key, sums in strata.items():
                    raw[tier][key] = raw[tier].get(key, Sums()) + sums
    worst = 0.0
    for tier in TIERS:
        expected = assess(raw[tier], top_tier=TIERS[-1])
        for ours, theirs in ((getattr(found[tier], name), getattr(expected, name)) for name in ("corrected", "raw")):
            if ours is not None and theirs is not None:
                pairs = [(getattr(ours, end), getattr(theirs, end)) for end in ("value", "low", "high")]
                worst = max(worst, *(abs(a - b) / abs(b) for a, b in pairs))
    return Line(what="largest relative difference to the estimates from raw rows", value=worst, unit="", bar=1e-9)


async def _dashboard(engine: AsyncEngine, since: datetime, until: datetime) -> list[Line]:
    """The slowest of the dashboard's queries over the whole window, each at its best of three."""
    seconds: dict[str, float] = {}
    for panel in (panel for panel in read_dashboard()["panels"] if panel["type"] != "row"):
        for target in panel["targets"]:
            sql = expand(target["rawSql"], since=since, until=until, tiers=TIERS)
            results = [await run_query(engine, sql) for _ in range(3)]
            if results[0].error is not None:
                raise SystemExit(f"{panel['title']}: {results[0].error}")
            seconds[panel["title"]] = min(result.seconds for result in results)
    slowest = sorted(seconds, key=lambda title: -seconds[title])[:3]
    return [Line(what=f"dashboard, slowest panels: {title}", value=seconds[title], unit="s") for title in slowest]


def _storage(connection: psycopg.Connection[Any]) -> list[Line]:
    rows = connection.execute(
        "SELECT relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND relkind = 'r'"
    ).fetchall()
    sizes: dict[str, int] = {}
    for name, size in rows:
        table = "exchanges" if name.startswith("exchanges_") else name
        sizes[table] = sizes.get(table, 0) + size
    counted = connection.execute("SELECT (SELECT count(*) FROM exchanges), (SELECT count(*) FROM samples)").fetchone()
    assert counted is not None
    exchanges, sampled = counted
    per = {table: size / exchanges for table, size in sizes.items()}
    daily = sum(size for table, size in per.items() if table.endswith("_daily"))
    spend = per["rollup_spend"] + per["rollup_calls"]
    buckets = sum(size for table, size in per.items() if table.startswith("rollup")) - daily - spend
    return [
        Line(what="sampled", value=100.0 * sampled / exchanges, unit="%"),
        Line(
            what="bytes per exchange, rows of exchanges and samples",
            value=sum(per[t] for t in PER_EXCHANGE),
            unit="B",
            bar=400.0,
        ),
        *(Line(what=f"  of these {table}", value=per[table], unit="B") for table in PER_EXCHANGE),
        Line(what="besides: spend by user, feature, session, key and day", value=spend, unit="B"),
        Line(what="besides: sums by bucket, for `retention.buckets_days`", value=buckets, unit="B"),
        Line(what="besides: sums by day", value=daily, unit="B"),
    ]


def _timed(what: str, seconds: Sequence[float], *, bar: float) -> Line:
    """The median with its interval from order statistics."""
    ordered, n = sorted(seconds), len(seconds)
    low, high = int(binom.ppf(0.025, n, 0.5)), min(n - 1, int(binom.ppf(0.975, n, 0.5)))
    return Line(what=what, value=ordered[n // 2], unit="s", low=ordered[low], high=ordered[high], bar=bar)


def table(lines: Sequence[Line], *, binding: bool) -> str:
    """One line per figure, with its bar and whether it is met."""
    shown = []
    for line in lines:
        interval = "" if line.low is None else f"  [{line.low:.4g}, {line.high:.4g}]"
        verdict = "" if line.bar is None else f"  bar < {line.bar:g}: " + ("met" if line.met else "MISSED")
        note = "" if binding or line.bar is None or line.unit == "" else " (too small a run to count)"
        shown.append(f"{line.what:<62}{line.value:>12.5g} {line.unit:<2}{interval}{verdict}{note}")
    return "\n".join(shown)


def passed(lines: Sequence[Line], *, binding: bool) -> bool:
    """Whether every bar that counts is met: with few exchanges only those without a unit."""
    return all(line.met for line in lines if binding or line.unit == "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--exchanges", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--folder", type=Path, help="where the database goes while this runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="rollups-", dir=arguments.folder))
    folder.chmod(0o711)
    free, needed = shutil.disk_usage(folder).free, arguments.exchanges * 1_000
    began = time.monotonic()
    try:
        if free < needed:
            parser.exit(
                2, f"{folder}: {free / 1e9:.0f} GB free, {needed / 1e9:.0f} GB needed: choose another --folder\n"
            )
        with EmbeddedPostgres(folder, niceness=0) as server:
            upgrade(server.url)
            traffic = Traffic(exchanges_per_day=arguments.exchanges // arguments.days, seed=arguments.seed)
            lines = measure(
                server.url,
                traffic,
                midnights(END, arguments.days),
                lambda done: print(f"{time.monotonic() - began:6.0f} s  {done}", file=sys.stderr, flush=True),
            )
    finally:
        shutil.rmtree(folder)
    binding = arguments.exchanges >= 1_000_000
    if arguments.json:
        print(json.dumps([{"what": one.what.strip(), "value": one.value, "low": one.low, "high": one.high, "unit": one.unit,
                           "bar": one.bar, "met": one.met} for one in lines]))  # fmt: skip
    else:
        print(table(lines, binding=binding))
    return 0 if passed(lines, binding=binding) else 1


if __name__ == "__main__":
    sys.exit(main())
