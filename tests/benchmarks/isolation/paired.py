"""Did the second run of each pair differ from the first? The median of paired ratios, with an upper bound that assumes nothing.

The bound is the sign test turned round: of n ratios in order, the k-th lies above the true median with a probability known from
coin flips alone, whatever the ratios' distribution. How runs vary with the machine is not known, so nothing rests on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, inf

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """median: of the ratios. upper: not below the true median with at least 95 % probability, infinite for fewer than 5 pairs."""

    median: float
    upper: float
    pairs: int


def median_ratio(ratios: Sequence[float], *, level: float = 0.95) -> Ratio:
    """Cost: one sort."""
    ordered = np.sort(np.asarray(ratios, dtype=float))
    place = upper_place(len(ordered), level)
    upper = inf if place is None else float(ordered[place - 1])
    return Ratio(median=float(np.median(ordered)), upper=upper, pairs=len(ordered))


def upper_place(count: int, level: float) -> int | None:
    """The smallest k for which the k-th smallest of `count` bounds the median from above at this level; None: there is none."""
    below = 0.0  # probability that fewer than k of them lie below the true median
    for k in range(1, count + 1):
        below += comb(count, k - 1) / 2**count
        if below >= level:
            return k
    return None
