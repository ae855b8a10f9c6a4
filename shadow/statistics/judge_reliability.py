"""Do probabilities mean what they say? Reliability by bin, and expected calibration error, with intervals by question.

Sources: DeGroot and Fienberg 1983 (the diagram); Naeini et al. 2015 (the error, bins of equal width).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shadow.statistics.judge_quality import (
    Figure,
    Floats,
    cluster_weights,
    resampled,
    weighted_calibration_error,
)
from shadow.statistics.wilson import wilson_interval

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Rows whose probability lies in [low, high), the last bin closed. share: acceptable among them, with its 95 % interval.

    clusters: how many questions the rows come from; the interval counts each once.
    """

    low: float
    high: float
    n: int
    clusters: int
    mean: float
    share: float
    share_low: float
    share_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """bins: those with rows, ascending. error: expected calibration error. mean: of the probabilities; share: acceptable."""

    n: int
    bins: tuple[Bin, ...]
    error: Figure
    mean: float
    share: float


def reliability(
    probabilities: Sequence[float],
    labels: Sequence[int],
    clusters: Sequence[str],
    *,
    rng: np.random.Generator,
    resamples: int = 1_000,
) -> Reliability | None:
    """How probabilities and labels (1 = acceptable) agree; None without rows. clusters: of each row, resampled as one.

    Cost: resamples x rows.
    """
    if not len(probabilities):
        return None
    probability, label = np.asarray(probabilities, dtype=float), np.asarray(labels, dtype=float)
    names, cluster = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    weights = cluster_weights(cluster, len(names), rng=rng, resamples=resamples)
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    return Reliability(
        n=len(probability),
        bins=tuple(_bin(int(b), probability, label, cluster, place == b) for b in np.unique(place)),
        error=resampled(weighted_calibration_error(probability, label, BINS), weights),
        mean=float(probability.mean()),
        share=float(label.mean()),
    )


def _bin(number: int, probability: Floats, label: Floats, cluster: NDArray[np.intp], inside: NDArray[np.bool_]) -> Bin:
    share = float(label[inside].mean())
    distinct = len(np.unique(cluster[inside]))
    low, high = wilson_interval(share, distinct)
    return Bin(
        low=number / BINS,
        high=(number + 1) / BINS,
        n=int(inside.sum()),
        clusters=distinct,
        mean=float(probability[inside].mean()),
        share=share,
        share_low=low,
        share_high=high,
    )
