"""What would be lost, and what saved, if a query type were served by a cheaper tier?

Judged on mirrored answers, so this is a finding, not a certificate: judges err, and what they call a loss may be a matter of
wording. Where a tier's answers are the reference themselves, how often its own second answer is rejected is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import sqrt

from scipy.special import stdtrit

from shadow.statistics.estimate import Estimate

#: Fewest pairs for which an interval is given at all.
MIN_PAIRS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveSums:
    """Additive sums over pairs. w: 1 / inclusion probability; d in [-1, 1]: loss of the other answer; s, c: USD that the served
    and the other answer cost. Names say the product: wwsc = sum of w * w * s * c."""

    pairs: float
    w: float
    wd: float
    ww: float
    wwd: float
    wwdd: float
    ws: float
    wc: float
    wwss: float
    wwsc: float
    wwcc: float


MOVE_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(MoveSums))


def mean_loss(sums: MoveSums, *, level: float = 0.95) -> Estimate | None:
    """The mean of d, with its interval; None below two pairs.

    Self-normalised mean. Each end is computed as if one more pair had been seen, of loss 1 for the upper and of loss -1 for the
    lower end: losses are rare, and a run without any does not mean that there are none. Student's t with Kish's effective n.
    Source: Hajek 1971; Agresti and Min 2005 for the pseudo-pairs.
    """
    mean_and_error = _mean(sums)
    if mean_and_error is None:
        return None
    mean, squared_error = mean_and_error
    return _around(mean, squared_error, sums, level=level)


def loss_beyond(sums: MoveSums, floor: MoveSums, *, level: float = 0.95) -> Estimate | None:
    """Mean loss beyond that of answers known to be no worse (the tier's own second ones); None below two pairs of either.

    The two sets of pairs are disjoint, so the variances add up.
    """
    own, base = _mean(sums), _mean(floor)
    if own is None or base is None:
        return None
    fewer = sums if _kish(sums) <= _kish(floor) else floor
    found = _around(own[0] - base[0], own[1] + base[1], fewer, level=level)
    return replace(found, n=round(sums.pairs), effective_n=_kish(sums))


def saved_share(sums: MoveSums, *, level: float = 0.95) -> Estimate | None:
    """Share of the served cost that the other tier's answers would have saved (negative: they are dearer), with its interval.

    Ratio estimator, delta method. None below two pairs, or where the served answers cost nothing.
    Source: Cochran 1977, ch. 6.
    """
    if sums.pairs < 2 or sums.ws <= 0.0:
        return None
    ratio = sums.wc / sums.ws
    spread = max(0.0, sums.wwcc - 2 * ratio * sums.wwsc + ratio**2 * sums.wwss)
    error = sqrt(spread * sums.pairs / (sums.pairs - 1.0)) / sums.ws
    half = float(stdtrit(max(1.0, _kish(sums) - 1.0), (1.0 + level) / 2.0)) * error
    value = 1.0 - ratio
    return Estimate(value=value, low=value - half, high=value + half, n=round(sums.pairs), level=level, method="ratio")


def _mean(sums: MoveSums) -> tuple[float, float] | None:
    """Mean of d and its squared error."""
    if sums.pairs < 2 or sums.w <= 0.0:
        return None
    mean = sums.wd / sums.w
    typical = sums.w / sums.pairs
    spread = sums.wwdd - 2 * mean * sums.wwd + mean**2 * sums.ww
    spread += typical**2 * ((1.0 - mean) ** 2 + (1.0 + mean) ** 2) / 2.0
    return mean, max(0.0, spread) * sums.pairs / (sums.pairs - 1.0) / sums.w**2


def _around(mean: float, squared_error: float, sums: MoveSums, *, level: float) -> Estimate:
    n = _kish(sums)
    half = float(stdtrit(max(1.0, n - 1.0), (1.0 + level) / 2.0)) * sqrt(squared_error)
    up, down = (1.0 - mean) / (sums.pairs + 1.0), (1.0 + mean) / (sums.pairs + 1.0)
    return Estimate(
        value=mean,
        low=min(mean, max(-1.0, mean - down - half)),
        high=max(mean, min(1.0, mean + up + half)),
        n=round(sums.pairs),
        level=level,
        method="judge_only",
        effective_n=n,
        corrected=False,
    )


def _kish(sums: MoveSums) -> float:
    """Equally weighted pairs that these are worth."""
    return sums.w**2 / sums.ww if sums.ww > 0.0 else 0.0
