"""Has the judged failure rate of a stream risen above what it was, without waiting for a report?

A stream is a tier with its pinned model and a query type. Null: its failure rate is at most a bound, the upper end of the
rate in a frozen baseline plus a tolerance. Each mirrored pair bets, in the order of the requests, once the watermark has passed
it: then its verdict is in or counts as missing. Taking verdicts in the order in which they arrive would give false alarms
wherever failures are slow. What is found is that judged accuracy fell, or that the judge changed; the same process on gold items
tells which.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from shadow.statistics.e_process import EProcess, epoch_alpha
from shadow.statistics.estimate import Undefined
from shadow.statistics.sums import BoolArray, FloatArray

FRACTIONS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7)
MIN_BASELINE_PAIRS = 2_000
WATERMARK_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Frozen. rate: judged failures of all requests then; bound: what the null says the rate is at most, in (0, 1); pairs
    behind it; largest_weight: of the sampling design, which weights are divided by."""

    rate: float
    bound: float
    pairs: int
    largest_weight: float

    def start(self) -> EProcess:
        """A process that has seen nothing."""
        return EProcess.start(tuple(fraction / self.bound for fraction in FRACTIONS))


def freeze_baseline(
    failures: FloatArray, weights: FloatArray, *, alpha: float = 0.05, tolerance: float = 0.0, largest_weight: float
) -> Baseline | Undefined:
    """The baseline of n judged pairs: failures 1 - p in [0, 1] and weights 1/inclusion, both of shape (n,).

    alpha: of this stream, see `stream_alpha`; half of it is spent here, half in the process. bound: one-sided upper 1 - alpha/2
    limit (Clopper and Pearson, at the weights' effective n), plus tolerance; a rate taken as if it were exact would give false
    alarms in .04-.28. Undefined under 2,000 pairs, or where the bound leaves no room above it.
    """
    w = weights
    sums = (float(w.sum()), float((w**2).sum()), float(failures @ w))
    return baseline_of_sums(
        failures.size, *sums, alpha=alpha, tolerance=tolerance, largest_weight=largest_weight, pairs=MIN_BASELINE_PAIRS
    )


def baseline_of_sums(
    n: int,
    sum_w: float,
    sum_ww: float,
    sum_wf: float,
    *,
    alpha: float,
    tolerance: float,
    largest_weight: float,
    pairs: int,
) -> Baseline | Undefined:
    """The same of sums over n judged pairs: of weights, their squares, and weight times failure. pairs: fewest that will do."""
    if n < pairs:
        return Undefined(reason="few_baseline_pairs", detail=f"{n} of {pairs}")
    rate, draws = sum_wf / sum_w, sum_w**2 / sum_ww
    upper = float(betaincinv(draws * rate + 1.0, max(draws * (1.0 - rate), 1e-9), 1.0 - alpha / 2.0))
    bound = upper + tolerance
    if bound >= 1.0:
        return Undefined(reason="no_room_to_rise", detail=f"{bound:.3f}")
    return Baseline(rate=rate, bound=bound, pairs=n, largest_weight=largest_weight)


def gains(baseline: Baseline, failures: FloatArray, known: BoolArray, weights: FloatArray) -> FloatArray:
    """What each pair brings to the process, shape (n,), in request order: w/w_max (failure - bound).

    failures: 1 - p where known; a pair without a verdict enters at the baseline rate. Raises ValueError for a weight above the
    largest one and a failure outside [0, 1].
    """
    share = weights / baseline.largest_weight
    if share.size and float(share.max()) > 1.0 + 1e-9:
        raise ValueError(f"a weight of {weights.max():g} is above the largest weight, {baseline.largest_weight:g}")
    failure = np.where(known, failures, baseline.rate)
    if not ((failure >= 0.0) & (failure <= 1.0)).all():
        raise ValueError("failures must lie in [0, 1]")
    gained: FloatArray = share * (failure - baseline.bound)
    return gained


def due(
    requested_seconds: FloatArray, *, taken_until: float, now: float, watermark_seconds: float = WATERMARK_SECONDS
) -> BoolArray:
    """Which pairs the watermark has passed since the last look, shape (n,). Times: of the requests, seconds on one clock.

    taken_until: watermark at the last look. A verdict that comes later than the watermark no longer counts here.
    """
    passed: BoolArray = (requested_seconds > taken_until) & (requested_seconds <= now - watermark_seconds)
    return passed


def stream_alpha(alpha: float, *, streams: int, epoch: int) -> float:
    """What one of `streams` streams may spend of alpha after its epoch-th start (1, 2, ... at changes of policy, judge or pin).

    Half of it goes into the bound of the baseline, half into the process, which fires at a wealth of 2 / stream_alpha.
    """
    if streams < 1:
        raise ValueError(f"streams must be at least 1, got {streams}")
    return epoch_alpha(alpha, epoch) / streams


def fired(process: EProcess, alpha: float) -> bool:
    """Whether the process has reached 2 / alpha, alpha being that of its stream."""
    return process.fired(alpha / 2.0)
