"""How small a change could these samples show, and how many would it take?"""

from __future__ import annotations

from math import ceil, sqrt

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from shadow.statistics.estimate import Estimate
from shadow.statistics.wilson import quantile, wilson_interval


def power_of_drop(baseline: float, drop: float, n: float, *, alpha: float = 0.05) -> float:
    """Chance that a one-sided score test on n draws finds that a proportion fell from `baseline` by `drop`."""
    _require_drop(baseline, drop)
    fallen = baseline - drop
    margin = drop * sqrt(n) - float(ndtri(1.0 - alpha)) * sqrt(baseline * (1.0 - baseline))
    spread = sqrt(fallen * (1.0 - fallen))
    if spread == 0.0:
        return 1.0 if margin > 0.0 else 0.0
    return float(ndtr(margin / spread))


def needed_n(baseline: float, drop: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Draws needed to find that drop with this power. Source: normal approximation, Fleiss 1981, sec. 2.4."""
    _require_drop(baseline, drop)
    fallen = baseline - drop
    root = float(ndtri(1.0 - alpha)) * sqrt(baseline * (1.0 - baseline)) + float(ndtri(power)) * sqrt(
        fallen * (1.0 - fallen)
    )
    return max(1, ceil((root / drop) ** 2))


def minimum_detectable_drop(baseline: float, n: float, *, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """The smallest drop found with this power; None where n draws could not even show a fall to 0."""
    if power_of_drop(baseline, baseline, n, alpha=alpha) < power:
        return None
    smallest = baseline * 1e-9
    if power_of_drop(baseline, smallest, n, alpha=alpha) >= power:
        return smallest
    return float(brentq(lambda drop: power_of_drop(baseline, drop, n, alpha=alpha) - power, smallest, baseline))


def n_for_half_width(proportion: float, half_width: float, *, level: float = 0.95) -> int:
    """Draws after which Wilson's interval at this proportion is at most +- half_width wide. half_width in (0, .5)."""
    if not 0.0 < half_width < 0.5:
        raise ValueError(f"half_width must lie in (0, .5), got {half_width}")
    low, high = 1, ceil((quantile(level) / half_width) ** 2) + 1
    while low < high:  # the width shrinks with n
        middle = (low + high) // 2
        ends = wilson_interval(proportion, middle, level=level)
        low, high = (low, middle) if ends[1] - ends[0] <= 2 * half_width else (middle + 1, high)
    return low


def more_labels_needed(estimate: Estimate, half_width: float) -> int:
    """How many more labels this estimate needs for +- half_width, each worth as many draws as those so far."""
    target = n_for_half_width(estimate.value, half_width, level=estimate.level)
    if estimate.effective_n is None or estimate.effective_n >= target:
        return 0
    per_label = estimate.effective_n / max(1, estimate.labelled)
    return ceil((target - estimate.effective_n) / per_label)


def _require_drop(baseline: float, drop: float) -> None:
    if not 0.0 < drop <= baseline < 1.0:
        raise ValueError(f"need 0 < drop <= baseline < 1, got drop {drop}, baseline {baseline}")
