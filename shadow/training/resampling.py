"""How sure is a figure? Percentile intervals over resamples of whole questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.uint8]
Statistic = Callable[[Floats], Floats]
#: value, low and high; None where the figure is not defined.
Figure = dict[str, float | None]
_LEVEL = 0.95
_CHUNK = 4_000_000


def resample_counts(clusters: Sequence[str], *, seed: int, resamples: int) -> Counts:
    """How often each row occurs in each resample of whole clusters: (resamples + 1, rows), the first row all ones."""
    names, cluster = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    rng = np.random.default_rng(seed)
    even = np.full(len(names), 1 / max(1, len(names)))
    counts = np.ones((resamples + 1, len(cluster)), dtype=np.uint8)
    for at in range(1, resamples + 1):
        counts[at] = np.minimum(rng.multinomial(len(names), even), 255)[cluster]
    return counts


def over_resamples(statistic: Callable[[Floats], Any], counts: Counts) -> NDArray[Any]:
    """A statistic of weights (resamples, rows), in pieces that fit into memory; its first axis is that of the resamples."""
    pieces = max(1, -(-counts.size // _CHUNK))
    return np.concatenate([statistic(piece.astype(float)) for piece in np.array_split(counts, pieces)])


def figure(statistic: Statistic, counts: Counts) -> Figure:
    """Value on the data themselves with its 95 % interval."""
    return figure_of(over_resamples(statistic, counts))


def figure_of(values: Floats) -> Figure:
    """values: the first on the data themselves, the others on resamples; NaN where not defined."""
    value, resampled = float(values[0]), values[1:][~np.isnan(values[1:])]
    if np.isnan(value):
        return {"value": None, "low": None, "high": None}
    if not len(resampled):
        return {"value": value, "low": None, "high": None}
    low, high = np.quantile(resampled, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return {"value": value, "low": float(low), "high": float(high)}
