"""What does the first page show? Everything it needs, read once, with the charts laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from shadow.console.charts import FLOW_BUCKETS, Flow, Scale, flow_chart, money_scale, rate_scale, share_scale
from shadow.reports.reasons import in_words
from shadow.reports.window import Report, TierReport, build_report
from shadow.settings import Settings
from shadow.statistics.estimate import Estimate, Undefined
from shadow.store import alerts, budgets, policies, proposals
from shadow.store.console_rows import SampleDetail
from shadow.store.console_samples import divergent_pairs
from shadow.store.console_session import reading, translated
from shadow.store.console_traffic import figures_computed_at, flow, has_exchanges
from shadow.store.engine import AsyncEngine
from shadow.tuning.findings_text import tuned_lines

PAIRS = 6
POLICIES = 5
ALERTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The page's values. shares: of answered requests by tier; spent_today: purpose -> (spent, reserved, cap) in USD."""

    now: datetime
    report: Report
    has_traffic: bool
    computed_at: datetime | None
    flow: Flow
    shares: Mapping[str, float]
    accuracy_scale: Scale
    escalation_scale: Scale
    money_scale: Scale
    pairs: list[SampleDetail]
    policies: list[policies.PolicyRow]
    proposal: proposals.ProposalRow | None
    proposal_lines: list[str]
    spent_today: Mapping[str, tuple[Decimal, Decimal, float]]
    alerts: list[alerts.Alert]


async def load_overview(engine: AsyncEngine, settings: Settings, *, now: datetime, window: timedelta) -> Overview:
    """Read and lay out the page. Raises: StoreError where the database can't be read."""
    bucket_seconds = settings.rollup.bucket_seconds
    with translated():
        report = await build_report(engine, tiers=settings.tier_names, since=now - window, until=now)
    async with reading(engine) as connection:
        flowing = await flow(connection, since=now - timedelta(seconds=bucket_seconds * FLOW_BUCKETS), mode=report.mode)
        pairs = await divergent_pairs(connection, PAIRS)
        history = await policies.history(connection, POLICIES)
        waiting = next((row for row in await proposals.listed(connection, limit=1) if row.state == "open"), None)
        computed_at = await figures_computed_at(connection)
        spent = await budgets.spent_today(connection, now)
        open_alerts = await alerts.last_alerts(connection, is_open=True, limit=ALERTS)
        has_traffic = report.overall.requests > 0 or await has_exchanges(connection)
    caps = {"mirror": settings.sampling.budget_usd_per_day, "judge": settings.judges.budget_usd_per_day}
    tiers = [tier.tier for tier in report.tiers]
    requests = report.overall.requests
    return Overview(
        now=now,
        report=report,
        has_traffic=has_traffic,
        computed_at=computed_at,
        flow=flow_chart(flowing, tiers=tiers, now=now, as_of=computed_at or now, bucket_seconds=bucket_seconds),
        shares={tier.tier: tier.requests / requests if requests else 0.0 for tier in report.tiers},
        accuracy_scale=rate_scale([low for tier in report.tiers for low in _accuracy_lows(tier)]),
        escalation_scale=share_scale([t.escalation_rate.value for t in report.tiers if t.escalation_rate]),
        money_scale=money_scale([end for tier in report.tiers for end in _ends(tier.cost_per_success_usd)]),
        pairs=pairs,
        policies=history,
        proposal=waiting,
        proposal_lines=tuned_lines(waiting.evidence, history[0].policy.thresholds) if waiting and history else [],
        spent_today={purpose: (*spent.get(purpose, (Decimal(0), Decimal(0))), cap) for purpose, cap in caps.items()},
        alerts=[alert for alert in open_alerts if not alert.is_snoozed(now)],
    )


def why_no_accuracy(tier: TierReport) -> str:
    """In words, why there is no corrected accuracy."""
    return in_words(tier.accuracy.undefined["corrected"])


def why_no_cost(tier: TierReport) -> str:
    """In words, why there is no cost per success: it needs an accuracy above 0."""
    if tier.accuracy.corrected is not None:
        return "no completion is known to have succeeded"
    return in_words(tier.accuracy.undefined["corrected"])


def why_no_savings(report: Report) -> str:
    """In words, why there are no savings."""
    return in_words(report.savings) if isinstance(report.savings, Undefined) else ""


def _accuracy_lows(tier: TierReport) -> list[float]:
    shown = (tier.accuracy.corrected, tier.accuracy.raw, tier.self_consistency)
    return [estimate.low for estimate in shown if estimate is not None]


def _ends(estimate: Estimate | None) -> list[float]:
    if estimate is None:
        return []
    return [estimate.low, estimate.value if estimate.high is None else estimate.high]
