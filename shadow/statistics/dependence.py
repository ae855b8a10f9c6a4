"""What is lost because requests of one session resemble each other?"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from shadow.statistics.sums import BoolArray, FloatArray


def first_of_each(keys: Sequence[Hashable]) -> BoolArray:
    """The first row of each key, such as (session, day), shape (n,): what tests, e-processes and tuning go by."""
    seen: set[Hashable] = set()
    kept = np.zeros(len(keys), dtype=np.bool_)
    for at, key in enumerate(keys):
        kept[at] = key not in seen
        seen.add(key)
    return kept


def design_effect(values: FloatArray, weights: FloatArray, sessions: Sequence[str]) -> float:
    """Variance of the weighted mean with sessions drawn whole, over that with rows drawn one by one; at least 1.

    values, weights: shape (n,). 1.0 without spread, or with fewer than two sessions. Multiply a variance by it, or divide an
    effective n. Source: Kish 1965, sec. 5.4; linearised cluster variance.
    """
    names, place = np.unique(np.asarray(sessions, dtype=object).astype(str), return_inverse=True)
    if names.size < 2:
        return 1.0
    errors = weights * (values - float(weights @ values) / float(weights.sum()))
    alone = float(errors @ errors)
    together = float((np.bincount(place, weights=errors) ** 2).sum())
    return design_effect_of_sums(alone, together, clusters=names.size, dust=1e-24 * float(weights @ weights))


def design_effect_of_sums(alone: float, together: float, *, clusters: int, dust: float = 0.0) -> float:
    """The same from sums of squared errors, taken one by one and after adding up those of each cluster; at least 1.

    dust: a spread up to this is rounding, and so none.
    """
    if clusters < 2 or alone <= dust:
        return 1.0
    return max(1.0, together * clusters / (clusters - 1.0) / alone)
