"""By how much does one tier fall short of another on the same requests, when many pairs were judged and few labelled?

y in {-1, 0, 1} is the labels' difference, d in [-1, 1] that of the verdicts, and the mean of the others where they abstained.
Phase one draws pairs (w = 1/inclusion), phase two labels some of them (v = w/label inclusion). Each phase normalises itself:
    A(l) = sum vy / sum v + l [sum wd / sum w - sum vd / sum v],   l in [0, 1] minimises the variance.
Everything is computed from additive sums (`pair_sums`). Source: two-phase sampling (Sarndal, Swensson, Wretman 1992, ch. 9);
PPI++ (arXiv:2311.01453) for l.

An error of 1 in a hundred pairs is rare, and a run without one does not mean that there are none. So the variance, and each
end of the interval, is that of a sample with one more pair, of loss 1 for the upper and of loss -1 for the lower end
(Agresti and Min 2005).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from scipy.special import stdtr, stdtrit

from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.pair_sums import PairSums

MIN_LABELS_FOR_JUDGE = 10
GAIN_PRIOR_LABELS = 0.5
DUST = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceFit:
    """An estimated mean of y with its variance. labels: as many as were used; draws: equally weighted ones they are worth."""

    mean: float
    variance: float
    judge_weight: float
    labels: float
    draws: float


def fit_difference(sums: PairSums, *, pseudo_loss: float | None = None) -> DifferenceFit | None:
    """The two-phase estimate of the mean of y. None without labels.

    pseudo_loss: y of one more labelled pair, of mean weight, about which the verdicts say nothing special.
    """
    s = sums
    if s.labelled < 1.0:
        return None
    n, total_v, total_w = s.labelled, s.v + s.u_v, s.w + s.u_w
    vy, vyy, vv = s.vy + s.u_vy, s.vyy + s.u_vyy, s.vv + s.u_vv
    vvy, vvyy = s.vvy + s.u_vvy, s.vvyy + s.u_vvyy
    if pseudo_loss is not None:
        extra = total_v / n
        n, total_v, vy, vyy, vv = (
            n + 1,
            total_v + extra,
            vy + extra * pseudo_loss,
            vyy + extra * pseudo_loss**2,
            vv + extra**2,
        )
        vvy, vvyy = vvy + extra**2 * pseudo_loss, vvyy + (extra * pseudo_loss) ** 2
    mean = vy / total_v
    alone = max(0.0, vvyy - 2 * mean * vvy + mean**2 * vv) / total_v**2 * n / max(1.0, n - 1.0)
    m = s.wd / s.w if s.w > 0.0 else 0.0  # undecided pairs take the mean of the decided ones
    judged_v = s.v + s.u_v
    d_all, d_labelled = (s.wd + m * s.u_w) / total_w, (s.vd + m * s.u_v) / judged_v
    ww, wv, own_vv = s.ww + s.u_ww, s.wv + s.u_wv, s.vv + s.u_vv
    wwd, wvd, vvd = s.wwd + m * s.u_ww, s.wvd + m * s.u_wv, s.vvd + m * s.u_vv
    wwdd, wvdd, vvdd = s.wwdd + m * m * s.u_ww, s.wvdd + m * m * s.u_wv, s.vvdd + m * m * s.u_vv
    wvy, wvdy, vvdy = s.wvy + s.u_wvy, s.wvdy + m * s.u_wvy, s.vvdy + m * s.u_vvy
    own_vvy = s.vvy + s.u_vvy
    first = (wvdy - d_all * wvy - mean * (wvd - d_all * wv)) / total_w
    second = (vvdy - d_labelled * own_vvy - mean * (vvd - d_labelled * own_vv)) / judged_v
    cross = (first - second) / total_v
    square = (
        (wwdd - 2 * d_all * wwd + d_all**2 * ww) / total_w**2
        - 2 * (wvdd - (d_all + d_labelled) * wvd + d_all * d_labelled * wv) / (total_w * judged_v)
        + (vvdd - 2 * d_labelled * vvd + d_labelled**2 * own_vv) / judged_v**2
    )
    dust = DUST * vv / total_v**2
    usable = square > dust and cross < 0.0 and s.labelled >= MIN_LABELS_FOR_JUDGE
    weight = min(1.0, -cross / square) if usable else 0.0
    # Few labels with a loss say little about the judge's errors: part of its gain is then put down to luck.
    discordant = n * vyy / total_v
    believed = discordant / (discordant + GAIN_PRIOR_LABELS)
    variance = max(0.0, alone + believed * (2 * weight * cross + weight**2 * square))
    return DifferenceFit(
        mean=mean + weight * (d_all - d_labelled),
        variance=0.0 if variance <= dust else variance,
        judge_weight=weight,
        labels=s.labelled,
        draws=total_v**2 / vv,
    )


def mean_difference(
    cells: Iterable[tuple[float, PairSums]], *, level: float = 0.95, corrected: bool = True
) -> Estimate | Undefined:
    """The mean difference over all requests of the cells, post-stratified. cells: (requests, sums over drawn pairs) of each.

    corrected: by labels; otherwise the verdicts alone, marked uncorrected. Undefined without requests, without pairs in a
    cell that has requests (merge it first), or with fewer than two labels (verdicts).
    """
    known = list(cells)
    if sum(requests for requests, _ in known) <= 0.0:
        return Undefined(reason="no_requests")
    if sum(sums.pairs for _, sums in known) <= 0.0:
        return Undefined(reason="no_samples")
    if any(requests > 0.0 and sums.w + sums.u_w <= 0.0 for requests, sums in known):
        return Undefined(reason="tier_without_samples")
    sums = calibrated(known)
    if not corrected:
        sums = _verdicts_as_labels(sums)
    if sums.labelled < 2.0:
        if corrected:
            return Undefined(reason="one_label" if sums.labelled == 1.0 else "no_labels")
        return Undefined(reason="one_sample" if sums.labelled == 1.0 else "no_verdicts")
    found, above, below = (fit_difference(sums, pseudo_loss=loss) for loss in (None, 1.0, -1.0))
    if found is None or above is None or below is None:
        return Undefined(reason="no_labels")
    value = min(1.0, max(-1.0, found.mean))
    reach = float(stdtrit(max(1.0, found.draws - 1.0), (1.0 + level) / 2.0))
    return Estimate(
        value=value,
        low=min(value, max(-1.0, below.mean - reach * sqrt(below.variance))),
        high=max(value, min(1.0, above.mean + reach * sqrt(above.variance))),
        n=round(sums.pairs),
        labelled=round(sums.labelled) if corrected else 0,
        level=level,
        method="two_phase" if corrected else "judge_only",
        effective_n=found.draws,
        corrected=corrected,
    )


def calibrated(cells: Iterable[tuple[float, PairSums]]) -> PairSums:
    """The sums over all cells, each weighing as much as it has requests. Cells without pairs or requests are left out."""
    return PairSums.total(
        sums.scaled(requests / (sums.w + sums.u_w)) for requests, sums in cells if requests > 0.0 and sums.pairs > 0.0
    )


def upper_tail(mean: float, variance: float, draws: float, bound: float) -> float:
    """P-value of "the mean is at least `bound`": Student's t with draws - 1 degrees of freedom; 0 or 1 without variance."""
    if variance <= 0.0:
        return 0.0 if mean < bound else 1.0
    return float(stdtr(max(1.0, draws - 1.0), (mean - bound) / sqrt(variance)))


def _verdicts_as_labels(sums: PairSums) -> PairSums:
    """As if each verdict were a label: what the judges alone say."""
    return PairSums(
        pairs=sums.pairs,
        judged=sums.judged,
        labelled=sums.judged,
        w=sums.w,
        v=sums.w,
        vy=sums.wd,
        vyy=sums.wdd,
        vv=sums.ww,
        vvy=sums.wwd,
        vvyy=sums.wwdd,
    )
