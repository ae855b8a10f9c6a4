"""What would a policy lose against sending everything to the top tier, and is that proven to be less than epsilon?

Risk: mean over all requests of D = Y_reference - Y_t of the tier t that the policy sends the request to; what goes to the top
loses nothing. Two tests of "the risk is at least epsilon":
- betting, valid at any size, on verdicts, or on labels where each pair has them;
- studentised, on the two-phase estimate with one more pair of loss 1: valid for many labels only (asymptotic).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from shadow.statistics.betting import betting_p_value
from shadow.statistics.difference import calibrated, fit_difference, upper_tail
from shadow.statistics.estimate import Estimate
from shadow.statistics.pair_sums import PairSums, pair_sums_by_group
from shadow.statistics.paired_evidence import RoutedEvidence
from shadow.statistics.sums import BoolArray, FloatArray

MIN_TIER_PAIRS = 5


def betting_risk_p_value(evidence: RoutedEvidence, *, epsilon: float, labels: bool) -> float:
    """P-value by betting, in request order. labels: on the labels, all pairs having one; otherwise on the verdicts.

    A pair whose verdicts (labels) are missing is left out and the others of its tier stand for it (missing at random); it is
    never a loss of 0.
    """
    known = evidence.label_weight > 0.0 if labels else evidence.judged
    answered = _answered(evidence, known)
    weight = evidence.weight * known * answered
    loss = evidence.label_loss if labels else evidence.loss
    largest = evidence.largest_weight * float(answered.max(initial=1.0))
    return betting_p_value(
        np.where(evidence.below, loss, 0.0),
        np.where(evidence.below, weight, evidence.row_weights),
        epsilon=epsilon,
        largest_weight=largest,
    )


def studentised_risk_p_value(evidence: RoutedEvidence, *, epsilon: float) -> float:
    """P-value from the two-phase estimate of the risk with one more labelled pair, of loss 1. Asymptotic.

    Without any label below the top each request sent there may be lost.
    """
    share, share_variance = _share_below(evidence)
    if share == 0.0:
        return 0.0
    fit = fit_difference(_sums_below(evidence), pseudo_loss=1.0)
    mean, variance, draws = (1.0, 0.0, 2.0) if fit is None else (fit.mean, fit.variance, fit.draws)
    return upper_tail(share * mean, share**2 * variance + mean**2 * share_variance, draws, epsilon)


def risk_estimate(
    evidence: RoutedEvidence, *, labels: bool, level: float = 0.95, regret: bool = False
) -> Estimate | None:
    """The risk of a policy with its interval; None without rows, or where nothing is known of what it sends below the top.

    labels: corrected by labels; otherwise by verdicts alone, marked uncorrected. regret: of max(D, 0), the requests lost,
    without those won; from labels this is a count, from verdicts the mean of the positive part.
    """
    if evidence.row_weights.size == 0:
        return None
    share, share_variance = _share_below(evidence)
    n = int((evidence.weight > 0.0).sum())
    if share == 0.0:
        return Estimate(value=0.0, low=0.0, high=0.0, n=n, level=level, method="exact")
    sums = _sums_below(evidence, positive=regret, verdicts_only=not labels)
    found, above, below = (fit_difference(sums, pseudo_loss=loss) for loss in (None, 1.0, 0.0 if regret else -1.0))
    if found is None or above is None or below is None or found.labels < 2.0:
        return None
    reach = float(stdtrit(max(1.0, found.draws - 1.0), (1.0 + level) / 2.0))
    least = 0.0 if regret else -1.0
    value = share * min(1.0, max(least, found.mean))

    def end(mean: float, variance: float, sign: float) -> float:
        error = sqrt(share**2 * variance + mean**2 * share_variance)
        return min(1.0, max(least, share * mean + sign * reach * error))

    return Estimate(
        value=value,
        low=min(value, end(below.mean, below.variance, -1.0)),
        high=max(value, end(above.mean, above.variance, 1.0)),
        n=n,
        labelled=round(found.labels) if labels else 0,
        level=level,
        method="two_phase" if labels else "judge_only",
        effective_n=found.draws,
        corrected=labels,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskMoments:
    """Mean loss per request; pairs: drawn ones, equally weighted and wherever they were sent; variance_per_pair: variance of
    the estimate times pairs, with one more pair of loss 1."""

    mean: float
    variance_per_pair: float
    pairs: int


def risk_moments(evidence: RoutedEvidence, *, labels: bool) -> RiskMoments | None:
    """What the size of an experiment is reckoned from; None without verdicts (labels) below the top."""
    share, share_variance = _share_below(evidence)
    sums = _sums_below(evidence, verdicts_only=not labels)
    found, cautious = fit_difference(sums), fit_difference(sums, pseudo_loss=1.0)
    if found is None or cautious is None or share <= 0.0:
        return None
    variance = share**2 * cautious.variance + cautious.mean**2 * share_variance
    pairs = round(sums.pairs / share)
    return RiskMoments(mean=share * found.mean, variance_per_pair=variance * pairs, pairs=pairs)


def _share_below(evidence: RoutedEvidence) -> tuple[float, float]:
    """Share of requests that the policy sends below the top, and its variance."""
    weights = evidence.row_weights
    total = float(weights.sum())
    if total <= 0.0:
        return 0.0, 0.0
    share = float(weights[evidence.below].sum()) / total
    return share, share * (1.0 - share) * float((weights**2).sum()) / total**2


def _answered(evidence: RoutedEvidence, known: BoolArray) -> FloatArray:
    """What each known pair stands for: 1 / (share of the drawn pairs of its tier that are known), shape (n,)."""
    factor = np.ones(evidence.weight.size)
    for tier in np.unique(evidence.tier[evidence.below]).tolist():
        own = evidence.below & (evidence.tier == tier)
        total = float((evidence.weight * known)[own].sum())
        if total > 0.0:
            factor[own] = float(evidence.weight[own].sum()) / total
    return factor


def _sums_below(evidence: RoutedEvidence, *, positive: bool = False, verdicts_only: bool = False) -> PairSums:
    """Sums over the pairs below the top; each tier counts with the requests sent there, once it has a few pairs."""
    drawn = evidence.weight > 0.0
    tiers, group = np.unique(evidence.tier[evidence.below], return_inverse=True)
    place = np.zeros(drawn.size, dtype=np.int64)
    place[evidence.below] = group
    requests = np.bincount(group, evidence.row_weights[evidence.below], tiers.size).astype(float)
    if (np.bincount(place[drawn], minlength=tiers.size) < MIN_TIER_PAIRS).any():
        place, requests = np.zeros_like(place), np.array([requests.sum()])
    loss, label_loss, judged = evidence.loss[drawn], evidence.label_loss[drawn], evidence.judged[drawn]
    label_weight = evidence.label_weight[drawn]
    if verdicts_only:  # as if each verdict were a label
        label_weight, label_loss = evidence.weight[drawn] * judged, loss
    if positive:
        loss, label_loss = np.maximum(loss, 0.0), np.maximum(label_loss, 0.0)
    cells = pair_sums_by_group(
        evidence.weight[drawn], judged, loss, label_weight, label_loss, place[drawn], groups=requests.size
    )
    return calibrated(zip(requests.tolist(), cells, strict=True))
