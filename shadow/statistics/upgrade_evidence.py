"""Is a candidate model no worse than the pinned one on the same requests, or plainly worse, whenever one looks?

D = accept(candidate) - accept(pinned) in {-1, 0, 1}; judges give D_judge in [-1, 1] for each pair, labels D for some, drawn with
chance eta. Z = D_judge + (R/eta)(D - D_judge) has the mean of D whatever the judge's errors, and is bounded, so two gamblers
can bet on it: one against "the candidate is worse by the margin or more", one against "it is not worse".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from shadow.statistics.e_process import EProcess
from shadow.statistics.sums import BoolArray, FloatArray

FRACTIONS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7)
MARGIN = 0.05
ALPHA = 0.05
MIN_LABEL_INCLUSION = 0.25
CAP_PAIRS = 5_000

Verdict = Literal["not_worse", "worse", "open", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeEvidence:
    """Both processes. least: the smallest Z that can occur, -1 with the truth of all, 1 - 2/eta with labels on a part."""

    margin: float
    least: float
    not_worse: EProcess
    harm: EProcess

    @classmethod
    def start(cls, *, label_inclusion: float = 1.0, margin: float = MARGIN) -> Self:
        """Nothing seen yet. label_inclusion: the smallest eta of the design, at least .25.

        Raises ValueError for numbers out of range: too few labels make Z so wide that nothing can be shown.
        """
        if not MIN_LABEL_INCLUSION <= label_inclusion <= 1.0:
            raise ValueError(f"label_inclusion must lie in [{MIN_LABEL_INCLUSION}, 1], got {label_inclusion}")
        if not 0.0 < margin < 1.0:
            raise ValueError(f"margin must lie in (0, 1), got {margin}")
        least = 1.0 - 2.0 / label_inclusion
        return cls(
            margin=margin,
            least=least,
            not_worse=EProcess.start(tuple(fraction / (-least - margin) for fraction in FRACTIONS)),
            harm=EProcess.start(tuple(fraction / -least for fraction in FRACTIONS)),
        )

    @property
    def pairs(self) -> int:
        return self.harm.draws

    def advance(self, z: FloatArray) -> UpgradeEvidence:
        """After these further pairs, in request order. Raises ValueError for a Z outside the range of the design."""
        if z.size and float(np.abs(z).max()) > -self.least + 1e-9:
            raise ValueError(f"a gain is outside the range of the design, +-{-self.least:g}")
        return UpgradeEvidence(
            margin=self.margin,
            least=self.least,
            not_worse=self.not_worse.advance(z + self.margin),
            harm=self.harm.advance(-z),
        )

    def verdict(self, *, alpha: float = ALPHA, cap_pairs: int = CAP_PAIRS) -> Verdict:
        """Harm goes first; undecided at the cap is inconclusive, not rejected."""
        if self.harm.fired(alpha):
            return "worse"
        if self.not_worse.fired(alpha):
            return "not_worse"
        return "inconclusive" if self.pairs >= cap_pairs else "open"


def corrected_difference(
    judged: FloatArray, labelled: BoolArray, label: FloatArray, label_inclusion: FloatArray
) -> FloatArray:
    """Z of each pair, shape (n,): D_judge where there is no label, put right by it where there is one.

    judged: D_judge in [-1, 1]; label: D in {-1, 0, 1} where labelled; label_inclusion: eta in [.25, 1].
    """
    correction = np.divide(label - judged, label_inclusion, out=np.zeros_like(judged), where=labelled)
    return judged + correction
