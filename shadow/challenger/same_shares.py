"""Thresholds belong to a scorer: which of the challenger's give each tier the share that it has now?

Tier by tier, cheapest first: of the requests that no cheaper tier takes, as many have to reach the new threshold (with the band
above it) as reached the old one. Intervals: percentiles over resamples of the later requests. Rough where many scores are equal;
`shares` says what each set of thresholds really does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from router.contracts import Policy
from shadow.challenger.comparison import Pairs
from shadow.statistics.routes import BEYOND, Requests, routes
from shadow.statistics.sums import BoolArray, FloatArray
from shadow.training.resampling import figure_of, resample_counts

_RESAMPLES = 200


def same_shares(pairs: Pairs, challenger: FloatArray, tiers: Sequence[str], policy: Policy) -> dict[str, Any]:
    """thresholds: tier -> {now, then: {value, low, high}}. shares: tier -> {now, then}, of the later requests, by thresholds
    and band alone. policy: in force; the thresholds of query types are left aside."""
    counts = resample_counts([str(name) for name in pairs.clusters], seed=0, resamples=_RESAMPLES)
    now = [policy.thresholds.get(tier, BEYOND) for tier in tiers[:-1]]
    found = np.array(
        [_matching(pairs.champion, challenger, pairs.row_weights * often, now, policy.band) for often in counts]
    )
    figures = [figure_of(found[:, at]) for at in range(len(now))]
    then = found[0].tolist()
    shares = [
        _shares(scores, pairs.row_weights, limits, policy.band)
        for scores, limits in ((pairs.champion, now), (challenger, then))
    ]
    return {
        "policy_version": policy.version,
        "thresholds": {tier: {"now": now[at], "then": figures[at]} for at, tier in enumerate(tiers[:-1])},
        "shares": {tier: {"now": float(shares[0][at]), "then": float(shares[1][at])} for at, tier in enumerate(tiers)},
        "query_types_of_their_own": sorted(policy.by_query_type),
    }


def _matching(
    champion: FloatArray, challenger: FloatArray, weights: FloatArray, now: Sequence[float], band: float
) -> list[float]:
    free_now, free_then = np.ones(len(weights), dtype=np.bool_), np.ones(len(weights), dtype=np.bool_)
    found = []
    for at, limit in enumerate(now):
        taken = free_now & (champion[:, at] >= limit + band)
        threshold = _reached_by(challenger[:, at], weights, free_then, float(weights[taken].sum()))
        free_now &= ~taken
        free_then &= challenger[:, at] < threshold
        found.append(threshold if threshold >= BEYOND else max(0.0, threshold - band))
    return found


def _reached_by(scores: FloatArray, weights: FloatArray, free: BoolArray, wanted: float) -> float:
    """The threshold that free requests of this total weight reach."""
    order = np.argsort(-scores[free], kind="stable")
    reached = np.cumsum(weights[free][order])
    at = int(np.searchsorted(reached, wanted * (1.0 - 1e-9)))
    if wanted <= 0 or not len(order):
        return BEYOND
    return float(scores[free][order[min(at, len(order) - 1)]])


def _shares(scores: FloatArray, weights: FloatArray, limits: Sequence[float], band: float) -> FloatArray:
    chosen = routes(Requests(scores=scores, kind=np.zeros(len(scores), dtype=np.int64), band=band), np.array([limits]))
    total: FloatArray = np.bincount(chosen, weights, minlength=scores.shape[1] + 1) / weights.sum()
    return total


def commands(matched: Mapping[str, Any]) -> list[str]:
    """The words for `shadow policy apply`."""
    return [
        f"--threshold {tier}={found['then']['value']:.4f}"
        for tier, found in matched["thresholds"].items()
        if found["then"]["value"] is not None and found["then"]["value"] <= 1
    ]
