"""Does a recorded judge agree with people and with itself? Agreement, kappa, order consistency, position bias, with intervals.

Rows of one prompt (both orders, say) fail together: shares get Wilson's interval with n = prompts, kappa and means are
resampled by prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

import numpy as np

from shadow.statistics.judge_quality import Figure, Floats, Statistic, cluster_weights, resampled, weighted_mean
from shadow.statistics.wilson import wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share with its interval: n rows in `prompts` prompts. value: None where there is no row."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    prompts: int


def share(hits: Sequence[bool], prompts: Sequence[str]) -> Share:
    """The share of hits. prompts: of each row; the interval counts each prompt once, however many rows it has."""
    distinct = len(set(prompts))
    if not hits:
        return Share(value=None, low=None, high=None, n=0, prompts=0)
    value = fmean(hits)
    low, high = wilson_interval(value, distinct)
    return Share(value=value, low=low, high=high, n=len(hits), prompts=distinct)


def kappa(
    said: Sequence[str], truth: Sequence[str], prompts: Sequence[str], *, rng: np.random.Generator, resamples: int
) -> Figure:
    """Cohen's kappa over any categories. value: None where chance agreement is complete or there is no row."""
    if not said:
        return Figure(value=None, low=None, high=None)
    names = sorted({*said, *truth})
    place = {name: i for i, name in enumerate(names)}
    ours, theirs = (np.eye(len(names))[[place[v] for v in values]] for values in (said, truth))
    return resampled(_kappa(ours, theirs), _weights(prompts, rng, resamples))


def lean(leanings: Sequence[float], prompts: Sequence[str]) -> Figure:
    """Half the mean of leanings in [-1, 1]: how far the share of one side is from one half.

    The difference of two shares that exclude each other, with Newcombe's interval, n = prompts: where nobody ever leaned,
    the interval still is no point. Source: Newcombe 1998, method 10.
    """
    if not leanings:
        return Figure(value=None, low=None, high=None)
    n = len(set(prompts))
    up, down = fmean(max(x, 0.0) for x in leanings), fmean(max(-x, 0.0) for x in leanings)
    (up_low, up_high), (down_low, down_high) = wilson_interval(up, n), wilson_interval(down, n)
    room = (1 - up) * (1 - down)
    together = -sqrt(up * down / room) if room > 0 else 0.0

    def reach(one: float, other: float) -> float:
        return sqrt(max(one * one - 2 * together * one * other + other * other, 0.0))

    middle = up - down
    low, high = middle - reach(up - up_low, down_high - down), middle + reach(up_high - up, down - down_low)
    return Figure(value=middle / 2, low=max(low, -1.0) / 2, high=min(high, 1.0) / 2)


def mean(values: Sequence[float], prompts: Sequence[str], *, rng: np.random.Generator, resamples: int) -> Figure:
    """The mean of the values."""
    if not values:
        return Figure(value=None, low=None, high=None)
    return resampled(weighted_mean(np.asarray(values, dtype=float)), _weights(prompts, rng, resamples))


def _kappa(ours: Floats, theirs: Floats) -> Statistic:
    def statistic(weights: Floats) -> Floats:
        total = weights.sum(axis=1, keepdims=True)
        agreed = (weights @ (ours * theirs).sum(axis=1)) / total[:, 0]
        chance = (weights @ ours / total * (weights @ theirs / total)).sum(axis=1)
        found = np.full(len(weights), np.nan)
        np.divide(agreed - chance, 1 - chance, out=found, where=chance < 1)
        return found

    return statistic


def _weights(prompts: Sequence[str], rng: np.random.Generator, resamples: int) -> Floats:
    names, cluster = np.unique(np.asarray(prompts, dtype=object).astype(str), return_inverse=True)
    return cluster_weights(cluster, len(names), rng=rng, resamples=resamples)
