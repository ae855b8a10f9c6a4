"""Which cells of the traffic got worse from one period to the next, by how much, and what would a quiet cell have shown?

A cell is a tier x query type x feature. The statistic is judged accuracy: what is found is that the judges accept fewer answers.
Cells are disjoint and form one family of tests; the marginals (a tier, a query type, a feature over all else) are made of the
same requests, so they are a second family, reported apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from shadow.statistics.discoveries import FALSE_DISCOVERY_RATE, LEAST_N, Outcome, Slices, report, rise_interval
from shadow.statistics.estimate import Estimate
from shadow.statistics.moments import Moments
from shadow.statistics.sums import FloatArray
from shadow.statistics.wilson import wilson_intervals

NotTestable = Literal["no_verdicts_now", "no_verdicts_before", "few_verdicts_now", "few_verdicts_before"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """About one cell. now, before: judged accuracy; None without a verdict. change: now - before, negative is worse; its interval
    is not adjusted for the number of cells. reason: why not testable. p_value: one-sided, of "not worse".

    detectable: for a quiet cell, the smallest drop that would have been found with power .8; None where none would.
    """

    outcome: Outcome
    reason: NotTestable | None
    now: Estimate | None
    before: Estimate | None
    change: Estimate | None
    p_value: float | None
    detectable: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Cells that were tested together. testable: how many; threshold: the p-value that one more would have needed."""

    cells: Sequence[CellChange]
    testable: int
    threshold: float
    q: float


def slices_of(now: Moments, before: Moments, *, design_effect: float = 1.0) -> Slices:
    """Failure rates and effective n of k cells on both sides."""
    return Slices(
        failures_now=1.0 - now.accuracy,
        n_now=now.effective_n(design_effect),
        failures_before=1.0 - before.accuracy,
        n_before=before.effective_n(design_effect),
    )


def compare(
    now: Moments,
    before: Moments,
    *,
    design_effect: float = 1.0,
    q: float = FALSE_DISCOVERY_RATE,
    level: float = 0.95,
) -> Family:
    """Hold k cells against what they were, as one family. design_effect: of sessions, at least 1; counts are divided by it.

    Cost: milliseconds for 200 cells.
    """
    slices = slices_of(now, before, design_effect=design_effect)
    found = report(slices, q=q)
    rise_low, rise_high = rise_interval(slices, level=level)
    accuracy_now = _estimates(1.0 - slices.failures_now, slices.n_now, now.judged, level)
    accuracy_before = _estimates(1.0 - slices.failures_before, slices.n_before, before.judged, level)
    cells = []
    for at, finding in enumerate(found.findings):
        a, b = accuracy_now[at], accuracy_before[at]
        change = None
        if a is not None and b is not None:
            change = Estimate(
                value=-finding.rise,
                low=min(-finding.rise, -float(rise_high[at])),
                high=max(-finding.rise, -float(rise_low[at])),
                n=a.n + b.n,
                level=level,
                method="newcombe",
                corrected=False,
            )
        cells.append(
            CellChange(
                outcome=finding.outcome,
                reason=_reason(a, b, float(slices.n_now[at])) if finding.outcome == "not_testable" else None,
                now=a,
                before=b,
                change=change,
                p_value=finding.p_value,
                detectable=finding.detectable,
            )
        )
    testable = sum(cell.p_value is not None for cell in cells)
    return Family(cells=tuple(cells), testable=testable, threshold=found.threshold, q=q)


def _estimates(accuracy: FloatArray, n: FloatArray, judged: FloatArray, level: float) -> list[Estimate | None]:
    lows, highs = wilson_intervals(accuracy, np.where(n > 0.0, n, 1.0), level=level)
    return [
        Estimate(
            value=float(accuracy[at]),
            low=float(lows[at]),
            high=float(highs[at]),
            n=round(float(judged[at])),
            level=level,
            method="judge_only",
            effective_n=float(n[at]),
            corrected=False,
        )
        if judged[at] > 0.0 and n[at] > 0.0
        else None
        for at in range(accuracy.size)
    ]


def _reason(now: Estimate | None, before: Estimate | None, n_now: float) -> NotTestable:
    if now is None:
        return "no_verdicts_now"
    if before is None:
        return "no_verdicts_before"
    return "few_verdicts_now" if n_now < LEAST_N else "few_verdicts_before"
