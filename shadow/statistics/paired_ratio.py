"""How many times as much does one side of a pair cost, or take, as the other?"""

from __future__ import annotations

from math import exp, sqrt

from scipy.special import stdtrit

from shadow.statistics.estimate import Estimate
from shadow.statistics.sums import FloatArray


def ratio_of_means(ours: FloatArray, theirs: FloatArray, *, level: float = 0.95) -> Estimate | None:
    """mean(ours) / mean(theirs), both of shape (n,), paired and not negative. None below two pairs or where a mean is 0.

    Interval: delta method on the logarithm, Student's t with n - 1 degrees of freedom, so it stays positive. Source: Cochran
    1977, ch. 6.
    """
    n = int(ours.size)
    if n < 2 or float(ours.mean()) <= 0.0 or float(theirs.mean()) <= 0.0:
        return None
    ratio = float(ours.mean() / theirs.mean())
    relative = ours / ours.mean() - theirs / theirs.mean()
    error = sqrt(float(relative @ relative) / (n - 1.0) / n)
    half = float(stdtrit(n - 1.0, (1.0 + level) / 2.0)) * error
    return Estimate(
        value=ratio, low=ratio * exp(-half), high=ratio * exp(half), n=n, level=level, method="ratio", effective_n=n
    )
