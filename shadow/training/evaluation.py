"""How good is a scorer on outcomes that it has not seen, and is it better than the length of the request?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shadow.statistics.judge_quality import weighted_auroc, weighted_calibration_error, weighted_mean
from shadow.training.observed import Observed
from shadow.training.resampling import Counts, Figure, Floats, Statistic, figure, figure_of, resample_counts
from shadow.training.routing_quality import routing_quality
from shadow.training.thresholds import cost_curve, threshold_advice

FIGURES = ("apgr", "cpt50", "cpt80")


def evaluate(observed: Observed, chances: Floats, confidences: Floats, *, seed: int, resamples: int) -> dict[str, Any]:
    """All figures of one set of outcomes, ready for JSON. chances, confidences: (rows, tiers).

    Intervals (95 %) resample whole questions; the difference to length is taken within each resample. The curve and the
    thresholds need every tier's outcome on every row and are left out where some are not known.
    """
    counts = resample_counts(observed.clusters, seed=seed, resamples=resamples)
    report: dict[str, Any] = {
        "tiers": {tier: _tier(observed, at, chances[:, at], counts) for at, tier in enumerate(observed.tiers)},
        "routing": _routing(observed, confidences[:, 0], counts),
    }
    if observed.complete:
        report["curve"] = cost_curve(observed, confidences, counts)
        report["thresholds"] = threshold_advice(observed, confidences, counts)
    return report


def _routing(observed: Observed, confidence: Floats, counts: Counts) -> dict[str, Any]:
    both = np.flatnonzero((observed.weights[:, 0] > 0) & (observed.weights[:, -1] > 0))
    learned = _quality(observed, confidence, both, counts)
    short = _quality(observed, -observed.lengths, both, counts)
    return {
        "weak": observed.tiers[0],
        "strong": observed.tiers[-1],
        "rows": len(both),
        "random_apgr": 0.5,
        "learned": _figures(learned),
        "length": _figures(short),
        "difference": _figures(learned - short),
    }


def _quality(observed: Observed, score: Floats, known: NDArray[np.intp], counts: Counts) -> Floats:
    """(resamples + 1, figures)"""
    weak, strong = observed.successes[:, 0], observed.successes[:, -1]
    found = []
    for often in counts[:, known]:
        rows = np.repeat(known, often)
        found.append(list(asdict(routing_quality(score[rows], weak[rows], strong[rows])).values()))
    return np.array(found)


def _figures(values: Floats) -> dict[str, Figure]:
    return {name: figure_of(values[:, at]) for at, name in enumerate(FIGURES)}


def _tier(observed: Observed, at: int, chance: Floats, counts: Counts) -> dict[str, Figure]:
    known = np.flatnonzero(observed.weights[:, at] > 0)
    success, weight = observed.successes[known, at], observed.weights[known, at]
    seen = counts[:, known]
    # A chance of success counts as a success and a failure, each with its part of the weight.
    label = np.r_[np.ones(len(known)), np.zeros(len(known))]
    parts = np.r_[weight * success, weight * (1 - success)]

    def doubled(statistic: Statistic) -> Statistic:
        return lambda often: statistic(np.hstack([often, often]) * parts)

    twice = np.r_[known, known]
    return {
        "accuracy": figure(doubled(weighted_mean(label)), seen),
        "usd_per_1000": figure(lambda often: weighted_mean(1000 * observed.costs_usd[known, at])(often * weight), seen),
        "auc": figure(doubled(weighted_auroc(chance[twice], label)), seen),
        "length_auc": figure(doubled(weighted_auroc(-observed.lengths[twice], label)), seen),
        "calibration_error": figure(doubled(weighted_calibration_error(chance[twice], label)), seen),
    }
