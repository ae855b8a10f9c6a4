"""Which share of its requests does a tier (a slice, or all traffic) answer acceptably, and how sure is that?

Input: strata with their sums, the number of requests N_h of each being exact. Pass the strata of one tier for that
tier's figure, of all tiers for the overall one. Every function returns None where there is nothing to say; `assess`
also tells why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import hypot, sqrt

from shadow.statistics.estimate import Estimate, Method, Undefined
from shadow.statistics.evidence import count, missing, reviewer_problem
from shadow.statistics.rates import coverage
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.strata import Cells, Strata, collapse
from shadow.statistics.two_phase import Fit, fit_judged, fit_labelled, fit_labels_only
from shadow.statistics.wilson import quantile, wilson_interval

FULL_COVERAGE = 0.95
MAX_GAIN = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What accuracy could be if every sample without a verdict were bad (low) or good (high); outer_*: with sampling
    error at `level`."""

    low: float
    high: float
    outer_low: float
    outer_high: float
    coverage: float
    n: int
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All that is shown side by side about one slice. undefined: for each missing figure, by field name, why."""

    corrected: Estimate | None
    raw: Estimate | None
    labels_only: Estimate | None
    coverage: Estimate | None
    worst_case: Bounds | None
    requests: int
    sampled: int
    mirrored: int
    labelled: int
    undefined: Mapping[str, Undefined]


def assess(
    strata: Strata, *, level: float = 0.95, reviewer: Reviewer | None = None, top_tier: str | None = None
) -> Assessment:
    """Every figure about these strata, and a reason for each that is missing. Arguments as in `corrected`."""
    found = {
        "corrected": _corrected(strata, level, reviewer, top_tier),
        "raw": _raw(strata, level, top_tier),
        "labels_only": _labels_only(strata, level, reviewer, top_tier),
    }
    defined = {name: finding for name, finding in found.items() if isinstance(finding, Estimate)}
    return Assessment(
        corrected=defined.get("corrected"),
        raw=defined.get("raw"),
        labels_only=defined.get("labels_only"),
        coverage=coverage(strata, level=level),
        worst_case=worst_case_bounds(strata, level=level),
        requests=count(strata, "requests"),
        sampled=count(strata, "sampled"),
        mirrored=count(strata, "mirrored"),
        labelled=count(strata, "labelled"),
        undefined={name: finding for name, finding in found.items() if isinstance(finding, Undefined)},
    )


def corrected(
    strata: Strata, *, level: float = 0.95, reviewer: Reviewer | None = None, top_tier: str | None = None
) -> Estimate | None:
    """Accuracy from verdicts put right by human labels: the figure to believe.

    Post-stratified two-phase estimate, the judge weighted by what it is worth, Wilson interval with effective n.
    Labels need known label inclusion probabilities; p must not have been calibrated on them. reviewer: record on
    gold items; None takes labels as the truth.
    top_tier: its name, for a clearer reason (`not_identified`) where it has no labels. None without at least 2
    samples and 2 labels.
    """
    return _defined(_corrected(strata, level, reviewer, top_tier))


def raw(strata: Strata, *, level: float = 0.95, top_tier: str | None = None) -> Estimate | None:
    """Mean judged probability, post-stratified, marked uncorrected: its interval covers the judge's opinion, not the
    truth.

    None for the top tier, which has no better reference: a consistently wrong model would look perfect.
    """
    return _defined(_raw(strata, level, top_tier))


def labels_only(
    strata: Strata, *, level: float = 0.95, reviewer: Reviewer | None = None, top_tier: str | None = None
) -> Estimate | None:
    """Accuracy from the labels alone (Hajek mean by tier, no judge, no strata): the yardstick of the judges' help."""
    return _defined(_labels_only(strata, level, reviewer, top_tier))


def worst_case_bounds(strata: Strata, *, level: float = 0.95) -> Bounds | None:
    """What missing verdicts could hide; None where coverage is at least 95 % or a tier with requests has no samples."""
    share = coverage(strata, level=level)
    if share is None or share.value >= FULL_COVERAGE or missing(strata, "sampled", None) is not None:
        return None
    cells = collapse(strata)
    worst, best = fit_judged(cells, undecided_as=0.0), fit_judged(cells, undecided_as=1.0)
    low, high = _clip(worst.mean), _clip(best.mean)
    return Bounds(
        low=low,
        high=high,
        outer_low=wilson_interval(low, _effective_n(worst, cap=True), level=level)[0],
        outer_high=wilson_interval(high, _effective_n(best, cap=True), level=level)[1],
        coverage=share.value,
        n=share.n,
        level=level,
    )


def _corrected(strata: Strata, level: float, reviewer: Reviewer | None, top_tier: str | None) -> Estimate | Undefined:
    problem = missing(strata, "labelled", top_tier) or reviewer_problem(reviewer)
    return problem or _labelled_estimate(strata, fit_labelled, level, reviewer, "two_phase")


def _labels_only(strata: Strata, level: float, reviewer: Reviewer | None, top_tier: str | None) -> Estimate | Undefined:
    problem = missing(strata, "labelled", top_tier) or reviewer_problem(reviewer)
    return problem or _labelled_estimate(strata, fit_labels_only, level, reviewer, "labels_only")


def _raw(strata: Strata, level: float, top_tier: str | None) -> Estimate | Undefined:
    if top_tier is not None and any(key.tier == top_tier and sums.requests > 0 for key, sums in strata.items()):
        return Undefined(reason="not_identified", detail=top_tier)
    problem = missing(strata, "judged", None)
    if problem is not None:
        return problem
    fit = fit_judged(collapse(strata, count="judged"))
    value, n = _clip(fit.mean), _effective_n(fit, cap=True)
    low, high = wilson_interval(value, n, level=level)
    return Estimate(
        value=value,
        low=low,
        high=high,
        n=count(strata, "judged"),
        level=level,
        method="judge_only",
        effective_n=n,
        corrected=False,
    )


def _labelled_estimate(
    strata: Strata, fit: Callable[[Cells], Fit], level: float, reviewer: Reviewer | None, method: Method
) -> Estimate:
    """Each tier on its own, added up with their shares of the requests, then put right for the reviewer's errors.

    Wilson works on the scale of the labels, where proportions live, and its ends are mapped to the truth. Independent
    errors are added on each side apart (MOVER, Zou and Donner 2008), because Wilson's sides differ: a tier whose two
    labels happen to agree stays as uncertain in the sum as it is alone.
    """
    cells = collapse(strata)
    total = float(cells["requests"].sum())
    value = labels_mean = below = above = inverse_n = 0.0
    for tier in dict.fromkeys(cells.tiers):
        own = cells.of([tier])
        share = float(own["requests"].sum()) / total
        if share == 0.0:
            continue
        found = fit(own)
        mean, n = _clip(found.mean), _effective_n(found, cap=False)
        low, high = wilson_interval(mean, n, level=level)
        value, labels_mean = value + share * mean, labels_mean + share * found.labels_mean
        below, above = hypot(below, share * (mean - low)), hypot(above, share * (high - mean))
        inverse_n += share**2 / n
    low, value, high = max(0.0, value - below), _clip(value), min(1.0, value + above)
    if reviewer is not None:
        accuracy = _clip((labels_mean - reviewer.false_accept_rate) / reviewer.informedness)
        doubt = quantile(level) * sqrt(reviewer.variance_of_rate(accuracy))
        low, high = value - hypot(value - low, doubt), value + hypot(high - value, doubt)
        low, value, high = _put_right(low, value, high, reviewer)
    return Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        n=count(strata, "sampled" if method == "two_phase" else "labelled"),
        labelled=count(strata, "labelled"),
        level=level,
        method=method,
        effective_n=1.0 / inverse_n,
    )


def _put_right(low: float, value: float, high: float, reviewer: Reviewer) -> tuple[float, float, float]:
    ends = [(end - reviewer.false_accept_rate) / reviewer.informedness for end in (low, value, high)]
    # Labels better (worse) than the error rates allow contradict them; the interval then must not shrink to a point.
    right_low = _clip(ends[0]) if ends[0] < 1.0 else _clip(low)
    right_high = _clip(ends[2]) if ends[2] > 0.0 else _clip(high)
    return right_low, min(max(_clip(ends[1]), right_low), right_high), right_high


def _effective_n(fit: Fit, *, cap: bool) -> float:
    """Equally weighted draws the estimate is worth. cap: for judges alone, whose verdicts may have no spread."""
    gain = MAX_GAIN if fit.variance == 0.0 < fit.variance_alone else 1.0
    if fit.variance > 0.0:
        gain = min(max(fit.variance_alone / fit.variance, 1.0), MAX_GAIN)
    by_weights = fit.draws * gain
    if not 0.0 < fit.mean < 1.0 or fit.variance == 0.0:
        return by_weights
    by_variance = fit.mean * (1.0 - fit.mean) / fit.variance
    n = by_variance if fit.is_self_weighting else sqrt(by_variance * by_weights)
    return min(n, MAX_GAIN * fit.draws) if cap else n


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))


def _defined(finding: Estimate | Undefined) -> Estimate | None:
    return finding if isinstance(finding, Estimate) else None
