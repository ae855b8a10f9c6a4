"""May this query type go live, and with which thresholds? What mode observe has to show before anything is routed.

For each query type by itself: the loss of the thresholds in force against the top tier, tested on all pairs, as these were
fixed before the data; and where that fails, the cheapest thresholds that Learn-then-Test allows. Certified needs labels on
both answers. Of k query types that have enough pairs to show anything each may spend delta / k, half of it for either test: with
probability 1 - delta no query type is called certified that loses epsilon or more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from router.contracts import Policy
from router.pricing import Price
from shadow.statistics.certificate import MIN_LABELS, Certificate, Status, certify, first_half
from shadow.statistics.estimate import Estimate
from shadow.statistics.paired_evidence import RoutedEvidence, routed
from shadow.statistics.pairs_needed import BETTING_FACTOR, least_pairs, more_pairs_needed
from shadow.statistics.risk import betting_risk_p_value, risk_estimate, studentised_risk_p_value
from shadow.statistics.routes import routes
from shadow.store.tuning_rows import TuningRow
from shadow.tuning.evidence import Evidence, gather
from shadow.tuning.tuner import Wanted, thresholds_of

Way = Literal["in_force", "other"]
Why = Literal[
    "within_epsilon",
    "all_on_top",
    "no_pairs",
    "too_few_pairs",
    "needs_down_mirroring",
    "risk_not_shown",
    "loses_too_much",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeReadiness:
    """One query type. way: with the thresholds in force or with other ones; None for keep. thresholds: tier -> those that the
    finding is about, in force for keep. risk: their loss with its interval, None where nothing is known of it.

    share: of all requests, as the samples have it. pairs: with a verdict or labels on both answers; labels: of these labelled.
    more_pairs: how many more would probably do (power .8), None where none would or it is not for want of them. more_labels:
    labelled pairs missing for a certificate to be tried.
    """

    query_type: str
    status: Status
    way: Way | None
    why: Why
    thresholds: Mapping[str, float]
    risk: Estimate | None
    share: float
    pairs: int
    labels: int
    more_pairs: int | None = None
    more_labels: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingLive:
    """All query types, the most frequent first. delta_each: what each of them might spend."""

    types: Sequence[TypeReadiness]
    epsilon: float
    delta: float
    delta_each: float
    top_tier: str


def going_live(
    rows: Sequence[TuningRow],
    tiers: Sequence[str],
    prices: Mapping[str, Price],
    current: Policy,
    wanted: Wanted,
    *,
    seed: str,
) -> GoingLive:
    """What the samples of a window, in request order, show of each query type. Pure. tiers: cheapest first; prices: by tier.

    Cost: that of `certify` for each query type whose thresholds in force can't be certified.
    """
    evidence = {}
    for query_type in sorted({row.query_type for row in rows}):
        own = replace(current, thresholds=current.thresholds_for(query_type), by_query_type={})
        of_type = [row for row in rows if row.query_type == query_type]
        evidence[query_type] = gather(of_type, tiers, prices, own, per_type=False), own
    weights = {name: float(found.pairs.row_weights.sum()) for name, (found, _) in evidence.items()}
    total = sum(weights.values()) or 1.0
    least = least_pairs(epsilon=wanted.epsilon, delta=wanted.delta)
    enough = sum(_pairs(found) >= least for found, _ in evidence.values())
    each = wanted.delta / max(1, enough)
    types = [
        _of_type(name, found, own, tiers, wanted, seed=seed, delta=each, share=weights[name] / total)
        for name, (found, own) in evidence.items()
    ]
    return GoingLive(
        types=tuple(sorted(types, key=lambda one: -one.share)),
        epsilon=wanted.epsilon,
        delta=wanted.delta,
        delta_each=each,
        top_tier=tiers[-1],
    )


def _of_type(
    name: str,
    evidence: Evidence,
    own: Policy,
    tiers: Sequence[str],
    wanted: Wanted,
    *,
    seed: str,
    delta: float,
    share: float,
) -> TypeReadiness:
    pairs, labels = _pairs(evidence), evidence.pairs.labels
    now = thresholds_of(own, [""], tiers)
    found = routed(evidence.pairs, routes(evidence.requests, now))
    by_labels = labels >= MIN_LABELS
    base = TypeReadiness(
        query_type=name,
        status="keep",
        way=None,
        why="no_pairs",
        thresholds=_named(now, tiers),
        risk=risk_estimate(found, labels=by_labels),
        share=share,
        pairs=pairs,
        labels=labels,
    )
    if not found.below.any():
        return replace(base, status="certified", way="in_force", why="all_on_top")
    if pairs == 0:
        return base
    in_force = replace(
        base,
        status="certified" if by_labels else "uncertified",
        way="in_force",
        why="within_epsilon",
        more_labels=max(0, MIN_LABELS - labels),
    )
    betting = not by_labels or evidence.pairs.fully_labelled
    p_value = _p_value(found, by_labels=by_labels, betting=betting, epsilon=wanted.epsilon)
    holds = not found.unseen and pairs >= wanted.min_pairs and p_value <= delta / 2
    if holds and by_labels:
        return in_force
    other = certify(
        evidence.requests,
        evidence.pairs,
        evidence.costs_usd,
        in_first_half=first_half(evidence.request_ids, seed=seed),
        epsilon=wanted.epsilon,
        delta=delta / 2,
    )
    allowed = other.status != "keep" and other.thresholds is not None and other.pairs >= wanted.min_pairs
    if allowed and (other.status == "certified" or not holds):
        return _with_others(base, other, tiers)
    if holds:
        return in_force
    more = None
    if not found.unseen:
        more = more_pairs_needed(
            found,
            labels=by_labels,
            epsilon=wanted.epsilon,
            delta=delta / 2,
            factor=BETTING_FACTOR if betting else 1.0,
        )
        more = None if more is None else max(more, wanted.min_pairs - pairs)
    return replace(base, why=_why(base, found, pairs, more, wanted), more_pairs=more)


def _with_others(base: TypeReadiness, found: Certificate, tiers: Sequence[str]) -> TypeReadiness:
    assert found.thresholds is not None
    return replace(
        base,
        status=found.status,
        way="other",
        why="within_epsilon",
        thresholds=_named(found.thresholds, tiers),
        risk=found.risk,
        more_labels=found.more_labels,
    )


def _why(base: TypeReadiness, found: RoutedEvidence, pairs: int, more: int | None, wanted: Wanted) -> Why:
    if found.unseen:
        return "needs_down_mirroring"
    if base.risk is not None and base.risk.low >= wanted.epsilon:
        return "loses_too_much"
    least = max(wanted.min_pairs, least_pairs(epsilon=wanted.epsilon, delta=wanted.delta))
    return "too_few_pairs" if pairs < least else "risk_not_shown"


def _p_value(found: RoutedEvidence, *, by_labels: bool, betting: bool, epsilon: float) -> float:
    if by_labels and not betting:
        return studentised_risk_p_value(found, epsilon=epsilon)
    return betting_risk_p_value(found, epsilon=epsilon, labels=by_labels)


def _pairs(evidence: Evidence) -> int:
    known = evidence.pairs.judged.any(axis=1)
    if evidence.pairs.labelled is not None:
        known = known | evidence.pairs.labelled.any(axis=1)
    return int(known.sum())


def _named(thresholds: np.ndarray[tuple[int, ...], np.dtype[np.float64]], tiers: Sequence[str]) -> dict[str, float]:
    return {tier: round(float(value), 6) for tier, value in zip(tiers[:-1], thresholds[0], strict=True)}
