"""What is estimated from a window, tier by tier and for all, and what was the truth?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shadow.replay.population import Floats
from shadow.replay.stage import Stage
from shadow.replay.window import Window
from shadow.statistics.accuracy import assess, corrected, raw
from shadow.statistics.cost import Savings, cost_per_success, savings
from shadow.statistics.estimate import Estimate
from shadow.statistics.strata import Strata
from shadow.statistics.sums import Sums

#: corrected: verdicts put right by labels. raw: verdicts alone, the top tier being taken as always right in the figure for all.
#: labels_only: labels alone. uniform: `corrected` on as many samples and labels drawn from all requests alike.
FIGURES = ("corrected", "raw", "labels_only", "uniform")
RAW = FIGURES.index("raw")
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowEstimates:
    """accuracy: (tiers + 1, len(FIGURES), 3), value, low and high, the last slice being all tiers; NaN where not defined.

    counts: (tiers + 1, 4), requests, samples, verdicts, labels. reasons: (tier, figure) -> why it is not defined.
    net_usd, cost_per_success_usd: value, low, high, NaN where not defined or unbounded. net_truth_usd: what was really saved.
    """

    accuracy: Floats
    counts: Floats
    reasons: dict[tuple[str, str], str]
    net_usd: Floats
    net_truth_usd: float
    cost_per_success_usd: Floats


def estimate(stage: Stage, window: Window) -> WindowEstimates:
    """All figures of one window, as `shadow report` would give them. Cost: some milliseconds."""
    names = (*stage.tiers, "")
    top = stage.tiers[-1]
    accuracy = np.full((len(names), len(FIGURES), 3), np.nan)
    counts = np.zeros((len(names), 4))
    reasons: dict[tuple[str, str], str] = {}
    for at, name in enumerate(names):
        own = _of(window.strata, name)
        with_top = top if name in {top, ""} else None
        found = assess(own, level=LEVEL, top_tier=with_top)
        chance = corrected(_of(window.uniform, name), level=LEVEL, top_tier=with_top)
        for figure, one in enumerate((found.corrected, found.raw, found.labels_only, chance)):
            accuracy[at, figure] = triple(one)
        reasons |= {(name, figure): why.reason for figure, why in found.undefined.items()}
        judged = sum(sums.judged for sums in own.values())
        counts[at] = found.requests, found.sampled, judged, found.labelled
    overall = assess(window.strata, level=LEVEL, top_tier=top).corrected
    if stage.knows_truth:
        accuracy[:, RAW] = np.nan
    elif window.naive is not None:
        accuracy[-1, RAW] = triple(raw(window.naive, level=LEVEL))
    saved = savings(
        {tier: Sums.total(_of(window.strata, tier).values()) for tier in stage.tiers},
        top_tier=top,
        shadow_usd=window.mirror_usd,
        level=LEVEL,
    )
    return WindowEstimates(
        accuracy=accuracy,
        counts=counts,
        reasons=reasons,
        net_usd=triple(saved.net_usd if isinstance(saved, Savings) else None),
        net_truth_usd=window.all_top_usd - window.actual_usd - window.mirror_usd,
        cost_per_success_usd=triple(cost_per_success(Sums.total(window.strata.values()), overall)),
    )


def triple(found: Estimate | None) -> Floats:
    """Value, low and high as an array of shape (3,)."""
    if found is None:
        return np.full(3, np.nan)
    return np.array([found.value, found.low, np.inf if found.high is None else found.high])


def covered(estimates: Floats, truth: float | Sequence[float] | Floats) -> Floats:
    """1 or 0 by run, NaN where there was no estimate. estimates: (runs, 3). Rounding is forgiven: an interval may be a point."""
    held = np.asarray(truth)
    dust = 1e-9 * np.abs(held)
    hit = (estimates[:, 1] <= held + dust) & (held - dust <= estimates[:, 2])
    return np.where(np.isnan(estimates[:, 0]), np.nan, hit.astype(float))


def _of(strata: Strata, name: str) -> Strata:
    return strata if name == "" else {key: sums for key, sums in strata.items() if key.tier == name}
