"""How good is a trained scorer on outcomes that it has not seen, and is it better than the length of the request?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shadow.statistics.judge_quality import weighted_auroc, weighted_calibration_error
from shadow.training.routing_quality import routing_quality

Floats = NDArray[np.float64]
CURVE_STEPS = 10
FIGURES = ("apgr", "cpt50", "cpt80")


def evaluate(
    tiers: Sequence[str],
    *,
    chances: Floats,
    confidences: Floats,
    lengths: Floats,
    successes: Floats,
    costs_usd: Floats,
    clusters: Sequence[str],
    seed: int,
    resamples: int,
) -> dict[str, Any]:
    """All figures of one set of outcomes, ready for JSON. Arrays are (rows, tiers), tiers cheapest first; lengths: (rows,).

    Intervals (95 %) resample whole questions; the difference to length is taken within each resample.
    """
    drawn = _drawn_rows(clusters, seed=seed, resamples=resamples)
    whole = np.arange(len(lengths))
    learned = [_routing(confidences[:, 0], successes, rows) for rows in (whole, *drawn)]
    short = [_routing(-lengths, successes, rows) for rows in (whole, *drawn)]
    return {
        "tiers": {
            tier: _tier(chances[:, at], lengths, successes[:, at], costs_usd[:, at]) for at, tier in enumerate(tiers)
        },
        "routing": {
            "weak": tiers[0],
            "strong": tiers[-1],
            "random_apgr": 0.5,
            "learned": {name: _figure([found[name] for found in learned]) for name in FIGURES},
            "length": {name: _figure([found[name] for found in short]) for name in FIGURES},
            "difference": {
                name: _figure([mine[name] - its[name] for mine, its in zip(learned, short, strict=True)])
                for name in FIGURES
            },
        },
        "curve": cost_curve(tiers, confidences, successes, costs_usd),
    }


def cost_curve(tiers: Sequence[str], confidences: Floats, successes: Floats, costs_usd: Floats) -> list[dict[str, Any]]:
    """Accuracy and cost of CURVE_STEPS + 1 policies, from all on the cheapest tier to all on the top one.

    Each has one threshold for all tiers, and a request goes to the cheapest tier that reaches it. The thresholds are
    quantiles of the confidence in the cheapest tier; the last is beyond reach.
    """
    limits = [*np.quantile(confidences[:, 0], np.arange(CURVE_STEPS) / CURVE_STEPS), 2.0]
    points = []
    for limit in limits:
        reached = confidences >= limit
        reached[:, -1] = True
        choice = reached.argmax(axis=1)
        rows = np.arange(len(choice))
        points.append(
            {
                "threshold": float(limit) if limit <= 1 else None,
                "accuracy": float(successes[rows, choice].mean()),
                "usd_per_1000": float(1000 * costs_usd[rows, choice].mean()),
                "shares": {tier: float((choice == at).mean()) for at, tier in enumerate(tiers)},
            }
        )
    return points


def _tier(chance: Floats, lengths: Floats, success: Floats, cost_usd: Floats) -> Mapping[str, Any]:
    once = np.ones((1, len(success)))
    return {
        "accuracy": float(success.mean()),
        "usd_per_1000": float(1000 * cost_usd.mean()),
        "auc": _defined(weighted_auroc(chance, success)(once)[0]),
        "length_auc": _defined(weighted_auroc(-lengths, success)(once)[0]),
        "calibration_error": _defined(weighted_calibration_error(chance, success)(once)[0]),
    }


def _drawn_rows(clusters: Sequence[str], *, seed: int, resamples: int) -> list[NDArray[np.intp]]:
    """The rows of each resample of whole questions, a row as often as its question was drawn."""
    names, cluster = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    rng, rows = np.random.default_rng(seed), np.arange(len(cluster))
    even = np.full(len(names), 1 / len(names))
    return [np.repeat(rows, rng.multinomial(len(names), even)[cluster]) for _ in range(resamples)]


def _routing(confidence: Floats, successes: Floats, rows: NDArray[np.intp]) -> dict[str, float]:
    return asdict(routing_quality(confidence[rows], successes[rows, 0], successes[rows, -1]))


def _figure(values: Sequence[float]) -> dict[str, float | None]:
    """Value on the data themselves (the first), percentile interval over the resamples in which it is defined."""
    resampled = [value for value in values[1:] if not math.isnan(value)]
    if math.isnan(values[0]) or not resampled:
        return {"value": _defined(values[0]), "low": None, "high": None}
    low, high = np.quantile(resampled, [0.025, 0.975])
    return {"value": float(values[0]), "low": float(low), "high": float(high)}


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
