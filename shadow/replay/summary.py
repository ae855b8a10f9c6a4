"""What do many runs say together? Means with their errors, and how often intervals held the truth."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from scipy.special import stdtrit

from shadow.replay.population import Floats
from shadow.statistics.wilson import wilson_interval

#: What intervals at level .95 are held to, and how sure a finding about them has to be.
BAR = (0.93, 0.97)
MONTE_CARLO_LEVEL = 0.99
Json = dict[str, Any]


def spread(values: Floats) -> Json:
    """The mean over runs with its 95 % interval (low, high), and where 95 % of single runs lie (run_low, run_high).

    Runs without a value (NaN) are left out and counted. None where nothing can be said, as of the spread of a single run.
    """
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    found: Json = {"value": None, "low": None, "high": None, "run_low": None, "run_high": None, "runs": int(known.size)}
    if known.size == 0:
        return found
    found["value"] = mean = float(known.mean())
    if known.size > 1:
        half = float(stdtrit(known.size - 1, 0.975)) * float(known.std(ddof=1)) / sqrt(known.size)
        low, high = np.quantile(known, [0.025, 0.975])
        found |= {"low": mean - half, "high": mean + half, "run_low": float(low), "run_high": float(high)}
    return found


def share(hits: Floats) -> Json:
    """Share of runs (NaN: left out) with its 99 % Monte Carlo interval."""
    known = hits[~np.isnan(hits)]
    if known.size == 0:
        return {"value": None, "low": None, "high": None, "runs": 0, "level": MONTE_CARLO_LEVEL}
    value = float(known.mean())
    low, high = wilson_interval(value, known.size, level=MONTE_CARLO_LEVEL)
    return {"value": value, "low": low, "high": high, "runs": int(known.size), "level": MONTE_CARLO_LEVEL}


def coverage(hits: Floats) -> Json:
    """`share` with a finding: `holds` unless the whole Monte Carlo interval lies outside the bar; else `misses`, or `too wide`
    above it. `undecided`: fewer than 100 runs."""
    found = share(hits)
    if found["runs"] < 100:
        finding = "undecided" if found["runs"] else None
    elif found["high"] < BAR[0]:
        finding = "misses"
    else:
        finding = "too wide" if found["low"] > BAR[1] else "holds"
    return {**found, "finding": finding}


def allowance(rate: float, runs: int) -> float:
    """The largest share of runs that is still compatible with this rate: rate + 2.33 standard errors."""
    return rate + 2.33 * sqrt(rate * (1 - rate) / runs)
