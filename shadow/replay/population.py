"""What are requests drawn from? The rows of a file of outcomes, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shadow.outcome_file import OutcomeRow

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """R rows, T tiers, cheapest first, the last one on top.

    successes: (R, T), 0 or 1. costs_usd: (R, T). scores: (R, T), the router's confidence, by a scorer that has not seen the row.
    kind: (R,), index into `kinds`, the query types of the file.
    """

    tiers: tuple[str, ...]
    successes: Floats
    costs_usd: Floats
    scores: Floats
    kinds: tuple[str, ...]
    kind: Ints

    @property
    def rows(self) -> int:
        return len(self.successes)

    @property
    def top(self) -> int:
        return len(self.tiers) - 1

    def accuracy(self, served: Ints) -> float:
        """The truth: mean success where row r is answered by tier served[r]."""
        return float(self.successes[np.arange(self.rows), served].mean())

    def cost_usd(self, served: Ints) -> float:
        """Mean cost of a request, likewise."""
        return float(self.costs_usd[np.arange(self.rows), served].mean())

    def loss(self, served: Ints) -> float:
        """Mean of D = success of the top tier - success of the serving one, in [-1, 1]."""
        return float(self.successes[:, -1].mean()) - self.accuracy(served)


def population_of(rows: Sequence[OutcomeRow], scores: Floats) -> Population:
    """scores: (rows, tiers)."""
    names = [row.query_type or UNKNOWN for row in rows]
    kinds = tuple(sorted(set(names)))
    place = {name: at for at, name in enumerate(kinds)}
    return Population(
        tiers=rows[0].tiers,
        successes=np.array([row.successes for row in rows], dtype=float),
        costs_usd=np.array([row.costs_usd for row in rows], dtype=float),
        scores=scores,
        kinds=kinds,
        kind=np.array([place[name] for name in names], dtype=np.int64),
    )
