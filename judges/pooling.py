"""Which base rates, curves and weights do these labels support?

Those of a query type are drawn to those of all together, the more the fewer labels it has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from judges.calibration import NO_TYPE, Calibration, Combination, combination_key, logit
from judges.contracts import Judgment
from judges.monotone import Curve, blend, fit_curve
from judges.verdicts import ANY

MIN_LABELS = 50
_MIN_TYPE_LABELS = 20
_MIN_BOTH = 5  # of each label
_SHARED = 100.0  # labels of a query type at which its own curve and that of all count the same
_RIDGE = 3.0
_Fitted = TypeVar("_Fitted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Rows to fit on: what judges said of each so far, its query type, its label (1 = acceptable)."""

    said: Sequence[Sequence[Judgment]]
    types: Sequence[str | None]
    labels: Sequence[int]


def fitted(rows: Labelled, places: Sequence[int]) -> Calibration:
    """The calibration that the rows at these places support."""
    counts: dict[str, int] = {ANY: len(places)}
    good: dict[str, int] = {ANY: sum(rows.labels[i] for i in places)}
    scores: dict[str, dict[int, float]] = {}
    together: dict[str, list[int]] = {}
    for i in places:
        kind = rows.types[i] or NO_TYPE
        counts[kind] = counts.get(kind, 0) + 1
        good[kind] = good.get(kind, 0) + rows.labels[i]
        scored = {j.judge: j.score for j in rows.said[i] if j.score is not None}
        for judge, score in scored.items():
            scores.setdefault(judge, {})[i] = score
        if scored:
            together.setdefault(combination_key(scored), []).append(i)
    overall = (good[ANY] + 1) / (counts[ANY] + 2)
    rates = {kind: (k + _SHARED * overall) / (counts[kind] + _SHARED) for kind, k in good.items() if kind != NO_TYPE}
    curves = {judge: of_judge for judge, by_row in scores.items() if (of_judge := _curves(rows, by_row))}
    calibration = Calibration(
        base_rates={kind: round(rate, 4) for kind, rate in (rates | {ANY: overall}).items()},
        curves=curves,
        labels=counts,
    )
    weights = {key: found for key, members in together.items() if (found := _weights(calibration, rows, members))}
    return replace(calibration, combinations=weights)


def _curves(rows: Labelled, scores: Mapping[int, float]) -> dict[str, Curve]:
    """One judge's curves."""

    def fit(places: Sequence[int], of_all: Curve | None) -> Curve:
        own = fit_curve([scores[i] for i in places], [rows.labels[i] for i in places])
        return own if of_all is None else blend(own, of_all, len(places) / (len(places) + _SHARED))

    return _per_type(rows, list(scores), fit)


def _weights(calibration: Calibration, rows: Labelled, members: Sequence[int]) -> dict[str, Combination]:
    """The weights of one set of judges."""
    judges = sorted({j.judge for j in rows.said[members[0]] if j.score is not None})
    even = Combination(intercept=0.0, weights=dict.fromkeys(judges, 1 / math.sqrt(len(judges))), n=0)
    evidence = {
        i: [
            logit(p)
            for j in sorted(rows.said[i], key=lambda j: j.judge)
            if (p := calibration.one(j, rows.types[i])) is not None
        ]
        for i in members
    }

    def fit(places: Sequence[int], of_all: Combination | None) -> Combination:
        prior = of_all or even
        return _regression(
            np.array([evidence[i] for i in places]), np.array([rows.labels[i] for i in places], dtype=float), prior
        )

    return _per_type(rows, members, fit)


def _per_type(
    rows: Labelled, places: Sequence[int], fit: Callable[[Sequence[int], _Fitted | None], _Fitted]
) -> dict[str, _Fitted]:
    """What `fit` makes of all rows together, and of each query type that has labels enough for a say."""
    by_type: dict[str, list[int]] = {}
    for i in places:
        if kind := rows.types[i]:
            by_type.setdefault(kind, []).append(i)
    if not _enough(rows, places, MIN_LABELS):
        return {}
    of_all = fit(places, None)
    own = {kind: fit(at, of_all) for kind, at in by_type.items() if _enough(rows, at, _MIN_TYPE_LABELS)}
    return {ANY: of_all, **own}


def _enough(rows: Labelled, places: Sequence[int], least: int) -> bool:
    good = sum(rows.labels[i] for i in places)
    return len(places) >= least and min(good, len(places) - good) >= _MIN_BOTH


def _regression(evidence: NDArray[np.float64], truth: NDArray[np.float64], prior: Combination) -> Combination:
    """Logistic regression on the judges' calibrated log-odds, weights held at zero or more and drawn to the prior's."""
    from scipy.optimize import minimize
    from scipy.special import expit

    judges = sorted(prior.weights)
    centre = np.array([prior.intercept, *(prior.weights[judge] for judge in judges)])

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = theta[0] + evidence @ theta[1:]
        residual = expit(log_odds) - truth
        away = theta - centre
        value = float(np.logaddexp(0, log_odds).sum() - truth @ log_odds + _RIDGE / 2 * away @ away)
        return value, np.concatenate([[residual.sum()], evidence.T @ residual]) + _RIDGE * away

    found = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=[(None, None), *[(0.0, None)] * len(judges)])
    weights = {judge: round(float(w), 5) for judge, w in zip(judges, found.x[1:], strict=True)}
    return Combination(intercept=round(float(found.x[0]), 5), weights=weights, n=len(truth))
