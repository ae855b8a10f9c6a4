"""How large is the share of acceptable answers, when many samples were judged and few of them labelled?

Phase one samples requests (w = S/pi), phase two labels some of them (v = w R/eta). All of it is computed from sums.
Source: two-phase regression estimation (Sarndal, Swensson, Wretman 1992, ch. 9); PPI++ (arXiv:2311.01453) for the
weight of the judge.

Post-stratification multiplies the weights of cell h by g_h = N_h / sum_h w, which makes them calibrated. The label
phase is normalised once over the group, because cells hold too few labels to be normalised one by one. Linearised,
sample i of cell h adds
    psi = [v(Y - Ybar)/sum v - w(Y_h - Ybar)/N] + l [w(p - pbar_w)/N - v(p - pbar_v)/sum v]
to the error: the first phase varies around its cell's mean Y_h, the second around the mean of all. Y_h is shrunk
towards Ybar, since a cell mean of few labels would take its own noise for signal; any Y_h keeps the estimate
unbiased, a poor one only widens the interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from shadow.statistics.strata import Cells
from shadow.statistics.sums import FloatArray

CELL_PRIOR_LABELS = 2.0
GAIN_PRIOR_LABELS = 0.5
MIN_LABELS_FOR_JUDGE = 10
"""With fewer labels the judge's weight stays 0: what a handful of labels says about the judge's errors is luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """An estimated mean. variance_alone: the same without the judge. draws: (sum u)^2 / sum u^2 of the final label
    weights."""

    mean: float
    labels_mean: float
    variance: float
    variance_alone: float
    judge_weight: float
    draws: float
    is_self_weighting: bool


SELF_WEIGHTING_CV_SQUARED = 1e-3
DUST = 1e-12
"""Differences of sums that should cancel leave rounding dust, which must not be taken for a perfect judge."""


def fit_labelled(cells: Cells) -> Fit:
    """Two-phase estimate over cells that share a judge weight. Needs a request, a sample and a label among them.

    Of the post-stratified and the plain estimate the one worth more draws: calibrating many small cells costs more than
    it gains where they hardly differ. The plain one at judge weight 0 is the labels' own mean, so the labels alone are
    never worth more. (Choosing by variance instead would favour the estimate nearer to 0 or 1.) Where the weights do not
    add up to the known requests, as when some kinds of samples got lost, only the post-stratified one is used.
    """
    if not _adds_up(cells):
        return _fit(cells)
    plain = Cells(matrix=cells.matrix.sum(axis=0, keepdims=True), tiers=cells.tiers[:1])
    return max((_fit(cells), _fit(plain)), key=_draws_by_variance)


def _adds_up(cells: Cells) -> bool:
    """Whether the cells' shares of the weights agree with their shares of the requests, chi-square within 3 sigma."""
    requests, weights = cells["requests"], cells["w"] + cells["u_w"]
    scale = float(requests.sum() / weights.sum())
    noise = scale**2 * (cells["ww"] + cells["u_ww"])
    sampled = noise > 0.0
    distance = float(((scale * weights - requests)[sampled] ** 2 / noise[sampled]).sum())
    freedom = len(cells.tiers)
    return distance <= freedom + 3.0 * sqrt(2.0 * freedom)


def _draws_by_variance(fit: Fit) -> float:
    if fit.variance == 0.0 or not 0.0 < fit.mean < 1.0:
        return fit.draws
    return fit.mean * (1.0 - fit.mean) / fit.variance


def _fit(cells: Cells) -> Fit:
    n_cells, w, v, vy, labels = cells["requests"], cells["w"], cells["v"], cells["vy"], cells["labelled"]
    uw, uv, uvy = cells["u_w"], cells["u_v"], cells["u_vy"]
    m = _imputed(cells)
    all_w, all_v, all_vy = w + uw, v + uv, vy + uvy
    g = np.divide(n_cells, all_w, out=np.zeros_like(all_w), where=all_w > 0)
    gg = g * g
    total_n, total_v = float(n_cells.sum()), float(g @ all_v)
    y_mean = float(g @ all_vy) / total_v
    p_label = float(g @ (cells["vp"] + m * uv)) / total_v
    p_all = float(g @ (cells["wp"] + m * uw)) / total_n
    shrink = labels / (labels + CELL_PRIOR_LABELS)
    # A cell mean of k labels is off by Y(1-Y)/k on average, and would pass that luck off as a difference between cells.
    luck = (2 * shrink - shrink**2) * y_mean * (1 - y_mean) / np.maximum(labels, 1.0)
    offset = shrink * (np.divide(all_vy, all_v, out=np.full_like(all_v, y_mean), where=all_v > 0) - y_mean)

    ww, wv, vv = cells["ww"] + cells["u_ww"], cells["wv"] + cells["u_wv"], cells["vv"] + cells["u_vv"]
    wvy, vvy = cells["wvy"] + cells["u_wvy"], cells["vvy"] + cells["u_vvy"]
    wwp, wvp, vvp = cells["wwp"] + m * cells["u_ww"], cells["wvp"] + m * cells["u_wv"], cells["vvp"] + m * cells["u_vv"]
    wwpp, wvpp, vvpp = _second_moments(cells, m)
    wvpy, vvpy = cells["wvpy"] + m * cells["u_wvy"], cells["vvpy"] + m * cells["u_vvy"]

    # Variance as a quadratic in the judge's weight l: alone + 2 l cross + l^2 square.
    alone = (
        (vvy - 2 * y_mean * vvy + y_mean**2 * vv) / total_v**2
        - 2 * offset * (wvy - y_mean * wv) / (total_v * total_n)
        + offset**2 * ww / total_n**2
        + luck * wv / (total_v * total_n)
    )
    cross = (
        -(vvpy - p_label * vvy - y_mean * vvp + y_mean * p_label * vv) / total_v**2
        + (wvpy - p_all * wvy - y_mean * wvp + y_mean * p_all * wv) / (total_v * total_n)
        + offset * (wvp - p_label * wv) / (total_v * total_n)
        - offset * (wwp - p_all * ww) / total_n**2
    )
    square = (
        (vvpp - 2 * p_label * vvp + p_label**2 * vv) / total_v**2
        - 2 * (wvpp - (p_label + p_all) * wvp + p_label * p_all * wv) / (total_v * total_n)
        + (wwpp - 2 * p_all * wwp + p_all**2 * ww) / total_n**2
    )
    a, b, c = max(0.0, float(gg @ alone)), float(gg @ cross), float(gg @ square)
    dust = DUST * float(gg @ vv) / total_v**2
    usable = c > dust and b < 0.0 and labels.sum() >= MIN_LABELS_FOR_JUDGE
    weight = min(1.0, -b / c) if usable else 0.0
    # Few labels of the rarer kind say little about the judge's errors: part of its gain is then put down to luck.
    rarer = float(labels.sum()) * min(y_mean, 1.0 - y_mean)
    believed = rarer / (rarer + GAIN_PRIOR_LABELS)
    variance = max(0.0, a + believed * (2 * weight * b + weight * weight * c))
    draws = total_v**2 / float(gg @ vv)
    return Fit(
        mean=y_mean + weight * (p_all - p_label),
        labels_mean=y_mean,
        variance=0.0 if variance <= dust else variance,
        variance_alone=0.0 if a <= dust else a,
        judge_weight=weight,
        draws=draws,
        is_self_weighting=is_self_weighting(cells),
    )


def fit_labels_only(cells: Cells) -> Fit:
    """Hajek mean of the labels of all cells together: no judge, no strata."""
    v, vy = cells["v"] + cells["u_v"], cells["vy"] + cells["u_vy"]
    vv, vvy = cells["vv"] + cells["u_vv"], cells["vvy"] + cells["u_vvy"]
    mean = float(vy.sum() / v.sum())
    variance = float((vvy - 2 * mean * vvy + mean**2 * vv).sum() / v.sum() ** 2)
    draws = float(v.sum() ** 2 / vv.sum())
    variance = 0.0 if variance <= DUST / draws else variance
    return Fit(
        mean=mean,
        labels_mean=mean,
        variance=variance,
        variance_alone=variance,
        judge_weight=0.0,
        draws=draws,
        is_self_weighting=is_self_weighting(cells),
    )


def fit_judged(cells: Cells, *, undecided_as: float | None = None) -> Fit:
    """Post-stratified mean of the judge's probabilities. Needs a verdict in every cell with requests.

    undecided_as: value that samples without a verdict take (0 or 1 for worst cases); None leaves them out.
    """
    w, wp, ww, wwp, wwpp = (cells[name].copy() for name in ("w", "wp", "ww", "wwp", "wwpp"))
    count = cells["judged"].copy()
    if undecided_as is not None:
        w, ww = w + cells["u_w"], ww + cells["u_ww"]
        wp, wwp, wwpp = (
            wp + undecided_as * cells["u_w"],
            wwp + undecided_as * cells["u_ww"],
            wwpp + undecided_as**2 * cells["u_ww"],
        )
        count = cells["sampled"]
    requests = cells["requests"]
    total_n = float(requests.sum())
    known = w > 0
    g = np.divide(requests, w, out=np.zeros_like(w), where=known)
    mean_h = np.divide(wp, w, out=np.zeros_like(w), where=known)
    # A cell mean of k samples hides 1/k of their spread.
    freedom = np.divide(count, count - 1.0, out=np.ones_like(count), where=count > 1.0)
    spread = wwpp - 2 * mean_h * wwp + mean_h**2 * ww
    variance = float((g * g * freedom) @ spread) / total_n**2
    weights_squared = float((g * g) @ ww) / total_n**2
    variance = 0.0 if variance <= DUST * weights_squared else variance
    equal = float(count.sum()) * float(ww.sum()) / float(w.sum()) ** 2 - 1.0
    mean = float(g @ wp) / total_n
    return Fit(
        mean=mean,
        labels_mean=mean,
        variance=variance,
        variance_alone=variance,
        judge_weight=1.0,
        draws=1.0 / weights_squared,
        is_self_weighting=equal < SELF_WEIGHTING_CV_SQUARED,
    )


def is_self_weighting(cells: Cells) -> bool:
    """Whether all labels carry the same weight 1/(inclusion * label inclusion), but for rounding."""
    total = float((cells["v"] + cells["u_v"]).sum())
    squares = float((cells["vv"] + cells["u_vv"]).sum())
    return float(cells["labelled"].sum()) * squares / total**2 - 1.0 < SELF_WEIGHTING_CV_SQUARED


def _imputed(cells: Cells) -> FloatArray:
    """What p becomes where the panel has no verdict: the cell's mean of p, else the mean over all cells, else 0."""
    w, wp = cells["w"], cells["wp"]
    overall = float(wp.sum() / w.sum()) if w.sum() > 0 else 0.0
    return np.divide(wp, w, out=np.full_like(w, overall), where=w > 0)


def _second_moments(cells: Cells, m: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    mm = m * m
    return (
        cells["wwpp"] + mm * cells["u_ww"],
        cells["wvpp"] + mm * cells["u_wv"],
        cells["vvpp"] + mm * cells["u_vv"],
    )
