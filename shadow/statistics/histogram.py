"""How are scores and latencies distributed? Counts in fixed bins, so that the counts of parts add up; quantiles from them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from scipy.special import bdtrik

from shadow.statistics.estimate import Estimate
from shadow.statistics.sums import IntArray

#: Bins of a score in [0, 1]; bin i holds i/100 <= score < (i+1)/100, the last one 1 as well.
SCORE_BINS = 100
#: Bins of a latency, 20 to a factor of ten from 1 ms to 1,000 s: each is 12 % wide. The first and last hold what is beyond.
LATENCY_BINS, LATENCY_BINS_PER_DECADE, LATENCY_FROM_SECONDS = 120, 20, 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """counts: shape (bins,). Bin i of a latency begins at 0.001 * 10**(i/20) seconds."""

    counts: IntArray

    @property
    def n(self) -> int:
        return int(self.counts.sum())


def latency_quantile(histogram: Histogram, share: float, *, level: float = 0.95) -> Estimate | None:
    """The latency in seconds that `share` of the requests stay within, with an interval; None below one request.

    The interval is that of order statistics, widened to whole bins; high is None where there are too few requests to bound it.
    Requests are counted, not sampled: it says what another such period may show. Source: David and Nagaraja 2003, ch. 7.
    """
    n = histogram.n
    if n == 0:
        return None
    cumulative = np.cumsum(histogram.counts)
    tail = (1.0 - level) / 2.0
    # The rank of the true quantile is binomial. NaN: no rank is that unlikely.
    first, last = (
        floor(np.nan_to_num(bdtrik(tail, n, share))),
        ceil(np.nan_to_num(bdtrik(1.0 - tail, n, share), nan=n)) + 1,
    )

    def bin_of(rank: float) -> int:
        return int(np.searchsorted(cumulative, min(max(rank, 1.0), n)))

    middle = bin_of(n * share)
    before = float(cumulative[middle] - histogram.counts[middle])
    within = (max(n * share, 1.0) - before) / float(histogram.counts[middle])
    return Estimate(
        value=_seconds(middle + min(max(within, 0.0), 1.0)),
        low=_seconds(bin_of(first)) if first >= 1 else 0.0,
        high=_seconds(bin_of(last) + 1) if last <= n else None,
        n=n,
        level=level,
        method="order_statistics",
    )


def _seconds(position: float) -> float:
    return float(LATENCY_FROM_SECONDS * 10 ** (position / LATENCY_BINS_PER_DECADE))
