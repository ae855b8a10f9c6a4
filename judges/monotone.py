"""How does a judge's score become a probability without losing its order? Monotone curves fitted on labels."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DIGITS = 6  # of scores kept: knots nearer than that are one
_EDGE = 0.02  # how much of the way to 0 or 1 the curve still rises beyond its outermost knots, so that order is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A strictly increasing, piecewise linear map from [0, 1] into (0, 1). scores: knots, ascending; n: labels behind it."""

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    n: int

    def __call__(self, score: float) -> float:
        """P(a careful human accepts) at this score."""
        xs, ys = self.scores, self.probabilities
        place = bisect.bisect_right(xs, score)
        if place == 0:
            return ys[0]
        if place == len(xs):
            return ys[-1]
        left, right = xs[place - 1], xs[place]
        share = (score - left) / (right - left)
        return ys[place - 1] + share * (ys[place] - ys[place - 1])

    def to_json(self) -> dict[str, Any]:
        """The form kept in a calibration file."""
        return {"scores": list(self.scores), "probabilities": list(self.probabilities), "n": self.n}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Curve:
        """Read back. Raises: KeyError, TypeError, ValueError where it is no increasing curve within (0, 1)."""
        xs, ys = tuple(map(float, value["scores"])), tuple(map(float, value["probabilities"]))
        if len(xs) != len(ys) or len(xs) < 2 or any(b <= a for a, b in itertools.pairwise(xs)):
            raise ValueError("a curve needs two or more ascending scores, each with a probability")
        if any(b < a for a, b in itertools.pairwise(ys)) or not 0 < ys[0] <= ys[-1] < 1:
            raise ValueError("probabilities have to rise within (0, 1)")
        return cls(scores=xs, probabilities=ys, n=int(value["n"]))


def blend(one: Curve, other: Curve, share: float) -> Curve:
    """share x one + (1 - share) x other, at the knots of both. share: in [0, 1]; n: that of `one`."""
    scores = tuple(sorted({*one.scores, *other.scores}))
    probabilities = tuple(round(share * one(s) + (1 - share) * other(s), 7) for s in scores)
    return Curve(scores=scores, probabilities=probabilities, n=one.n)


def fit_curve(scores: Sequence[float], labels: Sequence[int]) -> Curve:
    """Centred isotonic regression: pool adjacent violators, then draw lines between the pools' centres.

    Each pool's rate is shrunk by one pseudo-label towards the mean of all, so that few labels never claim certainty. Pools of
    fewer than 1 % of the labels (at least 10) are merged with a neighbour: a knot has to be worth something.
    Source: Oron and Flournoy, Centered isotonic regression, 2017.
    """
    mean = (sum(labels) + 1) / (len(labels) + 2)
    pools = _pool(sorted(zip(scores, labels, strict=True)), smallest=max(10, len(labels) // 100))
    knots: list[tuple[float, float]] = []
    for weight, total_score, total_label in pools:
        knots.append((round(total_score / weight, _DIGITS), (total_label + mean) / (weight + 1)))
    xs, ys = [knots[0][0]], [knots[0][1]]
    for x, y in knots[1:]:
        if x > xs[-1]:
            xs.append(x)
            ys.append(max(y, ys[-1] + 1e-6))
    if xs[0] > 0:
        xs.insert(0, 0.0)
        ys.insert(0, ys[0] * (1 - _EDGE))
    if xs[-1] < 1:
        xs.append(1.0)
        ys.append(ys[-1] + (1 - ys[-1]) * _EDGE)
    ceiling = 1 - 1e-6
    return Curve(scores=tuple(xs), probabilities=tuple(round(min(y, ceiling), 7) for y in ys), n=len(labels))


def _pool(points: Sequence[tuple[float, int]], *, smallest: int) -> list[tuple[float, float, float]]:
    """(weight, sum of scores, sum of labels) per pool, rates rising, no pool below the smallest size."""
    pools: list[tuple[float, float, float]] = []
    for chunk in _chunks(points, smallest):
        pools.append((float(len(chunk)), sum(s for s, _ in chunk), float(sum(y for _, y in chunk))))
        while len(pools) > 1 and pools[-2][2] / pools[-2][0] >= pools[-1][2] / pools[-1][0]:
            last = pools.pop()
            before = pools.pop()
            pools.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
    return pools


def _chunks(points: Sequence[tuple[float, int]], smallest: int) -> list[Sequence[tuple[float, int]]]:
    """Runs of at least `smallest` points, equal scores never split."""
    found: list[Sequence[tuple[float, int]]] = []
    start = 0
    for i in range(1, len(points) + 1):
        ended = i == len(points) or points[i][0] != points[i - 1][0]
        if ended and i - start >= smallest:
            found.append(points[start:i])
            start = i
    if start < len(points):
        if found:
            last = found.pop()
            start -= len(last)
        found.append(points[start:])
    return found
