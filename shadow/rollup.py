"""What does the quarter-hourly job do? It computes the buckets that changed and publishes the figures of the window."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from shadow.reports.noise import TierNoise
from shadow.reports.window import Report, TierReport, build_report
from shadow.settings import Settings
from shadow.statistics.estimate import Estimate, Undefined
from shadow.store import feedback
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.estimates import Figure, publish
from shadow.store.exchanges import ensure_partitions
from shadow.store.rollup_compute import recompute_changed
from shadow.store.rollup_days import compact_one

log = structlog.get_logger()


async def compute_and_publish(engine: AsyncEngine, settings: Settings) -> None:
    """Bring the roll-ups up to date, then store the figures that a person would be shown now."""
    buckets = await compute(engine, settings)
    now = utc_now()
    days = await compact(engine, settings, now=now)
    window = timedelta(days=settings.rollup.window_days)
    report = await build_report(engine, tiers=settings.tier_names, since=now - window, until=now)
    async with engine.begin() as connection:
        await publish(connection, figures_of(report, at=now))
    log.info("rollup.computed", buckets=buckets, days=days)


async def compute(engine: AsyncEngine, settings: Settings) -> int:
    """Take up every marked bucket, a transaction per batch; returns how many buckets were computed."""
    total = kept = 0
    while True:
        async with engine.begin() as connection:
            done = await recompute_changed(connection, bucket_seconds=settings.rollup.bucket_seconds)
        total += done.claimed - done.kept
        kept += done.kept
        if done.claimed == 0:
            break
    if kept:
        log.warning(
            "rollup.kept", buckets=kept, detail="changed after raw rows of theirs were deleted; sums left as they were"
        )
    async with engine.begin() as connection:
        await feedback.resolve(connection)
    return total


async def compact(engine: AsyncEngine, settings: Settings, *, now: datetime) -> int:
    """Compact every day that is over and has changed, a transaction per day; returns how many days."""
    watermark = timedelta(seconds=settings.rollup.watermark_seconds)
    total = 0
    while True:
        async with engine.begin() as connection:
            if await compact_one(connection, now=now, watermark=watermark) is None:
                return total
        total += 1


async def prepare_partitions(engine: AsyncEngine, _: Settings) -> None:
    """Create tomorrow's partition today, so that midnight's first batch needs no lock."""
    today = utc_now().date()
    async with engine.begin() as connection:
        await ensure_partitions(connection, {today, today + timedelta(days=1)})


def figures_of(report: Report, *, at: datetime) -> list[Figure]:
    """The figures of a report as rows of a time series, one per tier, metric and reason."""
    seconds = round((report.until - report.since).total_seconds())
    figures = [figure for tier in (*report.tiers, report.overall) for figure in _tier_figures(tier, at, seconds)]
    figures += [figure for row in report.noise for figure in _noise_figures(row, at, seconds)]
    saved = None if isinstance(report.savings, Undefined) else report.savings.net_usd
    figures.append(_figure("net_savings_usd", "", saved, report.overall, at, seconds))
    return [replace(figure, mode=report.mode) for figure in figures]


def _tier_figures(tier: TierReport, at: datetime, seconds: int) -> list[Figure]:
    accuracy = tier.accuracy
    shown: list[tuple[str, str, Estimate | None]] = [
        ("accuracy", "", accuracy.corrected),
        ("accuracy_raw", "", accuracy.raw),
        ("self_consistency", "", tier.self_consistency),
        ("escalation_rate", "", tier.escalation_rate),
        *(("escalation_rate", reason, estimate) for reason, estimate in tier.escalations.items()),
        ("cost_per_success_usd", "", tier.cost_per_success_usd),
    ]
    return [_figure(metric, reason, estimate, tier, at, seconds) for metric, reason, estimate in shown]


def _noise_figures(row: TierNoise, at: datetime, seconds: int) -> list[Figure]:
    """Of a tier always, of a query type (which then stands for the reason) where there is something to show."""
    found = row.found
    shown = {"noise_floor": found.floor, "divergence": found.divergence, "excess_divergence": found.excess}
    return [
        Figure(
            computed_at=at,
            metric=metric,
            tier=row.tier,
            reason=row.query_type,
            window_seconds=seconds,
            value=estimate.value if estimate else None,
            low=estimate.low if estimate else None,
            high=estimate.high if estimate else None,
            n=found.pairs,
            n_labelled=0,
            coverage=found.coverage.value if found.coverage else None,
        )
        for metric, estimate in shown.items()
        if estimate is not None or not row.query_type
    ]


def _figure(
    metric: str, reason: str, estimate: Estimate | None, tier: TierReport, at: datetime, seconds: int
) -> Figure:
    accuracy = tier.accuracy
    return Figure(
        computed_at=at,
        metric=metric,
        tier=tier.tier,
        reason=reason,
        window_seconds=seconds,
        value=estimate.value if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
        n=estimate.n if estimate else 0,
        n_labelled=accuracy.labelled,
        coverage=accuracy.coverage.value if accuracy.coverage else None,
    )
