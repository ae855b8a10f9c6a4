"""How unlikely is it that the mean of bounded losses is above a bound, at any sample size?

A gambler bets on each draw in turn that its loss stays below the bound. If the mean loss is not below it, no strategy makes
the wealth grow: P(wealth ever reaches 1/alpha) <= alpha (Ville 1939). So 1 / (largest wealth so far) is a p-value without
any assumption but that the draws have, given those before them, a mean loss of at least the bound.

Source: Waudby-Smith and Ramdas 2024 (arXiv:2010.09686), betting with a mixture of fixed strategies.
"""

from __future__ import annotations

import numpy as np

from shadow.statistics.sums import FloatArray

FRACTIONS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75)
"""Shares of the largest allowed bet; equal shares of the first stake go to each."""


def mixture_log_wealth(gains: FloatArray, bets: FloatArray) -> FloatArray:
    """Natural logarithm of the wealth after each draw, shape (n,), starting from 1, the mean over bets of prod(1 + bet * gain).

    gains: shape (n,), in the order of the draws; bets: shape (k,), fixed before the first draw, each with
    1 + bet * gain >= 0 for every possible gain. Raises ValueError where a gain would leave a bet with less than nothing.
    Cost: O(n k).
    """
    if gains.size == 0:
        return np.zeros(0)
    factors = np.multiply.outer(gains, bets)
    if float(factors.min()) < -1.0:
        raise ValueError("a bet can lose more than everything: it is too large for these gains")
    with np.errstate(divide="ignore"):  # a bet may lose everything: its logarithm is -inf, the others go on
        logs = np.cumsum(np.log1p(factors), axis=0)
    wealth: FloatArray = np.logaddexp.reduce(logs, axis=1) - np.log(bets.size)
    return wealth


def betting_p_value(
    losses: FloatArray, weights: FloatArray, *, epsilon: float, largest_weight: float | None = None
) -> float:
    """P-value of "the mean loss over all requests is at least epsilon", valid at every sample size.

    losses: in [-1, 1], shape (n,), in request order. weights: 1 / inclusion probability, 0 where nothing was observed (such
    a row changes nothing). The gain is w (epsilon - loss): its mean is not positive if the mean loss is at least epsilon.
    largest_weight: of the sampling design, known beforehand; by default the largest one given.
    1.0 without observations. Raises ValueError for values out of range. Cost: O(n).
    """
    if not 0.0 < epsilon < 1.0:
        raise ValueError(f"epsilon must lie in (0, 1), got {epsilon}")
    if losses.shape != weights.shape or losses.ndim != 1:
        raise ValueError(f"losses have shape {losses.shape}, weights {weights.shape}")
    seen = weights > 0.0
    if not seen.any():
        return 1.0
    w, loss = weights[seen], losses[seen]
    if not (np.abs(loss) <= 1.0 + 1e-9).all():
        raise ValueError("losses must lie in [-1, 1]")
    most = float(w.max()) if largest_weight is None else largest_weight
    if most < float(w.max()) * (1.0 - 1e-12):
        raise ValueError(f"a weight of {w.max():g} is above the largest weight, {most:g}")
    bets = np.array(FRACTIONS) / (most * (1.0 - epsilon))
    log_wealth = mixture_log_wealth(w * (epsilon - loss), bets)
    return float(np.exp(-max(0.0, float(log_wealth.max()))))
