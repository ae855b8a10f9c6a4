"""How does a report look as JSON? One serialiser for the control API and `shadow report --json`.

A figure that is not known is null, and `undefined` beside it says why; there is never a NaN or a 0 in its place.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from shadow.judging.days_text import judge_days_json
from shadow.reports.noise import TierNoise
from shadow.reports.observed import ObservedPart, ObservedReport
from shadow.reports.reasons import in_words
from shadow.reports.window import Report, TierReport
from shadow.statistics.accuracy import Assessment
from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.reviewer import Reviewer


def report_json(report: Report) -> dict[str, Any]:
    """The report as values that `json.dumps` takes: rates in [0, 1], money in USD, instants ISO 8601 in UTC."""
    saved = report.savings
    return {
        "since": instant(report.since),
        "until": instant(report.until),
        "window_days": round((report.until - report.since).total_seconds() / 86400, 6),
        "tiers": [_tier(tier) for tier in report.tiers],
        "overall": _tier(report.overall),
        "savings": None
        if isinstance(saved, Undefined)
        else {
            "net_usd": _estimate(saved.net_usd),
            "all_top_usd": _estimate(saved.all_top_usd),
            "actual_usd": saved.actual_usd,
            "shadow_usd": saved.shadow_usd,
        },
        "savings_undefined": _undefined(saved) if isinstance(saved, Undefined) else None,
        "shadow_spend": {
            "mirror_usd": float(report.mirror_usd),
            "judge_usd": float(report.judge_usd),
            "total_usd": float(report.shadow_usd),
        },
        "funnel": dict(report.funnel),
        "failed_requests": report.failed_requests,
        "cancelled_requests": report.cancelled_requests,
        "reviewer": _reviewer(report.reviewer),
        "noise_floor": [_noise(row) for row in report.noise],
        "judging": judge_days_json(report.judging),
        "ratings": [{**asdict(rated), "self_selected": True} for rated in report.ratings],
        "mode": report.mode,
        "observed": _observed(report.observed),
    }


def _observed(observed: ObservedReport | None) -> dict[str, Any] | None:
    if observed is None:
        return None
    return {
        "certified": False,
        "served": dict(observed.served),
        "tiers": [_observed_part(part) for part in observed.tiers],
        "parts": [_observed_part(part) for part in observed.parts],
        "overall": _observed_part(observed.overall),
    }


def _observed_part(part: ObservedPart) -> dict[str, Any]:
    found: dict[str, Any] = {
        "decided_tier": part.tier,
        "query_type": part.query_type,
        "requests": part.requests,
        "share": part.share,
        "accuracy": _accuracy(part.accuracy),
    }
    if isinstance(part.cost, Undefined):
        return found | {
            "cost_usd": None,
            "saved_usd": None,
            "actual_usd": None,
            "cost_undefined": _undefined(part.cost),
        }
    return found | {
        "cost_usd": _estimate(part.cost.cost_usd),
        "saved_usd": _estimate(part.cost.saved_usd),
        "actual_usd": part.cost.actual_usd,
        "cost_undefined": None,
    }


def instant(moment: datetime) -> str:
    """ISO 8601 with the zone spelled Z."""
    return moment.isoformat().replace("+00:00", "Z")


def _tier(tier: TierReport) -> dict[str, Any]:
    return {
        "tier": tier.tier,
        "requests": tier.requests,
        "cost_usd": tier.cost_usd,
        "accuracy": _accuracy(tier.accuracy),
        "self_consistency": _estimate(tier.self_consistency),
        "escalation_rate": _estimate(tier.escalation_rate),
        "escalations": {reason: _estimate(estimate) for reason, estimate in tier.escalations.items()},
        "cost_per_success_usd": _estimate(tier.cost_per_success_usd),
    }


def _accuracy(found: Assessment) -> dict[str, Any]:
    return {
        "corrected": _estimate(found.corrected),
        "raw": _estimate(found.raw),
        "labels_only": _estimate(found.labels_only),
        "coverage": _estimate(found.coverage),
        "worst_case": asdict(found.worst_case) if found.worst_case else None,
        "requests": found.requests,
        "sampled": found.sampled,
        "mirrored": found.mirrored,
        "labelled": found.labelled,
        "undefined": {figure: _undefined(why) for figure, why in found.undefined.items()},
    }


def _estimate(estimate: Estimate | None) -> dict[str, Any] | None:
    return asdict(estimate) if estimate else None


def _undefined(why: Undefined) -> dict[str, str]:
    return {"reason": why.reason, "detail": why.detail, "words": in_words(why)}


def _noise(row: TierNoise) -> dict[str, Any]:
    """query_type null is all of them; figures are shares of the requests, the excess a difference of two."""
    found = row.found
    return {
        "tier": row.tier,
        "query_type": row.query_type or None,
        "reference": row.reference,
        "divergence": _estimate(found.divergence),
        "floor": _estimate(found.floor),
        "excess": _estimate(found.excess),
        "coverage": _estimate(found.coverage),
        "control_samples": found.control,
        "pairs": found.pairs,
        "undefined": {figure: _undefined(why) for figure, why in found.undefined.items()},
    }


def _reviewer(reviewer: Reviewer | None) -> dict[str, Any] | None:
    return asdict(reviewer) if reviewer else None
