"""Which differences of two paired proportions are compatible with the pairs on which the two differ?

A cross-check of the upgrade's e-process: it knows nothing of looking early, and uses labels alone. Source: Tango 1998 (Stat Med
17:891-908), the score interval: the difference is tested at each value with the discordance estimated under that value.
"""

from __future__ import annotations

from math import sqrt

from scipy.optimize import brentq

from shadow.statistics.estimate import Estimate
from shadow.statistics.wilson import quantile


def score_interval(better: int, worse: int, pairs: int, *, level: float = 0.95) -> Estimate | None:
    """The difference (better - worse) / pairs with Tango's score interval, in [-1, 1]; None without pairs.

    better, worse: pairs that only the one, only the other side got right. Raises ValueError for counts that don't fit.
    """
    if better < 0 or worse < 0 or better + worse > pairs:
        raise ValueError(f"better {better} and worse {worse} must fit into {pairs} pairs")
    if pairs == 0:
        return None
    z, value = quantile(level), (better - worse) / pairs
    low = -1.0 if worse == pairs else _root(better, worse, pairs, z, -1.0, value)
    high = 1.0 if better == pairs else _root(better, worse, pairs, -z, value, 1.0)
    return Estimate(
        value=value,
        low=max(-1.0, min(low, value)),
        high=min(1.0, max(high, value)),
        n=pairs,
        labelled=pairs,
        level=level,
        method="labels_only",
    )


def _root(better: int, worse: int, pairs: int, z: float, low: float, high: float) -> float:
    """Where the score statistic equals z, between these two. It falls from one to the other."""
    edge = 1e-12
    a, b = low + edge, high - edge
    if a >= b:
        return low

    def beyond(difference: float) -> float:
        return _score(better, worse, pairs, difference) - z

    if beyond(a) * beyond(b) > 0:
        return low if z > 0 else high
    return float(brentq(beyond, a, b, xtol=1e-12))


def _score(better: int, worse: int, pairs: int, difference: float) -> float:
    """The statistic, with the chance of a pair of the kind `worse` as likely as it can be under this difference."""
    b = -better - worse + (2 * pairs - better + worse) * difference
    c = -worse * difference * (1.0 - difference)
    chance = (sqrt(max(0.0, b * b - 8 * pairs * c)) - b) / (4 * pairs)
    variance = pairs * (2 * chance + difference * (1.0 - difference))
    shift = better - worse - pairs * difference
    return 0.0 if shift == 0.0 else shift / sqrt(max(variance, 1e-300))
