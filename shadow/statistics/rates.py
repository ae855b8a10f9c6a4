"""Which share of requests was moved up and why, and which share of samples got a verdict?"""

from __future__ import annotations

from collections.abc import Mapping

from shadow.statistics.estimate import Estimate
from shadow.statistics.strata import Strata
from shadow.statistics.wilson import wilson_interval


def escalation_rates(escalations: Mapping[str, int], *, requests: int) -> dict[str, Estimate] | None:
    """Share of requests served above their predicted tier, by reason; None without requests.

    Every request is counted, so the figures are exact: low = value = high, and n is the number of requests.
    A request has one reason, so the values add up to the total rate. Raises ValueError where counts exceed requests.
    """
    if min(escalations.values(), default=0) < 0 or sum(escalations.values()) > requests:
        raise ValueError(f"{sum(escalations.values())} escalations of {requests} requests")
    if requests == 0:
        return None
    return {reason: _exact(count / requests, requests) for reason, count in escalations.items()}


def coverage(strata: Strata, *, level: float = 0.95) -> Estimate | None:
    """Share of samples with a verdict (accept or reject); the rest abstained, failed or is pending. None without
    samples.

    Unweighted: it says how much of the evidence is there, not how often the panel would abstain on all traffic.
    """
    sampled = sum(sums.sampled for sums in strata.values())
    judged = sum(sums.judged for sums in strata.values())
    if sampled <= 0:
        return None
    low, high = wilson_interval(judged / sampled, sampled, level=level)
    return Estimate(
        value=judged / sampled, low=low, high=high, n=round(sampled), level=level, method="wilson", effective_n=sampled
    )


def _exact(value: float, n: int) -> Estimate:
    return Estimate(value=value, low=value, high=value, n=n, level=1.0, method="exact")
