"""What does the evidence say about the thresholds in force, and which others does it allow?

Pure: evidence and settings in, a finding out. The whole gate is simulated (pins, rules, band, impact, tolerance, windows), so
that thresholds are held against what would really be served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np

from router.contracts import Policy
from shadow.statistics.certificate import Certificate, certify, first_half
from shadow.statistics.dominated import Dominated, dominated_tiers
from shadow.statistics.estimate import Estimate
from shadow.statistics.paired_evidence import routed
from shadow.statistics.risk import risk_estimate
from shadow.statistics.routes import BEYOND, routes
from shadow.statistics.saving import mean_saving
from shadow.statistics.sums import FloatArray, IntArray
from shadow.tuning.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of the tuner. most_step: how far a threshold may fall, None: at will."""

    epsilon: float
    delta: float
    min_pairs: int
    per_type: bool = True
    most_step: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """What was found. certificate: of the cheapest policy that the evidence allows, within the largest step.

    policy: what may be proposed, under the version in force; None: keep. why: in a word. saving_usd_per_day: of that policy
    against the one in force, positive where it is cheaper. moved: share of requests that would go to another tier. risk_now:
    of the policy in force, from labels where there are enough of them. dominated: tiers that are dearer and worse.
    """

    certificate: Certificate
    policy: Policy | None
    why: str
    saving_usd_per_day: Estimate | None
    moved: float | None
    risk_now: Estimate | None
    dominated: Sequence[Dominated]


def tune(evidence: Evidence, current: Policy, tiers: Sequence[str], wanted: Wanted, *, seed: str, days: float) -> Tuned:
    """Certify, pick, compare with what is in force. days: length of the window. Cost: that of `certify`."""
    now = thresholds_of(current, evidence.query_types, tiers)
    found = certify(
        evidence.requests,
        evidence.pairs,
        evidence.costs_usd,
        in_first_half=first_half(evidence.request_ids, seed=seed),
        epsilon=wanted.epsilon,
        delta=wanted.delta,
        per_kind=len(evidence.query_types) > 1,
        lowest=None if wanted.most_step is None else np.minimum(now, 1.0) - wanted.most_step,
    )
    served_now = routes(evidence.requests, now)
    by_labels = found.labels >= 1 and found.status == "certified"
    risk_now = risk_estimate(routed(evidence.pairs, served_now), labels=by_labels) if evidence.request_ids else None
    chosen, why = _pick(found, wanted)
    if chosen is not None:
        # Where no request was seen nothing was shown: such query types keep what they have.
        seen = np.bincount(evidence.requests.kind, minlength=evidence.requests.kinds) > 0
        chosen = np.where(seen[:, None], chosen, now)
        then = routes(evidence.requests, chosen)
        moved = _moved(evidence, served_now, then)
        if moved == 0.0:
            chosen, why = None, "the thresholds in force do just that"
    if chosen is None:
        return Tuned(
            certificate=found,
            policy=None,
            why=why,
            saving_usd_per_day=None,
            moved=None,
            risk_now=risk_now,
            dominated=_dominated(evidence, tiers),
        )
    return Tuned(
        certificate=found,
        policy=policy_of(chosen, evidence.query_types, tiers, current),
        why=why,
        saving_usd_per_day=_saving(evidence, served_now, then, days),
        moved=moved,
        risk_now=risk_now,
        dominated=_dominated(evidence, tiers),
    )


def delta_of(delta: float, proposal: int) -> float:
    """The share of delta that the j-th proposal of a quarter may spend, j from 1: 6 delta / (pi^2 j^2) sums up to delta."""
    return 6.0 * delta / (pi * pi * proposal * proposal)


def thresholds_of(policy: Policy, query_types: Sequence[str], tiers: Sequence[str]) -> FloatArray:
    """(kinds, T-1): a policy as an array. A tier without a threshold is not used."""
    return np.array([[policy.thresholds_for(t).get(tier, BEYOND) for tier in tiers[:-1]] for t in query_types])


def policy_of(thresholds: FloatArray, query_types: Sequence[str], tiers: Sequence[str], current: Policy) -> Policy:
    """The array as a policy under the version in force. Query types that would be as all others get none of their own."""
    rows = [dict(zip(tiers[:-1], (round(float(x), 6) for x in row), strict=True)) for row in thresholds]
    own = {t: row for t, row in zip(query_types[1:], rows[1:], strict=True) if row != rows[0]}
    return Policy(version=current.version, thresholds=rows[0], band=current.band, by_query_type=own)


def _pick(found: Certificate, wanted: Wanted) -> tuple[FloatArray | None, str]:
    if found.status == "keep" or found.thresholds is None:
        return None, found.why
    if found.pairs < wanted.min_pairs:
        return None, f"{found.pairs} pairs; tuning.min_samples asks for {wanted.min_pairs}"
    return found.thresholds, found.why


def _moved(evidence: Evidence, before: IntArray, after: IntArray) -> float:
    weights = evidence.pairs.row_weights
    return float(weights[before != after].sum() / weights.sum())


def _saving(evidence: Evidence, before: IntArray, after: IntArray, days: float) -> Estimate | None:
    rows = np.arange(len(before))
    both = np.stack([evidence.costs_usd[rows, after], evidence.costs_usd[rows, before]], axis=1)
    weights = evidence.pairs.row_weights
    mean = mean_saving(both, np.zeros(len(before), dtype=np.int64), weights)
    if mean is None or mean.high is None or days <= 0:
        return None
    a_day = float(weights.sum()) / days
    return Estimate(
        value=mean.value * a_day,
        low=mean.low * a_day,
        high=mean.high * a_day,
        n=mean.n,
        level=mean.level,
        method="ratio",
    )


def _dominated(evidence: Evidence, tiers: Sequence[str]) -> list[Dominated]:
    """By verdicts: each tier below the top against the top tier, and two of them where both were held against it at once."""
    pairs, weights = evidence.pairs, evidence.pairs.row_weights
    costs = {
        tier: mean for j, tier in enumerate(tiers) if (mean := _mean(evidence.costs_usd[:, j], weights)) is not None
    }
    gaps: dict[tuple[str, str], Estimate] = {}
    for j, tier in enumerate(tiers[:-1]):
        judged = pairs.judged[:, j]
        weight = 1.0 / pairs.inclusion[judged, j]
        if (loss := _mean(pairs.judged_loss[judged, j], weight)) is not None:
            gaps[tiers[-1], tier] = loss
        for k in range(j):
            both = judged & pairs.judged[:, k]
            difference = pairs.judged_loss[both, j] - pairs.judged_loss[both, k]
            if (
                gap := _mean(difference, 1.0 / np.minimum(pairs.inclusion[both, j], pairs.inclusion[both, k]))
            ) is not None:
                gaps[tiers[k], tier] = gap
    return dominated_tiers(costs, gaps)


def _mean(values: FloatArray, weights: FloatArray) -> Estimate | None:
    """Weighted mean with a normal interval; None below two rows."""
    both = np.stack([np.zeros_like(values), values], axis=1)
    return mean_saving(both, np.zeros(len(values), dtype=np.int64), weights)
