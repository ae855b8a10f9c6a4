"""What would a person say? A simulated reviewer who knows the truth and errs now and then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shadow.lab.seeds import unit
from shadow.statistics.reviewer import Reviewer


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedReviewer:
    """Someone who labels answers. error: chance of the wrong label, either way, in [0, 1]."""

    name: str = "lab-reviewer"
    seed: int = 1
    error: float = 0.03

    def label(self, sample_id: str, which: str, truth: bool) -> int:
        """1 = acceptable, 0 = not. The same answer, shown to the same reviewer again, gets the same label."""
        errs = unit(self.seed, "label", self.name, sample_id, which) < self.error
        return int(truth != errs)

    def gold_check(self, n: int, rng: np.random.Generator) -> Reviewer:
        """The record on `n` gold answers, half of them bad (the odd one is bad too)."""
        bad = n - n // 2
        good = n // 2
        return Reviewer(
            false_accepts=int(rng.binomial(bad, self.error)),
            gold_bad=bad,
            false_rejects=int(rng.binomial(good, self.error)),
            gold_good=good,
        )
