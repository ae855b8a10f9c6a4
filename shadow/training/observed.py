"""What is known of how the tiers did on some requests?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shadow.outcome_file import OutcomeRow

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Arrays of shape (rows, tiers), tiers cheapest first; lengths: (rows,), characters of the last user message.

    successes: in [0, 1], a chance where only a judge has spoken. weights: 0 where nothing is known. clusters: what is
    resampled as one.
    """

    tiers: tuple[str, ...]
    successes: Floats
    weights: Floats
    costs_usd: Floats
    lengths: Floats
    clusters: tuple[str, ...]

    def take(self, rows: NDArray[np.intp]) -> Observed:
        return replace(
            self,
            successes=self.successes[rows],
            weights=self.weights[rows],
            costs_usd=self.costs_usd[rows],
            lengths=self.lengths[rows],
            clusters=tuple(self.clusters[at] for at in rows.tolist()),
        )

    @property
    def complete(self) -> bool:
        """Whether the outcome of every tier is known everywhere, and counts the same."""
        return bool((self.weights == 1).all())


def of_rows(rows: Sequence[OutcomeRow]) -> Observed:
    """Logged outcomes: all tiers, all rows."""
    successes = np.array([row.successes for row in rows], dtype=float)
    return Observed(
        tiers=rows[0].tiers,
        successes=successes,
        weights=np.ones_like(successes),
        costs_usd=np.array([row.costs_usd for row in rows], dtype=float),
        lengths=np.array([len(row.features.text) for row in rows], dtype=float),
        clusters=tuple(row.cluster for row in rows),
    )
