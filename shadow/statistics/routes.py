"""Which tier would answer each request of a window under other thresholds?

The decision of the router's gate for many requests at once: predicted tier by thresholds, rules and pins, band, hints, context
windows, as in `router.gate` (a test holds the two side by side). Only what the gate needs is kept of a request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from shadow.statistics.sums import BoolArray, FloatArray, IntArray

BEYOND = 2.0
"""A threshold that no score reaches: the tier is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """n requests as the gate saw them, in request order; T tiers, cheapest first, the last one on top.

    scores: (n, T-1), in [0, 1], of the tiers below the top. kind: (n,), index of the query type, in [0, kinds).
    fixed: (n,), the tier that a pin or a rule decided on, -1 for none. raised: (n,), one tier up by impact or session.
    lowered: (n,), one tier down by tolerance (and no high impact). fitting: (n, T), the tier that answers where tier t is
    chosen, because of context windows; None: each fits. band: margin above the threshold within which a request goes up.
    Raises ValueError for unequal shapes.
    """

    scores: FloatArray
    kind: IntArray
    kinds: int = 1
    fixed: IntArray | None = None
    raised: BoolArray | None = None
    lowered: BoolArray | None = None
    fitting: IntArray | None = None
    band: float = 0.0

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.scores.ndim != 2 or self.scores.shape[1] < 1:
            raise ValueError(f"scores have shape {self.scores.shape}, need (requests, tiers below the top)")
        for name in ("kind", "fixed", "raised", "lowered", "fitting"):
            array = getattr(self, name)
            if array is not None and len(array) != n:
                raise ValueError(f"{name} has {len(array)} rows, scores {n}")
        if n and not (self.kind.min() >= 0 and self.kind.max() < self.kinds):
            raise ValueError(f"kind must lie in [0, {self.kinds})")

    @property
    def n(self) -> int:
        return len(self.scores)

    @property
    def tiers(self) -> int:
        """How many, with the top one."""
        return int(self.scores.shape[1]) + 1

    def take(self, rows: IntArray | BoolArray) -> Self:
        """These requests only."""
        arrays = {
            name: array[rows]
            for name in ("scores", "kind", "fixed", "raised", "lowered", "fitting")
            if (array := getattr(self, name)) is not None
        }
        return replace(self, **arrays)


def routes(requests: Requests, thresholds: FloatArray) -> IntArray:
    """The tier that answers each request, shape (n,). thresholds: (kinds, T-1), by query type and tier below the top.

    Cost: O(n T).
    """
    top = requests.tiers - 1
    rows = np.arange(requests.n)
    needed = thresholds[requests.kind]
    reached = requests.scores >= needed
    predicted = np.where(reached.any(axis=1), reached.argmax(axis=1), top)
    below = np.minimum(predicted, top - 1)
    up = (predicted < top) & (requests.scores[rows, below] < needed[rows, below] + requests.band)
    if requests.raised is not None:
        up = up | requests.raised
    chosen = predicted + up
    if requests.lowered is not None:
        chosen = chosen - requests.lowered
    chosen = np.clip(chosen, 0, top)
    if requests.fixed is not None:
        chosen = np.where(requests.fixed >= 0, requests.fixed, chosen)
    if requests.fitting is not None:
        chosen = requests.fitting[rows, chosen]
    found: IntArray = chosen.astype(np.int64)
    return found


def all_top(kinds: int, tiers: int) -> FloatArray:
    """The thresholds under which only rules, pins and tolerance send anything below the top, shape (kinds, tiers - 1)."""
    return np.full((kinds, tiers - 1), BEYOND)
