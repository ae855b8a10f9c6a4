"""What does a request cost less under a policy than on the top tier?"""

from __future__ import annotations

from math import sqrt

import numpy as np

from shadow.statistics.estimate import Estimate
from shadow.statistics.sums import FloatArray, IntArray
from shadow.statistics.wilson import quantile


def mean_saving(costs_usd: FloatArray, tier: IntArray, weights: FloatArray, *, level: float = 0.95) -> Estimate | None:
    """Mean cost of the top tier's answer minus that of the chosen tier's, USD per request; None below two rows.

    costs_usd: (n, T); tier: (n,), where the policy sends each request; weights: requests that each row stands for.
    Hajek mean with a normal interval. Where costs are expectations their own error is not in it.
    """
    if tier.size < 2:
        return None
    saved = costs_usd[:, -1] - costs_usd[np.arange(tier.size), tier]
    total = float(weights.sum())
    mean = float(weights @ saved) / total
    error = sqrt(float((weights**2) @ (saved - mean) ** 2) * tier.size / (tier.size - 1.0)) / total
    half = quantile(level) * error
    return Estimate(value=mean, low=mean - half, high=mean + half, n=int(tier.size), level=level, method="ratio")
