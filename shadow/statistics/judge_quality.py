"""How good is a judge on labelled pairs? AUROC, accuracy, kappa and calibration error, with intervals resampled by question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_BINS = 10
_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure with its 95 % bootstrap interval. value: None where it is not defined (one kind of label, nobody decided)."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeQuality:
    """Figures of a judge on n labelled pairs of which `decided` got a verdict. length_auroc: "the shorter is better" alone."""

    n: int
    decided: int
    clusters: int
    label_rate: float
    auroc: Figure
    accuracy: Figure
    kappa: Figure
    calibration_error: Figure
    length_auroc: Figure
    gain_over_length: Figure  # AUROC minus that of length, resampled together
    accepted_agreement: Figure  # share of the accepted that people accept
    rejected_agreement: Figure  # share of the rejected that people reject


def measure(
    scores: Sequence[float],
    accepted: Sequence[bool | None],
    labels: Sequence[int],
    lengths: Sequence[int],
    clusters: Sequence[str],
    *,
    rng: np.random.Generator,
    resamples: int = 1_000,
) -> JudgeQuality:
    """All figures of one set of pairs. scores: calibrated probabilities of all; accepted: None where the judge abstained.

    Intervals resample whole clusters (all pairs of a question), since pairs of one question fail together.
    """
    score, label = np.asarray(scores, dtype=float), np.asarray(labels, dtype=float)
    decided = np.array([a is not None for a in accepted], dtype=bool)
    agree = np.array([float(bool(a) == bool(y)) for a, y in zip(accepted, labels, strict=True)])
    accept = np.array([float(bool(a)) for a in accepted])
    names, cluster = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    weights = cluster_weights(cluster, len(names), rng=rng, resamples=resamples) if len(score) else np.ones((1, 0))
    auroc = weighted_auroc(score, label)
    length = weighted_auroc(-np.asarray(lengths, dtype=float), label)
    return JudgeQuality(
        n=len(score),
        decided=int(decided.sum()),
        clusters=len(names),
        label_rate=float(label.mean()) if len(label) else float("nan"),
        auroc=resampled(auroc, weights),
        accuracy=resampled(_masked(weighted_mean(agree), decided), weights),
        kappa=resampled(_masked(weighted_kappa(accept, label), decided), weights),
        calibration_error=resampled(weighted_calibration_error(score, label), weights),
        length_auroc=resampled(length, weights),
        gain_over_length=resampled(lambda w: auroc(w) - length(w), weights),
        accepted_agreement=resampled(_masked(weighted_mean(agree), decided & (accept == 1)), weights),
        rejected_agreement=resampled(_masked(weighted_mean(agree), decided & (accept == 0)), weights),
    )


def cluster_weights(cluster: NDArray[np.intp], count: int, *, rng: np.random.Generator, resamples: int) -> Floats:
    """How often each pair occurs in each resample of whole clusters: shape (resamples + 1, pairs), the first row all ones."""
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=resamples)
    return np.vstack([np.ones(len(cluster)), drawn[:, cluster]])


Statistic = Callable[[Floats], Floats]


def weighted_auroc(score: Floats, label: Floats) -> Statistic:
    """AUROC as a function of weights of shape (resamples, pairs); ties count one half, NaN with one kind of label only.

    Sorted once: each resample then needs only sums, not a new ranking.
    """
    order = np.argsort(score, kind="stable")
    _, first = np.unique(score[order], return_index=True)
    positive = label[order] == 1

    def statistic(weights: Floats) -> Floats:
        if len(first) == 0:
            return np.full(len(weights), np.nan)
        ordered = weights[:, order]
        ups = np.add.reduceat(ordered * positive, first, axis=1)
        downs = np.add.reduceat(ordered * ~positive, first, axis=1)
        below = np.cumsum(downs, axis=1) - downs
        wins = (ups * (below + 0.5 * downs)).sum(axis=1)
        return _ratio(wins, ups.sum(axis=1) * downs.sum(axis=1))

    return statistic


def weighted_mean(values: Floats) -> Statistic:
    """The mean as a function of weights."""
    return lambda weights: _ratio(weights @ values, weights.sum(axis=1))


def weighted_kappa(accept: Floats, label: Floats) -> Statistic:
    """Cohen's kappa of verdict and label as a function of weights; NaN where chance agreement is complete."""

    def statistic(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        both = _ratio(weights @ (accept * label + (1 - accept) * (1 - label)), total)
        accepted, acceptable = _ratio(weights @ accept, total), _ratio(weights @ label, total)
        chance = accepted * acceptable + (1 - accepted) * (1 - acceptable)
        return _ratio(both - chance, 1 - chance)

    return statistic


def weighted_calibration_error(score: Floats, label: Floats, bins: int = _BINS) -> Statistic:
    """Expected calibration error over bins of equal width: mean of |share acceptable - mean probability|, by bin weight."""
    place = np.minimum((score * bins).astype(int), bins - 1)
    member = np.eye(bins)[place] if len(score) else np.zeros((0, bins))

    def statistic(weights: Floats) -> Floats:
        gap = np.abs((weights * (label - score)) @ member)
        return _ratio(gap.sum(axis=1), weights.sum(axis=1))

    return statistic


def _masked(statistic: Statistic, keep: NDArray[np.bool_]) -> Statistic:
    return lambda weights: statistic(weights * keep)


def _ratio(above: Floats, below: Floats) -> Floats:
    result = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


def resampled(statistic: Statistic, weights: Floats) -> Figure:
    """Value on the data themselves (row 0), percentile interval over the resamples in which it is defined."""
    values = np.concatenate([statistic(chunk) for chunk in np.array_split(weights, max(1, weights.size // 4_000_000))])
    value, drawn = values[0], values[1:][~np.isnan(values[1:])]
    if np.isnan(value):
        return Figure(value=None, low=None, high=None)
    if len(drawn) == 0:
        return Figure(value=float(value), low=None, high=None)
    low, high = np.quantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Figure(value=float(value), low=float(low), high=float(high))
