"""How is one figure with its interval written on a terminal?"""

from __future__ import annotations

from shadow.statistics.estimate import Estimate


def share(estimate: Estimate | None) -> str:
    """`87.0 % (84.1-89.5)`."""
    if estimate is None:
        return ""
    high = 1.0 if estimate.high is None else estimate.high
    return f"{estimate.value:.1%} ({estimate.low * 100:.1f}-{high * 100:.1f})"


def usd(estimate: Estimate | None) -> str:
    """`$0.0123 (0.0119-0.0127)`; "" where there is none."""
    if estimate is None:
        return ""
    if estimate.value == estimate.low == estimate.high == 0:
        return "$0"
    digits = 6 if abs(estimate.value) < 0.01 else 4
    high = "unbounded" if estimate.high is None else f"{estimate.high:.{digits}f}"
    return f"${estimate.value:.{digits}f} ({estimate.low:.{digits}f}-{high})"
