"""How often does a human reviewer err, and what does that do to an estimate made from human labels?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """A reviewer's record on gold items of known truth: accepted `false_accepts` of `gold_bad` bad answers, rejected
    `false_rejects` of `gold_good` good ones. Raises ValueError for counts that cannot be.

    Labels are put right by Y* = (Y - a) / (1 - a - r), a and r the two error rates, whose own uncertainty enters the
    variance by the delta method. Source: Rogan and Gladen 1978.
    """

    false_accepts: int
    gold_bad: int
    false_rejects: int
    gold_good: int

    def __post_init__(self) -> None:
        if not (0 <= self.false_accepts <= self.gold_bad and 0 <= self.false_rejects <= self.gold_good):
            raise ValueError(f"errors must lie between 0 and the number of gold items: {self!r}")

    @property
    def is_measured(self) -> bool:
        """Whether both error rates have been looked at."""
        return self.gold_bad > 0 and self.gold_good > 0

    @property
    def false_accept_rate(self) -> float:
        """P(accepts | bad answer); needs gold_bad > 0."""
        return self.false_accepts / self.gold_bad

    @property
    def false_reject_rate(self) -> float:
        """P(rejects | good answer); needs gold_good > 0."""
        return self.false_rejects / self.gold_good

    @property
    def informedness(self) -> float:
        """1 - a - r: 1 for a perfect reviewer, 0 for a coin."""
        return 1.0 - self.false_accept_rate - self.false_reject_rate

    def variance_of_rate(self, accuracy: float) -> float:
        """Variance that not knowing a and r exactly adds to the expected share of accepting labels at this true
        accuracy.

        That share is q = a + (1 - a - r) A, so dq = (1 - A) da - A dr.
        """
        false_accept = _smoothed_variance(self.false_accepts, self.gold_bad)
        false_reject = _smoothed_variance(self.false_rejects, self.gold_good)
        return (1.0 - accuracy) ** 2 * false_accept + accuracy**2 * false_reject


MIN_INFORMEDNESS = 0.1
"""Below this a correction divides noise by almost nothing."""


def _smoothed_variance(errors: int, items: int) -> float:
    # Jeffreys posterior: no error on 20 gold items is not a proof that there are none.
    rate = (errors + 0.5) / (items + 1.0)
    return rate * (1.0 - rate) / (items + 2.0)
