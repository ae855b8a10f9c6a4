"""From which confidence on do verdicts agree with people as often as promised? Selective evaluation, tested on labels.

Verdicts are ordered by confidence; thresholds are tested from the strictest to the loosest, each by an exact binomial bound on
the share of disagreements, and the last one before the first failure is taken. Testing in a fixed order costs no correction. A
sequence that fails at its first few rows would certify nothing: so there are three, begun at different places, that share out
the doubt.
Source: Jung et al., Trust or Escalate, 2024 (arXiv:2407.18370); Angelopoulos et al., Learn then Test, 2021, for several starts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

#: Where the sequences begin: as shares of the rows that may be decided; the first one as soon as a test can pass at all.
_STARTS = (0.0, 0.25, 0.6)
#: Steps of the sequence at most; a step has to add rows enough to tell anything.
_STEPS = 50
_LEAST_STEP = 10
#: Failing groups at which the measured design effect and the largest one that is possible count the same.
_DOUBT_GROUPS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """threshold: the confidence from which on verdicts are given, None where none could be certified.

    bound: the certified lower bound of agreement. n, agreed: labelled rows at and above the threshold, and how many agreed;
    without one, of the test that came nearest. n_effective: what n is worth, rows of one group being alike.
    """

    threshold: float | None
    bound: float
    n: int
    agreed: int
    n_effective: float


def certified(
    confidences: Sequence[float] | NDArray[np.float64],
    agrees: Sequence[bool] | NDArray[np.bool_],
    groups: Sequence[str],
    *,
    target: float,
    delta: float,
    floor: float,
    before: int = 0,
) -> Certified:
    """The loosest confidence at which agreement is certified to be `target` or more.

    With probability 1 - delta over the draw of labelled rows, agreement at and above the threshold is at least the target.
    confidences: P(agrees), calibrated, in [0, 1]; of rows not used to calibrate it. groups: rows of one group are dependent.
    floor: no looser threshold is taken, whatever the labels say. before: so many of the first rows are decided already, by
    earlier stages; they count in every test, and have no part in the threshold. Cost: O(n log n) for each of up to 50 steps.
    """
    confidence = np.array(confidences, dtype=float)
    confidence[:before] = np.inf
    order = np.argsort(-confidence, kind="stable")
    confidence = confidence[order]
    wrong = ~np.asarray(agrees, dtype=bool)[order]
    _, group = np.unique(np.asarray(groups, dtype=object).astype(str)[order], return_inverse=True)
    share = delta / len(_STARTS)
    counts = _counts(confidence, group, fewest=2 * fewest_labels(target, share), floor=floor, before=before)
    tested: dict[int, Certified] = {}
    passed: list[int] = []
    for start in _STARTS:
        begin = next((i for i, count in enumerate(counts) if count >= start * counts[-1]), 0)
        for count in counts[begin:]:
            if count not in tested:
                tested[count] = _tested(confidence, wrong, group, count, delta=share)
            if tested[count].bound < target:
                break
            passed.append(count)
    if passed:
        return tested[max(passed)]
    best = max(tested.values(), key=lambda one: one.bound, default=None)
    if best is None:
        return Certified(threshold=None, bound=0.0, n=0, agreed=0, n_effective=0.0)
    return replace(best, threshold=None)


def _tested(
    confidence: NDArray[np.float64], wrong: NDArray[np.bool_], group: NDArray[np.intp], count: int, *, delta: float
) -> Certified:
    """The bound on the first `count` rows."""
    n_effective = _effective(wrong[:count], group[:count])
    return Certified(
        threshold=float(confidence[count - 1]),
        bound=round(1 - upper_bound(float(wrong[:count].mean()) * n_effective, n_effective, delta), 4),
        n=count,
        agreed=int(count - wrong[:count].sum()),
        n_effective=round(n_effective, 1),
    )


def fewest_labels(target: float, delta: float) -> int:
    """How many independent labels, all in agreement, it takes to certify the target."""
    return math.ceil(math.log(delta) / math.log(target))


def upper_bound(wrong: float, n: float, delta: float) -> float:
    """Clopper and Pearson's upper bound of a share, with confidence 1 - delta; counts may be effective ones. 1 where n is 0."""
    from scipy.special import betaincinv

    return 1.0 if wrong >= n else float(betaincinv(wrong + 1, n - wrong, 1 - delta))


def _counts(
    confidence: NDArray[np.float64], group: NDArray[np.intp], *, fewest: int, floor: float, before: int
) -> list[int]:
    """How many rows, the most confident first, each test is about. Chosen without looking at any label; ties stay together.

    fewest: groups in the first one. With fewer, one test on all rows, and none below half of it: how alike the rows of a handful
    of groups are cannot be measured.
    """
    eligible = int((confidence >= floor).sum())
    ends = [i for i in range(before + 1, eligible + 1) if i == len(confidence) or confidence[i] < confidence[i - 1]]
    step = max(_LEAST_STEP, (eligible - before) // _STEPS)
    _, first_seen = np.unique(group, return_index=True)
    known = np.searchsorted(np.sort(first_seen), np.arange(len(confidence) + 1))  # groups among the first rows
    counts: list[int] = []
    for end in ends:
        if end - counts[-1] >= step if counts else known[end] >= fewest:
            counts.append(end)
    if ends and known[ends[-1]] >= fewest / 2 and (not counts or counts[-1] < ends[-1]):
        counts.append(ends[-1])
    return counts


def _effective(wrong: NDArray[np.bool_], group: NDArray[np.intp]) -> float:
    """How many independent rows these are worth: n over the design effect of disagreements within groups, at least 1.

    Few failing groups say little about how alike a group's rows are: the measured effect is then drawn to the largest possible
    one, that of groups failing as one. Source: Korn and Graubard 1998, for Clopper-Pearson on clustered rows.
    """
    n = len(wrong)
    sizes = np.bincount(group)
    fails = np.bincount(group, weights=wrong)[sizes > 0]
    sizes = sizes[sizes > 0]
    worst = float((sizes**2).sum() / n)
    share = float(fails.sum() / n)
    if len(sizes) < 2 or not 0 < share < 1:
        return n / worst
    variance = float(((fails - share * sizes) ** 2).sum()) * len(sizes) / (len(sizes) - 1) / n**2
    measured = max(1.0, variance / (share * (1 - share) / n))
    failing = float((fails > 0).sum())
    return n / ((failing * measured + _DOUBT_GROUPS * worst) / (failing + _DOUBT_GROUPS))
