"""What does an accepted completion cost, and what would the same traffic have cost elsewhere?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from scipy.special import stdtrit

from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.sums import Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """Against sending everything to the top tier. net = all_top - actual - shadow.

    A negative net says that routing cost more than it saved. Only all_top is estimated, so both intervals are as wide.
    """

    net_usd: Estimate
    all_top_usd: Estimate
    actual_usd: float
    shadow_usd: float


def cost_per_success(sums: Sums, accuracy: Estimate | None) -> Estimate | None:
    """All spend over accepted completions: (C/N)/A, interval [(C/N)/A_high, (C/N)/A_low].

    high is None, unbounded, where A_low = 0. sums: total over the strata that `accuracy` is about. C and N are exact,
    so accuracy brings all the uncertainty.
    None without requests, without an accuracy, or where it is estimated as 0: then nothing is known to have succeeded.
    """
    if accuracy is None or sums.requests <= 0 or accuracy.value <= 0.0:
        return None
    mean_usd = sums.cost_usd / sums.requests
    return Estimate(
        value=mean_usd / accuracy.value,
        low=mean_usd / (1.0 if accuracy.high is None else accuracy.high),
        high=mean_usd / accuracy.low if accuracy.low > 0.0 else None,
        n=accuracy.n,
        labelled=accuracy.labelled,
        level=accuracy.level,
        method="cost_per_success",
        effective_n=accuracy.effective_n,
        corrected=accuracy.corrected,
    )


def savings(
    by_tier: Mapping[str, Sums], *, top_tier: str, shadow_usd: float, level: float = 0.95
) -> Savings | Undefined:
    """What routing saved. by_tier: total sums of each tier; shadow_usd: mirror and judge spend of the same window.

    What a tier's requests would have cost on top: its spend times the ratio of reference to served token cost among its
    priced samples, or its requests times the mean reference cost, whichever varies less. Interval: delta method,
    Student's t with the fewest degrees of freedom of any tier. Undefined where a tier below the top with requests has
    fewer than two priced samples.
    Source: ratio estimator, Cochran 1977, ch. 6.
    """
    actual = sum(sums.cost_usd for sums in by_tier.values())
    if sum(sums.requests for sums in by_tier.values()) <= 0:
        return Undefined(reason="no_requests")
    all_top, variance, priced, fewest = 0.0, 0.0, 0, float("inf")
    for tier, sums in by_tier.items():
        if tier == top_tier:
            all_top += sums.cost_usd
        elif sums.requests > 0:
            if sums.priced < 2:
                return Undefined(reason="too_few_priced_pairs", detail=tier)
            estimate, squared_error = _on_top(sums)
            all_top, variance = all_top + estimate, variance + squared_error
            priced, fewest = priced + round(sums.priced), min(fewest, sums.priced)
    half = 0.0 if variance == 0.0 else float(stdtrit(fewest - 1.0, (1.0 + level) / 2.0)) * sqrt(variance)

    def around(value: float) -> Estimate:
        return Estimate(value=value, low=value - half, high=value + half, n=priced, level=level, method="ratio")

    return Savings(
        net_usd=around(all_top - actual - shadow_usd),
        all_top_usd=around(all_top),
        actual_usd=actual,
        shadow_usd=shadow_usd,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """What requests would have cost with the tiers decided for. saved = actual - cost, as wide; negative: dearer."""

    cost_usd: Estimate
    saved_usd: Estimate
    actual_usd: float


def projected_cost(by_route: Mapping[tuple[str, str], Sums], *, level: float = 0.95) -> Projection | Undefined:
    """What the requests would have cost, had the tier decided for served them. by_route: (decided, served) -> total sums.

    In the priced sums the decided tier's answer stands where the reference's does elsewhere. What was served as decided
    costs what it did cost; for the others as in `savings`: what they did cost times the ratio of the two answers' token
    costs among their priced samples. Undefined where such a route has fewer than two of them.
    Source: ratio estimator, Cochran 1977, ch. 6.
    """
    actual = sum(sums.cost_usd for sums in by_route.values())
    if sum(sums.requests for sums in by_route.values()) <= 0:
        return Undefined(reason="no_requests")
    cost, variance, priced, fewest = 0.0, 0.0, 0, float("inf")
    for (decided, served), sums in by_route.items():
        if decided == served:
            cost += sums.cost_usd
        elif sums.requests > 0:
            if sums.priced < 2:
                return Undefined(reason="too_few_priced_pairs", detail=decided)
            estimate, squared_error = _on_top(sums)
            cost, variance = cost + estimate, variance + squared_error
            priced, fewest = priced + round(sums.priced), min(fewest, sums.priced)
    half = 0.0 if variance == 0.0 else float(stdtrit(fewest - 1.0, (1.0 + level) / 2.0)) * sqrt(variance)

    def around(value: float, floor: float) -> Estimate:
        return Estimate(
            value=value, low=max(floor, value - half), high=value + half, n=priced, level=level, method="ratio"
        )

    return Projection(cost_usd=around(cost, 0.0), saved_usd=around(actual - cost, float("-inf")), actual_usd=actual)


def _on_top(sums: Sums) -> tuple[float, float]:
    """Cost of a tier's requests had they gone to the tier of the reference answers, and its variance.

    Of the ratio and the mean per request the one that varies less: where a few served answers cost many times the mean, and the
    reference's on the same requests do not, the ratio hangs on those few, and its interval is too narrow for that.
    """
    freedom = sums.priced / (sums.priced - 1.0)
    found = [_expanded(sums.requests, sums.d, sums.d_ref / sums.d, sums.dd_ref, sums.dd, sums.dd_ref_ref)]
    if sums.d_served > 0.0 and sums.cost_usd > 0.0:
        ratio = sums.d_ref / sums.d_served
        moments = (sums.dd_ref_served, sums.dd_served_served, sums.dd_ref_ref)
        found.append(_expanded(sums.cost_usd, sums.d_served, ratio, *moments))
    estimate, variance = min(found, key=lambda one: one[1])
    return estimate, freedom * variance


def _expanded(
    total: float, sampled: float, ratio: float, cross: float, square: float, reference_square: float
) -> tuple[float, float]:
    """total * ratio with its variance, where total is known of all requests and `sampled` of the weighted samples.

    Rounding dust of a spread that is really 0 may be negative.
    """
    spread = reference_square - 2 * ratio * cross + ratio**2 * square
    return total * ratio, max(0.0, spread) * (total / sampled) ** 2
