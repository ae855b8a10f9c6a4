"""Which tier is both dearer and worse than another one, so that nothing should be sent there?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shadow.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Dominated:
    """tier: the dearer and worse one; by: the other. worse: accuracy of `by` minus that of `tier`, on the same requests."""

    tier: str
    by: str
    worse: Estimate
    extra_usd: float


def dominated_tiers(
    cost_usd: Mapping[str, Estimate], difference: Mapping[tuple[str, str], Estimate]
) -> list[Dominated]:
    """Tiers that another one beats on both counts, each beyond its interval, the worst first.

    cost_usd: mean per request by tier, on comparable requests; difference: (a, b) -> mean of Y_a - Y_b on the same requests, as
    `difference.mean_difference` gives it. A pair that is missing says nothing, either way round is enough.
    """
    found = []
    for (a, b), estimate in difference.items():
        for better, worse, gap in ((a, b, estimate), (b, a, _turned(estimate))):
            dear, cheap = cost_usd.get(worse), cost_usd.get(better)
            if gap is None or dear is None or cheap is None or cheap.high is None:
                continue
            if gap.low > 0.0 and dear.low > cheap.high:
                found.append(Dominated(tier=worse, by=better, worse=gap, extra_usd=dear.value - cheap.value))
    return sorted(found, key=lambda one: one.worse.value, reverse=True)


def _turned(estimate: Estimate) -> Estimate | None:
    if estimate.high is None:
        return None
    return Estimate(
        value=-estimate.value,
        low=-estimate.high,
        high=-estimate.low,
        n=estimate.n,
        labelled=estimate.labelled,
        level=estimate.level,
        method=estimate.method,
        effective_n=estimate.effective_n,
        corrected=estimate.corrected,
    )
