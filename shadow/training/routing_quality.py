"""How well does a score choose the requests that need the top tier?

Calls go to the top tier in order of rising confidence in the cheapest one; equal confidence: the mean over all orders.

- PGR at a share of calls: the part of the gap between the tiers' accuracies that the mix recovers. APGR: its mean over all
  shares; random routing has .5, and a perfect choice may pass 1.
- CPT50, CPT80: the smallest share of calls, in [0, 1], that recovers 50 or 80 % of the gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingQuality:
    """Figures of one score. All NaN where the top tier is not better: then there is no gap to recover."""

    apgr: float
    cpt50: float
    cpt80: float


def routing_quality(confidence: Floats, weak: Floats, strong: Floats) -> RoutingQuality:
    """weak, strong: success (0 or 1) of the cheapest and of the top tier, row by row."""
    n = len(confidence)
    total = float((strong - weak).sum()) if n else 0.0
    if total <= 0:
        return RoutingQuality(apgr=float("nan"), cpt50=float("nan"), cpt80=float("nan"))
    _, group = np.unique(confidence, return_inverse=True)
    calls = np.r_[0, np.cumsum(np.bincount(group))]
    gained = np.r_[0, np.cumsum(np.bincount(group, strong - weak))]
    recovered = np.interp(np.arange(n + 1), calls, gained) / total
    return RoutingQuality(
        apgr=float(((recovered[1:] + recovered[:-1]) / 2).mean()),
        cpt50=_share_for(recovered, 0.5),
        cpt80=_share_for(recovered, 0.8),
    )


def _share_for(recovered: Floats, part: float) -> float:
    return float(np.argmax(recovered >= part - 1e-12) / (len(recovered) - 1))
