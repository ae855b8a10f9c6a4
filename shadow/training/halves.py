"""What does training of this kind give on average? Trained on one half, measured on the other, for many seeded halves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.scorers import confidences
from shadow.judging.pair_file import side_of
from shadow.outcome_file import OutcomeRow
from shadow.statistics.judge_quality import weighted_calibration_error
from shadow.training.evaluation import FIGURES
from shadow.training.fit import Design, chances_of, fit
from shadow.training.observed import of_rows
from shadow.training.resampling import Figure, Floats
from shadow.training.routing_quality import routing_quality

_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """What one pair of halves gave: figures in the order of FIGURES, calibration errors in the order of the tiers."""

    rows: int
    learned: Floats
    length: Floats
    calibration_errors: Floats


def half(rows: Sequence[OutcomeRow], known: Design, *, seed: int) -> Half:
    """Train on side a, measure on side b. known: the numbers of all rows."""
    side = np.array([side_of(row.features.text, seed=seed) for row in rows])
    a, b = np.flatnonzero(side == "a"), np.flatnonzero(side == "b")
    every = of_rows(rows)
    observed = every.take(b)
    model = fit(known.take(a), every.successes[a], every.tiers, seed=seed).model
    chances = chances_of(model, known.take(b))
    score = np.array([next(iter(confidences(dict(enumerate(row))).values())) for row in chances])
    once = np.ones((1, len(b)))
    errors = [
        weighted_calibration_error(chances[:, at], observed.successes[:, at])(once)[0]
        for at in range(len(observed.tiers))
    ]
    return Half(
        rows=len(b),
        learned=_quality(score, observed.successes),
        length=_quality(-observed.lengths, observed.successes),
        calibration_errors=np.array(errors),
    )


def repeated_halves(
    rows: Sequence[OutcomeRow], known: Design, *, seed: int, repeat: int, done: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Means over the seeds seed ... seed + repeat - 1, ready for JSON. done: told after each.

    Cost: `repeat` times that of training. Source of the intervals: `mean_over_halves`.
    """
    halves = []
    for at in range(repeat):
        halves.append(half(rows, known, seed=seed + at))
        done()
    learned, length = np.array([h.learned for h in halves]), np.array([h.length for h in halves])
    errors = np.array([h.calibration_errors for h in halves])
    return {
        "repeat": repeat,
        "rows": len(rows),
        "learned": {name: mean_over_halves(learned[:, at]) for at, name in enumerate(FIGURES)},
        "length": {name: mean_over_halves(length[:, at]) for at, name in enumerate(FIGURES)},
        "difference": {name: mean_over_halves((learned - length)[:, at]) for at, name in enumerate(FIGURES)},
        "calibration_error": {tier: _at_least_zero(errors[:, at]) for at, tier in enumerate(rows[0].tiers)},
    }


def mean_over_halves(values: Floats) -> Figure:
    """Mean with a 95 % interval that knows that the halves overlap: t, with variance s^2 (1 / K + n_test / n_train), here 1.

    Source: Nadeau and Bengio, Inference for the generalization error, Machine Learning 52 (2003). None where not defined.
    """
    if not len(values) or bool(np.isnan(values).any()):
        return {"value": None, "low": None, "high": None}
    mean = float(values.mean())
    if len(values) == 1:
        return {"value": mean, "low": None, "high": None}
    from scipy.stats import t

    away = float(t.ppf((1 + _LEVEL) / 2, len(values) - 1)) * float(values.std(ddof=1)) * math.sqrt(1 / len(values) + 1)
    return {"value": mean, "low": mean - away, "high": mean + away}


def _quality(score: Floats, successes: NDArray[np.float64]) -> Floats:
    return np.array(list(asdict(routing_quality(score, successes[:, 0], successes[:, -1])).values()))


def _at_least_zero(values: Floats) -> Figure:
    found = mean_over_halves(values)
    return {**found, "low": None if found["low"] is None else max(0.0, found["low"])}
