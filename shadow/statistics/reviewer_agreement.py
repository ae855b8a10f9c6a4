"""Do two reviewers say the same of an answer, and does that fit what their gold record says of their errors?

Agreement is no accuracy: two reviewers may be wrong together. So it corrects nothing; gold checks do. But errors that are made
independently leave a trace in agreement, and where reviewers disagree more often than their gold record allows, the gold items
are easier than the traffic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy.optimize import brentq

from shadow.statistics.judge_agreement import Share, share
from shadow.statistics.judge_quality import Figure
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.wilson import quantile, wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Of answers that two reviewers labelled. agreed: raw share; kappa: Cohen's, value None where all labels are the same.

    accepted: share of the labels that are 1.
    """

    agreed: Share
    kappa: Figure
    accepted: float | None


def agreement(first: Sequence[int], second: Sequence[int], samples: Sequence[str], *, level: float = 0.95) -> Agreement:
    """first, second: labels (0, 1) of the same answers by two reviewers; samples: of each answer.

    Answers of one sample are looked at together, so intervals count each sample once. Raises ValueError for unequal lengths.
    """
    if not len(first) == len(second) == len(samples):
        raise ValueError("first, second and samples must be of equal length")
    agreed = share([a == b for a, b in zip(first, second, strict=True)], samples)
    accepted = (sum(first) + sum(second)) / (2 * len(first)) if first else None
    return Agreement(agreed=agreed, kappa=_kappa(first, second, len(set(samples)), level), accepted=accepted)


def _kappa(first: Sequence[int], second: Sequence[int], samples: int, level: float) -> Figure:
    """Cohen's kappa, with the goodness-of-fit interval of the kappa that takes reviewers as interchangeable.

    That interval keeps its coverage where a bootstrap or a normal one fails: few pairs, or no disagreement at all.
    Source: Donner and Eliasziw 1992.
    """
    n = len(first)
    if n == 0:
        return Figure(value=None, low=None, high=None)
    ones, twos = sum(first) / n, sum(second) / n
    chance = ones * twos + (1 - ones) * (1 - twos)
    if chance >= 1.0:
        return Figure(value=None, low=None, high=None)
    same = sum(a == b for a, b in zip(first, second, strict=True)) / n
    value = (same - chance) / (1 - chance)
    both = sum(a * b for a, b in zip(first, second, strict=True)) / n
    low, high = _fitting(both, 1 - same, samples, level)
    return Figure(value=value, low=min(low, value), high=max(high, value))


def _fitting(both: float, differ: float, n: float, level: float) -> tuple[float, float]:
    """The kappas under which these shares (both 1, different) of n pairs are not surprising."""
    seen = (both, differ, 1 - both - differ)
    rate = both + differ / 2
    spread = rate * (1 - rate)
    middle = 1 - differ / (2 * spread)
    bar = quantile(level) ** 2

    def surprise(kappa: float) -> float:
        expected = (rate**2 + spread * kappa, 2 * spread * (1 - kappa), (1 - rate) ** 2 + spread * kappa)
        # At the ends of kappa's range a share may be 0 where something was seen: beyond any bar.
        return sum((s - e) ** 2 / max(e, 1e-12) for s, e in zip(seen, expected, strict=True)) * n - bar

    floor = max(-rate / (1 - rate), -(1 - rate) / rate)
    return _root(surprise, floor, middle), _root(surprise, 1.0, middle)


def _root(surprise: Callable[[float], float], end: float, middle: float) -> float:
    """Where the bar is crossed between the middle and an end; the end itself where it is not."""
    return end if surprise(end) <= 0 else float(brentq(surprise, *sorted((end, middle)), xtol=1e-9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Implied:
    """How often two reviewers with this gold record would disagree if they erred independently.

    high: at the upper ends of both error rates' intervals. exceeded: reviewers disagree more often than even that, beyond chance.
    """

    value: float
    high: float
    exceeded: bool


def implied_disagreement(found: Agreement, reviewer: Reviewer | None) -> Implied | None:
    """None where reviewers are not measured on both good and bad gold items, or no answer has two labels.

    Where it is exceeded, the correction for reviewers' errors is too small. That it is not exceeded proves nothing: reviewers
    who share an error agree.
    """
    if reviewer is None or not reviewer.is_measured or found.accepted is None or found.agreed.value is None:
        return None
    a, r = reviewer.false_accept_rate, reviewer.false_reject_rate
    a_high = wilson_interval(a, reviewer.gold_bad)[1]
    r_high = wilson_interval(r, reviewer.gold_good)[1]
    high = max(_disagreement(found.accepted, a, r), _disagreement(found.accepted, min(a_high, 0.5), min(r_high, 0.5)))
    least = 1.0 - (1.0 if found.agreed.high is None else found.agreed.high)
    return Implied(value=_disagreement(found.accepted, a, r), high=high, exceeded=least > high)


def _disagreement(accepted: float, a: float, r: float) -> float:
    room = 1.0 - a - r
    good = accepted if room <= 0 else min(1.0, max(0.0, (accepted - a) / room))
    return 2 * (good * r * (1 - r) + (1 - good) * a * (1 - a))


def settled(labels: Sequence[int]) -> int | None:
    """What two or three reviewers, in the order of their labels, say together: the majority; None where two disagree."""
    said = labels[:3]
    if len(said) == 2 and said[0] != said[1]:
        return None
    return int(2 * sum(said) > len(said)) if said else None
