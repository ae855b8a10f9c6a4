"""Which calibration do these labels support? Judges are asked as the panel would; curves and weights follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from judges.calibration import ANY, Calibration, Combination, combination_key, expit, logit
from judges.contracts import Comparison, Judgment
from judges.errors import NotEnoughLabels
from judges.monotone import Curve, fit_curve
from judges.panel import Panel

MIN_LABELS = 50
_MIN_TYPE_LABELS = 150  # a query type of its own needs more than a share of all
_MIN_BOTH = 5  # of each label, for weights
_RIDGE = 3.0
_Fitted = TypeVar("_Fitted")


async def fit_calibration(
    panel: Panel,
    comparisons: Sequence[Comparison],
    labels: Sequence[int],
    *,
    provenance: Mapping[str, Any],
    progress: Callable[[str], None] | None = None,
) -> tuple[Calibration, list[list[Judgment]]]:
    """A calibration fitted on labels (1 = acceptable), and what the judges said. Raises: NotEnoughLabels.

    Judges are asked in the panel's order, and each only about pairs that the cheaper ones, as fitted so far, leave open: so a
    curve is fitted on the pairs that its judge will see. Cost: whatever the judges cost.
    """
    if len(labels) < MIN_LABELS or len(set(labels)) < 2:
        kinds = len(set(labels))
        raise NotEnoughLabels(
            f"{len(labels)} labels of {kinds} kind(s); a calibration needs {MIN_LABELS} and both 0 and 1"
        )
    types = [c.query_type for c in comparisons]
    calibration = Calibration(
        base_rates=_per_type(types, list(range(len(labels))), labels, lambda rows: _rate(rows, labels)),
        provenance=provenance,
    )
    said = [panel.opening(c) for c in comparisons]
    calibration = _with_curves(calibration, said, types, labels)
    for judge in panel.judges:
        if progress is not None:
            progress(judge.name)
        await panel.with_calibration(calibration).ask(judge, comparisons, said)
        calibration = _with_curves(calibration, said, types, labels)
    return calibration, said


def _with_curves(
    calibration: Calibration, said: Sequence[Sequence[Judgment]], types: Sequence[str | None], labels: Sequence[int]
) -> Calibration:
    """The calibration with curves and weights refitted to all that was said so far."""
    scores: dict[str, dict[int, float]] = {}
    for i, heard in enumerate(said):
        for judgment in heard:
            if judgment.score is not None:
                scores.setdefault(judgment.judge, {})[i] = judgment.score
    curves: dict[str, dict[str, Curve]] = {}
    for judge, by_row in scores.items():
        found = _per_type(types, list(by_row), labels, lambda rows, by_row=by_row: _curve(by_row, rows, labels))  # type: ignore[misc]
        if found:
            curves[judge] = found
    fitted = Calibration(base_rates=calibration.base_rates, curves=curves, provenance=calibration.provenance)
    groups: dict[str, list[int]] = {}
    for i, heard in enumerate(said):
        names = [j.judge for j in heard if j.score is not None]
        if names:
            groups.setdefault(combination_key(names), []).append(i)
    combinations: dict[str, dict[str, Combination]] = {}
    for key, rows in groups.items():
        found_weights = _per_type(types, rows, labels, lambda r: _weights(fitted, said, types, r, labels))
        if found_weights:
            combinations[key] = found_weights
    return Calibration(
        base_rates=calibration.base_rates, curves=curves, combinations=combinations, provenance=calibration.provenance
    )


def _per_type(
    types: Sequence[str | None], rows: Sequence[int], labels: Sequence[int], fit: Callable[[Sequence[int]], _Fitted]
) -> dict[str, _Fitted]:
    """What `fit` makes of all rows together, and of each query type that has labels enough for itself."""
    by_type: dict[str, list[int]] = {ANY: list(rows)}
    for i in rows:
        kind = types[i]
        if kind:
            by_type.setdefault(kind, []).append(i)
    found: dict[str, _Fitted] = {}
    for kind, members in by_type.items():
        positives = sum(labels[i] for i in members)
        enough = MIN_LABELS if kind == ANY else _MIN_TYPE_LABELS
        if len(members) >= enough and min(positives, len(members) - positives) >= _MIN_BOTH:
            found[kind] = fit(members)
    return found


def _rate(rows: Sequence[int], labels: Sequence[int]) -> float:
    """Share of acceptable answers, with one pseudo-label of each kind."""
    return round((sum(labels[i] for i in rows) + 1) / (len(rows) + 2), 4)


def _curve(scores: Mapping[int, float], rows: Sequence[int], labels: Sequence[int]) -> Curve:
    return fit_curve([scores[i] for i in rows], [labels[i] for i in rows])


def _weights(
    curves: Calibration,
    said: Sequence[Sequence[Judgment]],
    types: Sequence[str | None],
    rows: Sequence[int],
    labels: Sequence[int],
) -> Combination:
    """Logistic regression on the judges' calibrated log-odds, weights held at zero or more and drawn to their mean."""
    from scipy.optimize import minimize

    judges = sorted({j.judge for j in said[rows[0]] if j.score is not None})
    evidence = np.array(
        [[logit(p) for judge in judges if (p := _of(curves, said[i], judge, types[i])) is not None] for i in rows]
    )
    truth = np.array([labels[i] for i in rows], dtype=float)
    prior = np.array([0.0, *[1 / math.sqrt(len(judges))] * len(judges)])

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = theta[0] + evidence @ theta[1:]
        residual = np.array([expit(z) for z in log_odds]) - truth
        away = theta - prior
        value = float(np.logaddexp(0, log_odds).sum() - truth @ log_odds + _RIDGE / 2 * away @ away)
        return value, np.concatenate([[residual.sum()], evidence.T @ residual]) + _RIDGE * away

    found = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[(None, None), *[(0.0, None)] * len(judges)])
    weights = {judge: round(float(w), 5) for judge, w in zip(judges, found.x[1:], strict=True)}
    return Combination(intercept=round(float(found.x[0]), 5), weights=weights, n=len(rows))


def _of(curves: Calibration, heard: Sequence[Judgment], judge: str, query_type: str | None) -> float | None:
    return next((curves.one(j, query_type) for j in heard if j.judge == judge), None)
