"""What do we know about each tier? Accuracy, escalation, cost per success and savings over a window, every one with its interval.

Everything is computed from roll-ups; no figure reads raw rows. What can't be known is None, with the reason beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from shadow.reports.bands import strata_of
from shadow.reports.noise import TierNoise, tier_noise
from shadow.reports.observed import ObservedReport, observed_report
from shadow.reports.ratings import TierRatings, tier_ratings
from shadow.statistics.accuracy import Assessment, assess
from shadow.statistics.cost import Savings, cost_per_success, savings
from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.rates import escalation_rates
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.strata import Strata
from shadow.statistics.sums import Sums
from shadow.store import feedback, labels, rollups
from shadow.store.engine import AsyncEngine
from shadow.store.judge_days import JudgeCount, judge_counts
from shadow.store.noise import Noise, window_noise
from shadow.store.rollups import FunnelRow, Mode, Route, Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class TierReport:
    """One tier, or all of them (`tier` is then "").

    self_consistency: how often the panel accepts the top tier's answer against its own second one; no substitute for accuracy.
    escalations: share of the requests *predicted* for this tier that were served above it, by reason.
    """

    tier: str
    requests: int
    cost_usd: float
    accuracy: Assessment
    self_consistency: Estimate | None
    escalations: Mapping[str, Estimate]
    escalation_rate: Estimate | None
    cost_per_success_usd: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A window's figures. funnel: sample counts by state; nothing is silently missing from it.

    mode: all figures but `observed` are of requests served in this mode: route, or observe where there was nothing else.
    observed: what mode observe says of the decisions; None where no request was served in it. noise: how much of what judges
    call different is noise; in mode observe of the tiers decided for.
    """

    since: datetime
    until: datetime
    tiers: tuple[TierReport, ...]
    overall: TierReport
    savings: Savings | Undefined
    mirror_usd: Decimal
    judge_usd: Decimal
    funnel: Mapping[str, int]
    failed_requests: int
    cancelled_requests: int
    reviewer: Reviewer | None
    ratings: tuple[TierRatings, ...] = ()  # self-selected: beside the figures, never in them
    mode: Mode = "route"
    observed: ObservedReport | None = None
    noise: tuple[TierNoise, ...] = ()
    judging: tuple[JudgeCount, ...] = ()  # of whole UTC days, the window's first and last included; exact

    @property
    def shadow_usd(self) -> Decimal:
        return self.mirror_usd + self.judge_usd


async def build_report(
    engine: AsyncEngine, *, tiers: Sequence[str], since: datetime, until: datetime, level: float = 0.95
) -> Report:
    """The report on a window (aware instants, half open), tiers cheapest first."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        modes = await rollups.window_modes(connection, since=since, until=until)
        mode: Mode = "observe" if modes == {"observe"} else "route"
        slices = await rollups.window_sums(connection, since=since, until=until, mode=mode)
        routes = await rollups.window_routes(connection, since=since, until=until, mode=mode)
        funnel = await rollups.window_funnel(connection, since=since, until=until, mode=mode)
        noise = await window_noise(connection, since=since, until=until, mode=mode)
        observed = await rollups.window_observed(connection, since=since, until=until) if "observe" in modes else []
        reviewer = await labels.reviewer_quality(connection)
        counts = await feedback.rating_counts(connection, since=since, until=until)
        judging = await judge_counts(connection, since=since.date(), until=until.date())
    made = report_on(
        slices, routes, funnel, noise, tiers=tiers, since=since, until=until, reviewer=reviewer, level=level
    )
    return replace(
        made,
        mode=mode,
        observed=observed_report(observed, tiers=tiers, reviewer=reviewer, level=level),
        ratings=tier_ratings(counts, tiers, level=level),
        judging=tuple(judging),
    )


def report_on(
    slices: Sequence[Slice],
    routes: Sequence[Route],
    funnel: Sequence[FunnelRow],
    noise: Sequence[Noise] = (),
    *,
    tiers: Sequence[str],
    since: datetime,
    until: datetime,
    reviewer: Reviewer | None,
    level: float = 0.95,
) -> Report:
    """The report from a window's sums. Pure."""
    # A tier that was taken out of the configuration keeps its figures for as long as the window sees it.
    gone = sorted({s.tier for s in slices} - set(tiers))
    strata = strata_of(slices)
    top = tiers[-1]
    reports = tuple(
        _tier_report(tier, [tier], strata, routes, reviewer=reviewer, level=level, top=top) for tier in [*gone, *tiers]
    )
    mirror_usd = sum((row.mirror_usd for row in funnel), Decimal(0))
    judge_usd = sum((row.judge_usd for row in funnel), Decimal(0))
    by_tier = {tier: Sums.total(sums for key, sums in strata.items() if key.tier == tier) for tier in [*gone, *tiers]}
    return Report(
        since=since,
        until=until,
        tiers=reports,
        overall=_tier_report("", [*gone, *tiers], strata, routes, reviewer=reviewer, level=level, top=top),
        savings=savings(by_tier, top_tier=top, shadow_usd=float(mirror_usd + judge_usd), level=level),
        mirror_usd=mirror_usd,
        judge_usd=judge_usd,
        funnel=_funnel(funnel),
        failed_requests=sum(route.requests for route in routes if route.status == "failed"),
        cancelled_requests=sum(route.requests for route in routes if route.status == "cancelled"),
        reviewer=reviewer,
        noise=tier_noise(noise, strata, tiers=tiers, level=level),
    )


def _tier_report(
    name: str,
    tiers: Sequence[str],
    strata: Strata,
    routes: Sequence[Route],
    *,
    reviewer: Reviewer | None,
    level: float,
    top: str,
) -> TierReport:
    own = {key: sums for key, sums in strata.items() if key.tier in tiers}
    # Money spent on requests that nobody answered in the end was spent all the same: it is in the overall figure.
    lost = sum((float(r.cost_usd) for r in routes if r.status != "answered"), 0.0) if name == "" else 0.0
    answered = Sums.total(own.values())
    total = replace(answered, cost_usd=answered.cost_usd + lost)
    is_top_alone = list(tiers) == [top]
    accuracy = assess(own, level=level, reviewer=reviewer, top_tier=top if is_top_alone or name == "" else None)
    escalations, rate = _escalations(tiers, routes)
    return TierReport(
        tier=name,
        requests=int(total.requests),
        cost_usd=total.cost_usd,
        accuracy=accuracy,
        self_consistency=assess(own, level=level).raw if is_top_alone else None,
        escalations=escalations,
        escalation_rate=rate,
        cost_per_success_usd=cost_per_success(total, accuracy.corrected),
    )


def _escalations(tiers: Sequence[str], routes: Sequence[Route]) -> tuple[Mapping[str, Estimate], Estimate | None]:
    predicted = [r for r in routes if r.predicted_tier in tiers and r.status == "answered"]
    counts: dict[str, int] = {}
    for route in predicted:
        if route.reason:
            counts[route.reason] = counts.get(route.reason, 0) + route.requests
    requests = sum(route.requests for route in predicted)
    total = escalation_rates({"all": sum(counts.values())}, requests=requests)
    return escalation_rates(counts, requests=requests) or {}, total["all"] if total else None


def _funnel(rows: Sequence[FunnelRow]) -> dict[str, int]:
    """Counts by what happened, from the first to the last stage."""
    states = dict.fromkeys(("sampled", "mirrored", "judged", "abstained", "failed", "shed"), 0)
    for row in rows:
        states[row.state] += row.samples
    return {
        "sampled": sum(states.values()),
        "waiting_for_mirror": states["sampled"],
        "waiting_for_judge": states["mirrored"],
        "judged": states["judged"],
        "abstained": states["abstained"],
        "failed": states["failed"],
        "shed": states["shed"],
        "labelled": sum(row.labelled for row in rows),
    }
