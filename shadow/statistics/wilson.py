"""Which proportions are compatible with what was seen, when the draws are worth n equally weighted ones?"""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy.special import ndtri

from shadow.statistics.sums import FloatArray


def wilson_interval(proportion: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (low, high) in [0, 1]. n: any real number > 0, so effective sample sizes are welcome.

    Unlike Wald's it never leaves [0, 1] and never collapses at 0 or 1. Always holds the proportion itself.
    Source: Wilson 1927; Brown, Cai, DasGupta 2001. Raises ValueError for arguments out of range.
    """
    if not 0.0 <= proportion <= 1.0:
        raise ValueError(f"proportion must lie in [0, 1], got {proportion}")
    if not n > 0.0:
        raise ValueError(f"n must be positive, got {n}")
    z = quantile(level)
    centre = (proportion + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(proportion * (1 - proportion) / n + z * z / (4 * n * n))
    return max(0.0, min(centre - half, proportion)), min(1.0, max(centre + half, proportion))


def wilson_intervals(proportions: FloatArray, n: FloatArray, *, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """The same for many at once: lows and highs, both of the shape of `proportions` (in [0, 1]) and n (all > 0)."""
    z = quantile(level)
    centre = (proportions + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(proportions * (1 - proportions) / n + z * z / (4 * n * n))
    return np.clip(centre - half, 0.0, proportions), np.clip(centre + half, proportions, 1.0)


def quantile(level: float) -> float:
    """The two-sided normal quantile of a confidence level in (0, 1): 1.96 for .95."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie in (0, 1), got {level}")
    return float(ndtri((1.0 + level) / 2.0))
