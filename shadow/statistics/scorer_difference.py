"""Which of two scores routes better, on the same requests?

Calls go to the top tier in order of rising confidence in a cheaper one. Where a share q of them goes there, the loss of the
others remains; its mean over all shares q is `E[loss * F(score)]`, with F the score's own distribution function: `(1 - APGR)`
times the mean loss. So two scores are compared at equal numbers of calls, whatever their scale, and also where the cheap tier
loses nothing.

The interval is Student's, from the influence of whole clusters: F is estimated on the same requests, which the influence
`loss_i F(s_i) + E[loss 1(score > s_i)] - 2 theta` takes into account. Source: Hoeffding (1948), the projection of a U-statistic.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from shadow.statistics.sums import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """low <= value <= high."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerDifference:
    """Mean losses over all shares of calls, in [-1, 1], and how much smaller the challenger's is.

    difference: above 0 where the challenger loses less. pairs: rows with a known loss, by tier below the top.
    draws: equally weighted clusters that they are worth.
    """

    difference: Interval
    champion: Interval
    challenger: Interval
    pairs: tuple[int, ...]
    draws: float
    level: float


def scorer_difference(
    losses: FloatArray,
    weights: FloatArray,
    champion: FloatArray,
    challenger: FloatArray,
    clusters: IntArray,
    *,
    level: float = 0.95,
) -> ScorerDifference | None:
    """The difference, averaged over the tiers below the top; None where a tier has no pair, or all are of one cluster.

    losses: (n, T-1), success of the top tier less that of the tier, in [-1, 1]. weights: (n, T-1), inverse inclusion
    probabilities, 0 where the loss is unknown. champion, challenger: (n, T-1), confidences. clusters: (n,), what may resemble
    each other. Raises ValueError for unequal shapes. Cost: O(n log n).
    """
    if not losses.shape == weights.shape == champion.shape == challenger.shape or len(clusters) != len(losses):
        raise ValueError("losses, weights and scores need one shape, clusters as many rows")
    known = weights > 0
    if losses.size == 0 or not known.any(axis=0).all():
        return None
    tiers = losses.shape[1]
    values, influence, share = np.zeros(2), np.zeros((len(losses), 2)), np.zeros(len(losses))
    for at in range(tiers):
        rows = known[:, at]
        loss, weight = losses[rows, at], weights[rows, at]
        share[rows] += weight / weight.sum() / tiers
        for which, scores in enumerate((champion, challenger)):
            value, of_row = _remaining_loss(loss, weight, scores[rows, at])
            values[which] += value / tiers
            influence[rows, which] += of_row / tiers
    _, cluster = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(cluster, share)
    sizes = sizes[sizes > 0]
    if len(sizes) < 2:
        return None
    draws = float(1.0 / (sizes**2).sum())
    reach = float(stdtrit(max(1.0, draws - 1.0), (1.0 + level) / 2.0))

    def interval(value: float, of_row: FloatArray) -> Interval:
        variance = float((np.bincount(cluster, of_row) ** 2).sum()) * len(sizes) / (len(sizes) - 1)
        half = reach * sqrt(variance)
        return Interval(value=value, low=max(-1.0, value - half), high=min(1.0, value + half))

    return ScorerDifference(
        difference=interval(float(values[0] - values[1]), influence[:, 0] - influence[:, 1]),
        champion=interval(float(values[0]), influence[:, 0]),
        challenger=interval(float(values[1]), influence[:, 1]),
        pairs=tuple(known.sum(axis=0).tolist()),
        draws=draws,
        level=level,
    )


def _remaining_loss(loss: FloatArray, weight: FloatArray, score: FloatArray) -> tuple[float, FloatArray]:
    """`E[loss F(score)]`, and the influence of each row on it; equal scores count half."""
    share = weight / weight.sum()
    _, group = np.unique(score, return_inverse=True)
    of_group, loss_of_group = np.bincount(group, share), np.bincount(group, share * loss)
    below = np.cumsum(of_group) - of_group / 2.0
    above = loss_of_group.sum() - np.cumsum(loss_of_group) + loss_of_group / 2.0
    value = float((share * loss * below[group]).sum())
    return value, share * (loss * below[group] + above[group] - 2.0 * value)
