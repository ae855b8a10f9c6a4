"""How many pairs does it take to show that a policy's loss is below epsilon?"""

from __future__ import annotations

from math import ceil, log, log1p

from scipy.special import ndtri

from shadow.statistics.paired_evidence import RoutedEvidence
from shadow.statistics.risk import risk_moments

DISCORDANCE = 0.1
BETTING_FACTOR = 2.2
"""A test that may stop at any time and assumes nothing needs more pairs than a normal one of fixed size for the same power:
2.2 times for power .8 at level .1, by simulation."""


def pairs_needed(
    risk: float, *, epsilon: float, delta: float, power: float = 0.8, second_moment: float = DISCORDANCE
) -> int | None:
    """Equally weighted pairs after which a true risk below epsilon is shown with this power at level delta.

    second_moment: mean of D^2, about the share of requests on which the two tiers differ. Betting needs BETTING_FACTOR times
    as many.
    Never fewer than log(delta) / log(1 - epsilon): so many pairs without a loss are likely if the risk is epsilon. None
    where risk >= epsilon: no number shows what is not so. Source: normal approximation, Fleiss 1981, sec. 2.4.
    """
    if risk >= epsilon:
        return None
    quantiles = float(ndtri(1.0 - delta)) + float(ndtri(power))
    return max(ceil(quantiles**2 * second_moment / (epsilon - risk) ** 2), least_pairs(epsilon=epsilon, delta=delta))


def least_pairs(*, epsilon: float, delta: float) -> int:
    """Pairs below which nothing can be shown even without a single loss: 76 for epsilon .03 and delta .1."""
    return ceil(log(delta) / log1p(-epsilon))


def more_pairs_needed(
    evidence: RoutedEvidence, *, labels: bool, epsilon: float, delta: float, power: float = 0.8, factor: float = 1.0
) -> int | None:
    """Drawn pairs missing for this policy, each worth as much as those there are; None where the loss seems too large.

    factor: BETTING_FACTOR for betting. At least 1, as this is asked where a test has failed.
    """
    found = risk_moments(evidence, labels=labels)
    if found is None:
        return least_pairs(epsilon=epsilon, delta=delta)
    needed = pairs_needed(found.mean, epsilon=epsilon, delta=delta, power=power, second_moment=found.variance_per_pair)
    return None if needed is None else max(1, ceil(factor * needed) - found.pairs)
