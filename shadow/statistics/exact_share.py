"""Within which limits does a share lie, whatever it is? The exact binomial interval, for decisions on few draws."""

from __future__ import annotations

from scipy.special import betaincinv


def exact_interval(successes: int, n: int, *, level: float = 0.95) -> tuple[float, float] | None:
    """The interval of Clopper and Pearson for a share of n equally likely, independent draws; None without draws.

    Each end alone errs in at most (1 - level) / 2 of cases, at every n and every share: wider than Wilson's, which errs on
    average only. Raises ValueError for counts that can't be. Source: Clopper and Pearson, Biometrika 26 (1934).
    """
    if not 0 <= successes <= n or not 0 < level < 1:
        raise ValueError(f"{successes} of {n} at level {level}")
    if n == 0:
        return None
    half = (1 - level) / 2
    low = float(betaincinv(successes, n - successes + 1, half)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - half)) if successes < n else 1.0
    return low, high
