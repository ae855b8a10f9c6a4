"""What stays the same from window to window? The population, who serves it, the sampling design and the verdicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from router.contracts import BANDS
from shadow.replay.population import Floats, Ints, Population
from shadow.replay.serving import Serving
from shadow.sampling.draws import Rates
from shadow.statistics.strata import Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """verdict: (R, T), the probability that the answer is acceptable as judges see it, NaN where they abstain.

    labels: how many are drawn in a window; None: the truth of every sample is known, and verdict is the truth.
    """

    population: Population
    serving: Serving
    rates: Rates
    requests: int
    verdict: Floats
    labels: int | None

    @property
    def tiers(self) -> tuple[str, ...]:
        return self.population.tiers

    @property
    def knows_truth(self) -> bool:
        return self.labels is None

    def keys(self) -> Ints:
        """The stratum of each row, shape (R,), index into `strata`."""
        kinds, bands = len(self.population.kinds), len(BANDS)
        found: Ints = (self.serving.tier * kinds + self.population.kind) * bands + self.serving.band
        return found

    def strata(self) -> list[Stratum]:
        """All strata, by tier, query type and band."""
        return [
            Stratum(tier=tier, query_type=kind, band=band)
            for tier in self.tiers
            for kind in self.population.kinds
            for band in range(len(BANDS))
        ]

    def truth(self) -> dict[str, float | None]:
        """Accuracy by tier over the rows that it serves, "" for all; None where it serves none."""
        right = self.population.successes[np.arange(self.population.rows), self.serving.tier]
        found: dict[str, float | None] = {"": float(right.mean())}
        for at, tier in enumerate(self.tiers):
            own = right[self.serving.tier == at]
            found[tier] = float(own.mean()) if own.size else None
        return found
