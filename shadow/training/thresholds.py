"""What do thresholds on this score buy, and which one reaches a target?

All policies here have one threshold for all tiers and no band: a request goes to the cheapest tier whose confidence reaches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shadow.training.observed import Observed
from shadow.training.resampling import Counts, Figure, Floats, figure_of, over_resamples

CURVE_STEPS = 10
#: Points of accuracy that may be lost against the top tier, and parts of its cost that may be spent.
LOSSES = (0.0, 0.01, 0.02, 0.05)
COST_SHARES = (0.75, 0.5, 0.25)
_FINE_STEPS = 200
_BEYOND = 2.0  # no confidence reaches it: all goes to the top tier


def cost_curve(observed: Observed, confidences: Floats, counts: Counts) -> list[dict[str, Any]]:
    """Accuracy and cost of CURVE_STEPS + 1 policies, from all on the cheapest tier to all on the top one.

    The first threshold is the least confidence in the cheapest tier, the last is beyond reach; those between are quantiles of
    the confidences in all tiers but the top one.
    """
    between = np.quantile(confidences[:, :-1], np.arange(1, CURVE_STEPS) / CURVE_STEPS)
    least = float(confidences[:, 0].min())
    limits = [least, *np.maximum(between, least).tolist(), _BEYOND]
    policies = _Policies(observed, confidences, limits)
    accuracy, cost = policies.accuracy(counts), policies.usd_per_1000(counts)
    return [
        {
            "threshold": _shown(limit),
            "accuracy": figure_of(accuracy[:, at]),
            "usd_per_1000": figure_of(cost[:, at]),
            "shares": policies.shares(at),
        }
        for at, limit in enumerate(limits)
    ]


def threshold_advice(observed: Observed, confidences: Floats, counts: Counts) -> list[dict[str, Any]]:
    """For each target the cheapest policy that keeps the loss, or the most accurate one within the cost.

    threshold: its interval chooses anew in each resample; None: only the top tier itself reaches the target. accuracy,
    loss (against all on the top tier, paired) and usd_per_1000: of the threshold chosen on all rows, so a little flattered.
    """
    wanted = np.unique(np.quantile(confidences[:, :-1], np.linspace(0, 1, _FINE_STEPS + 1)))
    limits = [0.0, *wanted, _BEYOND]
    policies = _Policies(observed, confidences, limits)
    accuracy, cost = policies.accuracy(counts), policies.usd_per_1000(counts)
    loss = accuracy[:, -1:] - accuracy
    found = []
    for kind, target in (*(("loss", loss) for loss in LOSSES), *(("cost", share) for share in COST_SHARES)):
        if kind == "loss":
            # The dearest policy never loses: there is always one.
            chosen = np.where(loss <= target + 1e-12, cost, np.inf).argmin(axis=1)
        else:
            affordable = cost <= target * cost[:, -1:] + 1e-15
            chosen = np.where(affordable, accuracy, -1.0).argmax(axis=1)
            if not affordable[0].any():
                continue
        at = int(chosen[0])
        found.append(
            {
                "target": kind,
                "at_most": target,
                "threshold": _threshold(np.asarray(limits)[chosen]),
                "accuracy": figure_of(accuracy[:, at]),
                "loss": figure_of(loss[:, at]),
                "usd_per_1000": figure_of(cost[:, at]),
                "shares": policies.shares(at),
            }
        )
    return found


class _Policies:
    """What each limit does with each row."""

    def __init__(self, observed: Observed, confidences: Floats, limits: Sequence[float]) -> None:
        self._tiers = observed.tiers
        rows = np.arange(len(confidences))
        self._choices: list[NDArray[np.intp]] = []
        success, cost = [], []
        for limit in limits:
            reached = confidences >= limit
            reached[:, -1] = True
            choice = reached.argmax(axis=1)
            self._choices.append(choice)
            success.append(observed.successes[rows, choice])
            cost.append(1000 * observed.costs_usd[rows, choice])
        self._success, self._cost = np.array(success).T, np.array(cost).T

    def accuracy(self, counts: Counts) -> Floats:
        """(resamples + 1, limits)"""
        return _means(self._success, counts)

    def usd_per_1000(self, counts: Counts) -> Floats:
        """(resamples + 1, limits)"""
        return _means(self._cost, counts)

    def shares(self, at: int) -> dict[str, float]:
        return {tier: float((self._choices[at] == place).mean()) for place, tier in enumerate(self._tiers)}


def _means(values: Floats, counts: Counts) -> Floats:
    return over_resamples(lambda often: (often @ values) / often.sum(axis=1, keepdims=True), counts)


def _threshold(chosen: Floats) -> Figure:
    found = figure_of(np.minimum(chosen, 1.0))
    return found if chosen[0] <= 1 else {**found, "value": None}


def _shown(limit: float) -> float | None:
    return float(limit) if limit <= 1 else None
