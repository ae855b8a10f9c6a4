"""What are the judged verdicts of many slices worth, as counts of equally weighted draws?

Six sums of a slice are enough: `judged`, `w`, `wp`, `ww`, `wwp`, `wwpp` of `Sums`. The rate is A = sum wp / sum w; with
psi = w (p - A) / sum w its variance is V = sum psi^2, and n_V = A (1 - A) / V is the number of equally weighted draws that would
be as sure. Source: self-normalised (Hajek) mean, Sarndal, Swensson, Wretman 1992, sec. 5.7; effective n as in
`shadow.statistics.accuracy`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from shadow.statistics.accuracy import MAX_GAIN
from shadow.statistics.sums import FloatArray, IntArray
from shadow.statistics.two_phase import DUST


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sums over the judged samples of k slices, each of shape (k,). p: judged probability that the answer is acceptable."""

    judged: FloatArray
    w: FloatArray
    wp: FloatArray
    ww: FloatArray
    wwp: FloatArray
    wwpp: FloatArray

    @classmethod
    def of(cls, probabilities: FloatArray, weights: FloatArray, group: IntArray, *, groups: int) -> Self:
        """From judged samples, all of shape (n,); weights: 1/inclusion; group: slice of each, in [0, groups)."""
        w, p = weights, probabilities
        terms = {"judged": None, "w": w, "wp": w * p, "ww": w * w, "wwp": w * w * p, "wwpp": w * w * p * p}
        return cls(
            **{
                name: np.bincount(group, weights=term, minlength=groups).astype(np.float64)
                for name, term in terms.items()
            }
        )

    def __add__(self, other: Moments) -> Moments:
        return Moments(**{name: getattr(self, name) + getattr(other, name) for name in MOMENTS})

    def grouped(self, group: IntArray, *, groups: int) -> Moments:
        """The sums of unions of slices; group: union of each slice, in [0, groups)."""

        def added(term: FloatArray) -> FloatArray:
            return np.bincount(group, weights=term, minlength=groups).astype(np.float64)

        return Moments(**{name: added(getattr(self, name)) for name in MOMENTS})

    @property
    def accuracy(self) -> FloatArray:
        """A, shape (k,), in [0, 1]; 0 where nothing was judged: look at `judged` first."""
        mean: FloatArray = np.divide(self.wp, self.w, out=np.zeros_like(self.w), where=self.w > 0)
        return np.clip(mean, 0.0, 1.0)

    def effective_n(self, design_effect: float = 1.0) -> FloatArray:
        """n_V, shape (k,), divided by the design effect of sessions; 0 where nothing was judged.

        At most 20 times what the weights are worth, and that itself where the verdicts have no spread. With fewer than a hundred
        verdicts never more than these: a handful that happen to agree must not pass for many.
        """
        a = self.accuracy
        known = self.w > 0
        draws = np.divide(self.w**2, self.ww, out=np.zeros_like(self.w), where=known)
        spread = np.maximum(self.wwpp - 2 * a * self.wwp + a * a * self.ww, 0.0)
        freedom = np.divide(self.judged, self.judged - 1.0, out=np.ones_like(a), where=self.judged > 1.0)
        variance = np.divide(spread * freedom, self.w**2, out=np.zeros_like(a), where=known)
        inside = (variance > DUST / np.maximum(draws, 1.0)) & (a > 0.0) & (a < 1.0)
        n = np.divide(a * (1.0 - a), variance, out=draws.copy(), where=inside)
        n = np.minimum(n, MAX_GAIN * draws)
        few = self.judged < 100.0
        found: FloatArray = np.where(few, np.minimum(n, self.judged), n) / design_effect
        return found


MOMENTS: tuple[str, ...] = tuple(field.name for field in fields(Moments))
