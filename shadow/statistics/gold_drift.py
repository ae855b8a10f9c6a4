"""Has a judge become worse at the gold set since it was frozen, looked at every day without crying wolf?

Items are compared with themselves: what counts is how many were right in the first run and are wrong today, against the reverse.
While a judge is the same, the two runs of an item can be exchanged, so each direction has chance one half (McNemar, exact). The
j-th look may spend 6 alpha / (pi^2 j^2), which adds up to alpha over any number of days, however much the looks depend on each
other; they do, as all share the first run. Source: McNemar 1947; Bonferroni over the sequence.

With the truth frozen, kappa falls only where sensitivity or specificity does, so acceptable and unacceptable items are compared
apart: agreement over all of them stays high for a judge that begins to accept everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import Any

from scipy.special import betainc

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One day's look at one stream. worse: items right at first and not today; better: the reverse; compared: all items.

    p: chance of so many worse ones or more if the judge is the same; bar: what this look may spend.
    """

    compared: int
    worse: int
    better: int
    p: float
    bar: float

    @property
    def has_drifted(self) -> bool:
        """Whether the judge has become worse."""
        return self.p <= self.bar


def look(
    first: Mapping[str, bool], today: Mapping[str, bool], *, number: int, streams: int, alpha: float = ALPHA
) -> Look:
    """Compare today's run with the first one. first, today: item -> right; items that one of them lacks are left out.

    number: of this look, from 1; streams: how many are looked at together, alpha is shared among them. Raises ValueError for
    numbers below 1.
    """
    if number < 1 or streams < 1:
        raise ValueError(f"number and streams must be at least 1, got {number} and {streams}")
    both = first.keys() & today.keys()
    worse = sum(first[item] and not today[item] for item in both)
    better = sum(today[item] and not first[item] for item in both)
    bar = spent(number, alpha=alpha) / streams
    return Look(compared=len(both), worse=worse, better=better, p=float(upper_tail(worse, worse + better)), bar=bar)


def spent(number: Any, *, alpha: float = ALPHA) -> Any:
    """How much of alpha the look of this number may spend; a number or an array."""
    return 6.0 * alpha / (pi * number) ** 2


def upper_tail(worse: Any, changed: Any) -> Any:
    """P(at least `worse` of `changed` fair coins show heads); numbers or arrays, 0 <= worse <= changed."""
    at_least_one = worse + (worse == 0)  # betainc needs a positive parameter; of none there are always at least none
    return betainc(at_least_one, changed - at_least_one + 1 + (changed == 0), 0.5) * (worse > 0) + 1.0 * (worse == 0)
