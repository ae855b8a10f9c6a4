"""How does a finding of the tuner look as JSON? What is stored with a proposal, printed by `shadow tune --json` and served."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from shadow.statistics.estimate import Estimate
from shadow.tuning.evidence import Evidence
from shadow.tuning.tuner import Tuned


def tuned_json(tuned: Tuned, evidence: Evidence, *, since: datetime, until: datetime) -> dict[str, Any]:
    """Values that `json.dumps` takes; what is not known is null."""
    found = tuned.certificate
    return {
        "status": found.status if tuned.policy is not None else "keep",
        "why": tuned.why,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "thresholds": None if tuned.policy is None else dict(tuned.policy.thresholds),
        "by_query_type": None
        if tuned.policy is None
        else {query_type: dict(own) for query_type, own in tuned.policy.by_query_type.items()},
        "epsilon": found.epsilon,
        "delta": found.delta,
        "proof": found.proof,
        "asymptotic": found.asymptotic,
        "p_value": found.p_value,
        "risk": estimate(found.risk),
        "regret": estimate(found.regret),
        "risk_in_force": estimate(tuned.risk_now),
        "saving_usd_per_day": estimate(tuned.saving_usd_per_day),
        "moved_share": tuned.moved,
        "samples": len(evidence.request_ids),
        "pairs": found.pairs,
        "labels": found.labels,
        "coverage": found.coverage,
        "more_pairs": found.more_pairs,
        "more_labels": found.more_labels,
        "query_types": list(evidence.query_types[1:]),
        "constrained": [evidence.query_types[kind] or "all others" for kind in found.constrained],
        "left_out": dict(evidence.left_out),
        "dominated": [{**asdict(one), "worse": estimate(one.worse)} for one in tuned.dominated],
        "tested": [{"p_values": list(test.p_values), "passed": test.passed} for test in found.tested],
    }


def estimate(one: Estimate | None) -> dict[str, Any] | None:
    """Value, interval, and what it rests on."""
    if one is None:
        return None
    return {
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "level": one.level,
        "n": one.n,
        "labelled": one.labelled,
        "corrected": one.corrected,
    }
