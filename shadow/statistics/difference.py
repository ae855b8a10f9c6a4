"""By how much does one tier fall short of another on the same requests, when many pairs were judged and few labelled?

D = Y_reference - Y_t in {-1, 0, 1}. Phase one draws pairs (w = 1/inclusion), phase two labels some of them (v = w/label
inclusion); p in [-1, 1] is what the verdicts say D is, and the mean of the others where they abstained. Each phase normalises
itself:
    A(l) = sum vD / sum v + l [sum wp / sum w - sum vp / sum v],   l in [0, 1] minimises the variance.
Everything is computed from additive sums. Source: two-phase sampling (Sarndal, Swensson, Wretman 1992, ch. 9); PPI++
(arXiv:2311.01453) for l.

An error of 1 in a hundred pairs is rare, and a run without one does not mean that there are none. So the variance, and each
end of the interval, is that of a sample with one more pair, of loss 1 for the upper and of loss -1 for the lower end
(Agresti and Min 2005).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from math import sqrt
from typing import Self

import numpy as np
from scipy.special import stdtr, stdtrit

from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.sums import BoolArray, FloatArray, IntArray

MIN_LABELS_FOR_JUDGE = 10
GAIN_PRIOR_LABELS = 0.5
DUST = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceSums:
    """Additive sums over the drawn pairs of one key. Letters repeat for powers: wvpp is the sum of w v p^2, d is the label's D.

    Pairs with verdicts on both answers and those without are summed apart; the latter carry the prefix `u_`. Per pair with
    a label d, v > 0, else v = 0. requests: of the key, sampled or not.
    """

    requests: float = 0.0
    pairs: float = 0.0
    judged: float = 0.0
    labelled: float = 0.0
    w: float = 0.0
    wp: float = 0.0
    v: float = 0.0
    vp: float = 0.0
    vd: float = 0.0
    vdd: float = 0.0
    ww: float = 0.0
    wwp: float = 0.0
    wwpp: float = 0.0
    wv: float = 0.0
    wvp: float = 0.0
    wvpp: float = 0.0
    wvd: float = 0.0
    wvpd: float = 0.0
    vv: float = 0.0
    vvp: float = 0.0
    vvpp: float = 0.0
    vvd: float = 0.0
    vvdd: float = 0.0
    vvpd: float = 0.0
    u_w: float = 0.0
    u_v: float = 0.0
    u_vd: float = 0.0
    u_vdd: float = 0.0
    u_ww: float = 0.0
    u_wv: float = 0.0
    u_wvd: float = 0.0
    u_vv: float = 0.0
    u_vvd: float = 0.0
    u_vvdd: float = 0.0

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """From a mapping with at least one number per field, such as a database row; SQL NULL (an empty sum) is 0."""
        return cls(**{name: float(row[name] or 0.0) for name in DIFFERENCE_FIELDS})  # type: ignore[arg-type]

    @classmethod
    def total(cls, parts: Iterable[DifferenceSums]) -> Self:
        """The sums of the union of disjoint parts; of nothing: all zero."""
        rows = [[getattr(part, name) for name in DIFFERENCE_FIELDS] for part in parts]
        sums = np.sum(rows, axis=0) if rows else np.zeros(len(DIFFERENCE_FIELDS))
        return cls(**dict(zip(DIFFERENCE_FIELDS, sums.tolist(), strict=True)))

    def scaled(self, factor: float) -> Self:
        """The same with all weights times `factor`; counts stay."""
        values = {name: getattr(self, name) * factor ** _weights(name) for name in DIFFERENCE_FIELDS}
        return type(self)(**values)


DIFFERENCE_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(DifferenceSums))
_COUNTS = ("requests", "pairs", "judged", "labelled")


def _weights(name: str) -> int:
    return 0 if name in _COUNTS else sum(name.removeprefix("u_").count(letter) for letter in "wv")


def difference_sums(
    weight: FloatArray,
    judged: BoolArray,
    loss: FloatArray,
    label_weight: FloatArray,
    label_loss: FloatArray,
    group: IntArray,
    requests: FloatArray,
) -> list[DifferenceSums]:
    """The sums of each key; all but the last argument of shape (n,), one row per drawn pair.

    weight: w > 0. loss: p where judged. label_weight: v, 0 where not labelled; label_loss: d there. group: index of the key.
    requests: of each key, shape (keys,). Cost: one pass per field, O(n).
    """
    w, v, d = weight, label_weight, np.where(label_weight > 0.0, label_loss, 0.0)
    p = np.where(judged, loss, 0.0)
    factors = {"w": w, "v": v, "p": p, "d": d}
    columns = {"pairs": np.ones(w.size), "judged": judged.astype(float), "labelled": (v > 0.0).astype(float)}
    known = judged.astype(float)
    for name in DIFFERENCE_FIELDS[len(_COUNTS) :]:
        column = 1.0 - known if name.startswith("u_") else known
        for letter in name.removeprefix("u_"):
            column = column * factors[letter]
        columns[name] = column
    sums = {name: np.bincount(group, weights=column, minlength=requests.size) for name, column in columns.items()}
    return [
        DifferenceSums(requests=float(n), **{name: float(values[key]) for name, values in sums.items()})
        for key, n in enumerate(requests)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceFit:
    """An estimated mean of D with its variance. labels: as many as were used; draws: equally weighted ones they are worth."""

    mean: float
    variance: float
    judge_weight: float
    labels: float
    draws: float


def fit_difference(sums: DifferenceSums, *, pseudo_loss: float | None = None) -> DifferenceFit | None:
    """The two-phase estimate of the mean of D. None without labels.

    pseudo_loss: D of one more labelled pair, of mean weight, about which the verdicts say nothing special.
    """
    s = sums
    if s.labelled < 1.0:
        return None
    n, total_v, total_w = s.labelled, s.v + s.u_v, s.w + s.u_w
    vd, vdd, vv = s.vd + s.u_vd, s.vdd + s.u_vdd, s.vv + s.u_vv
    vvd, vvdd = s.vvd + s.u_vvd, s.vvdd + s.u_vvdd
    if pseudo_loss is not None:
        extra = total_v / n
        n, total_v, vd, vdd, vv = (
            n + 1,
            total_v + extra,
            vd + extra * pseudo_loss,
            vdd + extra * pseudo_loss**2,
            vv + extra**2,
        )
        vvd, vvdd = vvd + extra**2 * pseudo_loss, vvdd + (extra * pseudo_loss) ** 2
    mean = vd / total_v
    alone = max(0.0, vvdd - 2 * mean * vvd + mean**2 * vv) / total_v**2 * n / max(1.0, n - 1.0)
    m = s.wp / s.w if s.w > 0.0 else 0.0  # undecided pairs take the mean of the decided ones
    judged_v = s.v + s.u_v
    p_all, p_labelled = (s.wp + m * s.u_w) / total_w, (s.vp + m * s.u_v) / judged_v
    ww, wv, own_vv = s.ww + s.u_ww, s.wv + s.u_wv, s.vv + s.u_vv
    wwp, wvp, vvp = s.wwp + m * s.u_ww, s.wvp + m * s.u_wv, s.vvp + m * s.u_vv
    wwpp, wvpp, vvpp = s.wwpp + m * m * s.u_ww, s.wvpp + m * m * s.u_wv, s.vvpp + m * m * s.u_vv
    wvd, wvpd, vvpd = s.wvd + s.u_wvd, s.wvpd + m * s.u_wvd, s.vvpd + m * s.u_vvd
    own_vvd = s.vvd + s.u_vvd
    first = (wvpd - p_all * wvd - mean * (wvp - p_all * wv)) / total_w
    second = (vvpd - p_labelled * own_vvd - mean * (vvp - p_labelled * own_vv)) / judged_v
    cross = (first - second) / total_v
    square = (
        (wwpp - 2 * p_all * wwp + p_all**2 * ww) / total_w**2
        - 2 * (wvpp - (p_all + p_labelled) * wvp + p_all * p_labelled * wv) / (total_w * judged_v)
        + (vvpp - 2 * p_labelled * vvp + p_labelled**2 * own_vv) / judged_v**2
    )
    dust = DUST * vv / total_v**2
    usable = square > dust and cross < 0.0 and s.labelled >= MIN_LABELS_FOR_JUDGE
    weight = min(1.0, -cross / square) if usable else 0.0
    # Few labels with a loss say little about the judge's errors: part of its gain is then put down to luck.
    discordant = n * vdd / total_v
    believed = discordant / (discordant + GAIN_PRIOR_LABELS)
    variance = max(0.0, alone + believed * (2 * weight * cross + weight**2 * square))
    return DifferenceFit(
        mean=mean + weight * (p_all - p_labelled),
        variance=0.0 if variance <= dust else variance,
        judge_weight=weight,
        labels=s.labelled,
        draws=total_v**2 / vv,
    )


def mean_difference(
    cells: Iterable[DifferenceSums], *, level: float = 0.95, corrected: bool = True
) -> Estimate | Undefined:
    """The mean of D over all requests of the cells, post-stratified: each cell counts with its requests.

    corrected: by labels; otherwise the verdicts alone, marked uncorrected. Undefined without requests, without pairs in a
    cell that has requests (merge it first), or with fewer than two labels (verdicts).
    """
    known = [cell for cell in cells if cell.requests > 0.0 or cell.pairs > 0.0]
    total = sum(cell.requests for cell in known)
    if total <= 0.0:
        return Undefined(reason="no_requests")
    if sum(cell.pairs for cell in known) <= 0.0:
        return Undefined(reason="no_samples")
    if any(cell.requests > 0.0 and cell.w + cell.u_w <= 0.0 for cell in known):
        return Undefined(reason="tier_without_samples")
    sums = DifferenceSums.total(
        cell.scaled(cell.requests / (cell.w + cell.u_w)) for cell in known if cell.requests > 0.0
    )
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


def upper_tail(mean: float, variance: float, draws: float, bound: float) -> float:
    """P-value of "the mean is at least `bound`": Student's t with draws - 1 degrees of freedom; 0 or 1 without variance."""
    if variance <= 0.0:
        return 0.0 if mean < bound else 1.0
    return float(stdtr(max(1.0, draws - 1.0), (mean - bound) / sqrt(variance)))


def _verdicts_as_labels(sums: DifferenceSums) -> DifferenceSums:
    """As if each verdict were a label: what the judges alone say."""
    return DifferenceSums(
        requests=sums.requests,
        pairs=sums.pairs,
        judged=sums.judged,
        labelled=sums.judged,
        w=sums.w,
        v=sums.w,
        vd=sums.wp,
        vdd=sums.w,
        vv=sums.ww,
        vvd=sums.wwp,
        vvdd=sums.wwpp,
    )
