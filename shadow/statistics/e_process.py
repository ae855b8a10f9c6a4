"""How much evidence against "the mean gain is not positive" has come in so far, looked at as often as one likes?

An e-process is a gambler's wealth: it starts at 1, bets on each draw in turn, and under the null it exceeds 1/alpha at any time
with probability alpha at most (Ville 1939). So it may be looked at after every draw, for years, without false alarms adding up.
The state is a few numbers that are kept between looks. Source: arXiv:2010.09686 (betting, mixture of fixed strategies).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log, pi
from typing import Self

import numpy as np

from shadow.statistics.sums import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class EProcess:
    """bets: fixed before the first draw, each with 1 + bet * gain > 0 for any possible gain. log_capitals: natural logarithm
    of what each has made of a stake of 1. peak: logarithm of the largest wealth so far; draws: how many were bet on."""

    bets: tuple[float, ...]
    log_capitals: tuple[float, ...]
    peak: float = 0.0
    draws: int = 0

    @classmethod
    def start(cls, bets: tuple[float, ...]) -> Self:
        """Nothing seen yet. Raises ValueError without bets, or for one that is not positive."""
        if not bets or min(bets) <= 0.0:
            raise ValueError(f"bets must be positive, got {bets}")
        return cls(bets=bets, log_capitals=(0.0,) * len(bets))

    @property
    def log_wealth(self) -> float:
        """Of the mixture, now."""
        return float(np.logaddexp.reduce(np.array(self.log_capitals))) - log(len(self.bets))

    @property
    def p_value(self) -> float:
        """1 / (largest wealth so far), valid at any time."""
        return exp(-self.peak)

    def fired(self, alpha: float) -> bool:
        """Whether the wealth has ever reached 1/alpha."""
        return self.peak >= -log(alpha)

    def advance(self, gains: FloatArray) -> EProcess:
        """The state after these further draws, shape (n,), in order. The same in one piece or in many.

        Raises ValueError where a bet could lose everything: the gains are not in the range that the bets are made for.
        """
        if gains.size == 0:
            return self
        factors = np.multiply.outer(gains, np.array(self.bets))
        if not float(factors.min()) > -1.0:
            raise ValueError("a gain is outside the range that the bets were made for")
        logs = np.array(self.log_capitals) + np.cumsum(np.log1p(factors), axis=0)
        wealth = np.logaddexp.reduce(logs, axis=1) - log(len(self.bets))
        return EProcess(
            bets=self.bets,
            log_capitals=tuple(logs[-1].tolist()),
            peak=max(self.peak, float(wealth.max(initial=-inf))),
            draws=self.draws + gains.size,
        )


def epoch_alpha(alpha: float, epoch: int) -> float:
    """The level of the epoch-th start (1, 2, ...): 6 alpha / (pi^2 epoch^2), so that all levels add up to alpha."""
    if epoch < 1:
        raise ValueError(f"epochs are counted from 1, got {epoch}")
    return 6.0 * alpha / (pi**2 * epoch**2)
