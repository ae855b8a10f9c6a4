"""How far do the panel's verdicts on live traffic agree with human labels? From four weighted sums, so any window can be asked.

Agreement, sensitivity and specificity are shares with Wilson's interval at their effective n. Cohen's kappa has the interval of
its large-sample variance (Fleiss, Cohen, Everitt 1969). `judge_quality` measures judges offline, on files, by resampling.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import hypot, sqrt

from shadow.statistics.estimate import Estimate
from shadow.statistics.wilson import quantile, wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Additive sums of v = 1/(inclusion * label inclusion) over labelled answers with a verdict, and of v squared.

    tp: accepted and good; fp: accepted and bad; fn: rejected and good; tn: rejected and bad.
    """

    labelled: int = 0
    tp: float = 0.0
    fp: float = 0.0
    fn: float = 0.0
    tn: float = 0.0
    tp2: float = 0.0
    fp2: float = 0.0
    fn2: float = 0.0
    tn2: float = 0.0

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            **{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """None where there is nothing to say: no label, no good (bad) answer among them, or chance agreement that is complete.

    informedness: sensitivity + specificity - 1; its lower end is what a judge-only margin may count on.
    """

    agreement: Estimate | None
    sensitivity: Estimate | None
    specificity: Estimate | None
    informedness: Estimate | None
    kappa: Estimate | None


def agreement(counts: Confusion, *, level: float = 0.95) -> Agreement:
    """All figures of one window."""
    c = counts
    sensitivity = _share(c.tp, c.fn, c.tp2, c.fn2, level)
    specificity = _share(c.tn, c.fp, c.tn2, c.fp2, level)
    return Agreement(
        agreement=_share(c.tp + c.tn, c.fp + c.fn, c.tp2 + c.tn2, c.fp2 + c.fn2, level),
        sensitivity=sensitivity,
        specificity=specificity,
        informedness=_informedness(sensitivity, specificity, level),
        kappa=_kappa(c, level),
    )


def _share(hit: float, miss: float, hit2: float, miss2: float, level: float) -> Estimate | None:
    total = hit + miss
    if total <= 0.0:
        return None
    n = total**2 / (hit2 + miss2)
    value = hit / total
    low, high = wilson_interval(value, n, level=level)
    return Estimate(
        value=value, low=low, high=high, n=round(n), labelled=round(n), level=level, method="wilson", effective_n=n
    )


def _informedness(sensitivity: Estimate | None, specificity: Estimate | None, level: float) -> Estimate | None:
    """Their sum minus 1, the two errors added on each side apart (MOVER, Zou and Donner 2008)."""
    if sensitivity is None or specificity is None:
        return None
    both = (sensitivity, specificity)
    value = sensitivity.value + specificity.value - 1.0
    below = hypot(*(one.value - one.low for one in both))
    above = hypot(*((one.high or 0.0) - one.value for one in both))
    n = min(one.n for one in both)
    return Estimate(
        value=value,
        low=max(-1.0, value - below),
        high=min(1.0, value + above),
        n=n,
        labelled=n,
        level=level,
        method="wilson",
    )


def kappa_and_variance(counts: Confusion) -> tuple[float, float] | None:
    """Cohen's kappa and its large-sample variance at the effective n; None without labels or where chance agreement is 1."""
    table = ((counts.tp, counts.fp), (counts.fn, counts.tn))
    total = sum(map(sum, table))
    if total <= 0.0:
        return None
    share = [[cell / total for cell in row] for row in table]
    rows, columns = [sum(row) for row in share], [share[0][at] + share[1][at] for at in (0, 1)]
    agreed, chance = share[0][0] + share[1][1], rows[0] * columns[0] + rows[1] * columns[1]
    if chance >= 1.0:
        return None
    value = (agreed - chance) / (1.0 - chance)
    same = sum(share[i][i] * (1.0 - (rows[i] + columns[i]) * (1.0 - value)) ** 2 for i in (0, 1))
    other = sum(share[i][1 - i] * (columns[i] + rows[1 - i]) ** 2 for i in (0, 1)) * (1.0 - value) ** 2
    squares = counts.tp2 + counts.fp2 + counts.fn2 + counts.tn2
    spread = max(0.0, same + other - (value - chance * (1.0 - value)) ** 2)
    return value, spread / (1.0 - chance) ** 2 * squares / total**2


def _kappa(counts: Confusion, level: float) -> Estimate | None:
    """The interval is that of a table with half a label more in each cell: where all agree, that all would is not proven."""
    found = kappa_and_variance(counts)
    if found is None:
        return None
    squares = counts.tp2 + counts.fp2 + counts.fn2 + counts.tn2
    n = (counts.tp + counts.fp + counts.fn + counts.tn) ** 2 / squares
    half_a_label = 0.5 * (counts.tp + counts.fp + counts.fn + counts.tn) / n
    more = Confusion(
        tp=half_a_label,
        fp=half_a_label,
        fn=half_a_label,
        tn=half_a_label,
        tp2=squares / n / 2,
        fp2=squares / n / 2,
        fn2=squares / n / 2,
        tn2=squares / n / 2,
    )
    smoothed = kappa_and_variance(counts + more)
    value = found[0]
    centre, variance = found if smoothed is None else smoothed
    half = quantile(level) * sqrt(variance)
    return Estimate(
        value=value,
        low=max(-1.0, min(value, centre - half)),
        high=min(1.0, max(value, centre + half)),
        n=round(n),
        labelled=counts.labelled,
        level=level,
        method="wilson",
        effective_n=n,
    )
