"""Do the figures equal those of independent implementations, to six digits, on random data?

scipy and statsmodels, and ppi_py, the code that the authors of prediction-powered inference published.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from shadow.statistics.agreement import Confusion, kappa_and_variance
from shadow.statistics.difference import fit_difference
from shadow.statistics.drift import Baseline, freeze_baseline
from shadow.statistics.pair_sums import pair_sums_by_group
from shadow.statistics.strata import Stratum, collapse
from shadow.statistics.sums import Samples, sums_of
from shadow.statistics.two_phase import fit_judged, fit_labelled, fit_labels_only
from shadow.statistics.wilson import wilson_interval

pytestmark = pytest.mark.slow

SIX_DIGITS = {"rel": 1e-6, "abs": 1e-9}


@given(k=st.integers(0, 500), more=st.integers(1, 500), level=st.floats(0.5, 0.999))
def test_wilsons_interval_is_that_of_statsmodels_and_scipy(k: int, more: int, level: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    n = k + more
    ours = wilson_interval(k / n, n, level=level)
    assert ours == pytest.approx(proportion_confint(k, n, alpha=1 - level, method="wilson"), **SIX_DIGITS)
    theirs = stats.binomtest(k, n).proportion_ci(level, method="wilson")
    assert ours == pytest.approx((theirs.low, theirs.high), **SIX_DIGITS)


@settings(max_examples=30)
@given(k=st.integers(1, 1900), n=st.integers(2000, 4000))
def test_the_bound_of_a_baseline_is_statsmodels_clopper_pearson(k: int, n: int) -> None:
    from statsmodels.stats.proportion import proportion_confint

    found = freeze_baseline((np.arange(n) < k).astype(float), np.ones(n), alpha=0.05, largest_weight=1.0)
    assert isinstance(found, Baseline)
    assert found.bound == pytest.approx(proportion_confint(k, n, alpha=0.05, method="beta")[1], **SIX_DIGITS)


@given(cells=st.tuples(*[st.integers(1, 80)] * 4))
def test_kappa_and_its_variance_are_those_of_statsmodels(cells: tuple[int, int, int, int]) -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    tp, fp, fn, tn = cells
    found = kappa_and_variance(Confusion(tp=tp, fp=fp, fn=fn, tn=tn, tp2=tp, fp2=fp, fn2=fn, tn2=tn))
    theirs = cohens_kappa(np.array([[tp, fp], [fn, tn]]))
    assert found == pytest.approx((theirs.kappa, theirs.var_kappa), **SIX_DIGITS)


@given(seed=st.integers(0, 10_000), n=st.integers(20, 300))
def test_weighted_means_and_their_errors_are_those_of_statsmodels(seed: int, n: int) -> None:
    from statsmodels.stats.weightstats import DescrStatsW

    rng = np.random.default_rng(seed)
    inclusion, y = rng.uniform(0.05, 1.0, size=n), (rng.random(n) < 0.8).astype(float)
    every = np.ones(n, dtype=bool)
    samples = Samples(
        inclusion=inclusion, decided=every, probability=y, labelled=every, label=y, label_inclusion=np.ones(n)
    )
    cells = collapse({Stratum(tier="fast"): sums_of(samples, costs_usd=np.zeros(10 * n))})
    theirs = DescrStatsW(y, weights=1 / inclusion)
    w = 1 / inclusion
    linearised = float((w**2 * (y - theirs.mean) ** 2).sum() / w.sum() ** 2)
    labels, judged = fit_labels_only(cells), fit_judged(cells)
    assert (labels.mean, judged.mean) == (pytest.approx(theirs.mean, **SIX_DIGITS),) * 2
    assert labels.variance == pytest.approx(linearised, **SIX_DIGITS)
    assert judged.variance == pytest.approx(linearised * n / (n - 1), **SIX_DIGITS)


def judged_and_labelled(seed: int, n: int, labels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels in {0, 1}, the judge's probabilities for all n, and which of them are labelled."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.7).astype(float)
    p = np.clip(0.25 + 0.5 * y + 0.2 * rng.standard_normal(n), 0, 1)
    return y, p, np.arange(n) < labels


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), labels=st.integers(30, 150))
def test_the_two_phase_estimate_is_the_one_of_ppi_py_at_the_same_weight(seed: int, labels: int) -> None:
    """Their second sample leaves the labelled ones out, ours holds them: their weight is ours times the share without label."""
    from ppi_py import ppi_mean_pointestimate

    n = 400
    y, p, labelled = judged_and_labelled(seed, n, labels)
    samples = Samples(
        inclusion=np.full(n, 0.1),
        decided=np.ones(n, dtype=bool),
        probability=p,
        labelled=labelled,
        label=y,
        label_inclusion=np.full(n, labels / n),
    )
    fit = fit_labelled(collapse({Stratum(tier="fast"): sums_of(samples, costs_usd=np.zeros(10 * n))}))
    share = 1 - labels / n
    theirs = ppi_mean_pointestimate(y[labelled], p[labelled], p[~labelled], lam=fit.judge_weight * share)
    assert fit.mean == pytest.approx(float(np.ravel(theirs)[0]), **SIX_DIGITS)
    # The weight is the one that makes the residuals smallest, by numpy's least squares.
    alone = np.where(labelled, y - y[labelled].mean(), 0.0) / labels
    judge = (p - p.mean()) / n - np.where(labelled, p - p[labelled].mean(), 0.0) / labels
    best = np.clip(np.linalg.lstsq(judge[:, None], -alone)[0][0], 0.0, 1.0)
    assert fit.judge_weight == pytest.approx(best, rel=1e-6, abs=1e-6)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), labels=st.integers(30, 150))
def test_the_paired_difference_is_the_one_of_ppi_py_and_without_a_judge_that_of_scipy(seed: int, labels: int) -> None:
    from ppi_py import ppi_mean_pointestimate

    n = 400
    rng = np.random.default_rng(seed)
    y = rng.choice([-1.0, 0.0, 1.0], size=n, p=[0.05, 0.8, 0.15])
    d = np.clip(0.6 * y + 0.2 * rng.standard_normal(n), -1, 1)
    labelled = np.arange(n) < labels

    def fit(verdicts: np.ndarray) -> tuple[float, float, float]:
        label_weight = np.where(labelled, 2.0, 0.0)
        group = np.zeros(n, dtype=np.int64)
        sums = pair_sums_by_group(np.ones(n), np.ones(n, dtype=bool), verdicts, label_weight, y, group, groups=1)[0]
        found = fit_difference(sums)
        assert found is not None
        return found.mean, found.variance, found.judge_weight

    mean, _, weight = fit(d)
    theirs = ppi_mean_pointestimate(y[labelled], d[labelled], d[~labelled], lam=weight * (1 - labels / n))
    assert mean == pytest.approx(float(np.ravel(theirs)[0]), **SIX_DIGITS)
    mean, variance, _ = fit(np.zeros(n))
    assert mean == pytest.approx(float(y[labelled].mean()), **SIX_DIGITS)
    assert variance**0.5 == pytest.approx(float(stats.sem(y[labelled])), **SIX_DIGITS)
