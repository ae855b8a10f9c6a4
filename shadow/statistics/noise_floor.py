"""How often does the reference differ from itself, and how much more often does a tier differ from the reference?

A control sample holds three answers to one request: the tier's own, and two of the reference. Divergence is
d(x, r) = 1 - p, p being the panel's probability that a careful human accepts x against r; both pairs of a sample are held
against the same first reference answer, by the same panel:

    divergence  mean of d(served, ref1)
    floor       mean of d(ref2, ref1): what this panel calls different although nothing is
    excess      mean of d(served, ref1) - d(ref2, ref1), within requests; negative where the tier differs less

The two reference answers are drawn alike, so which of them is called the second does not matter. All three figures are means
over the same pairs, weighted by 1 / inclusion probability, and rest on the panel alone: one that errs sees a part of the true
excess only, its sensitivity + specificity - 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from math import sqrt
from typing import Self

from scipy.special import stdtrit

from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.wilson import wilson_interval

#: Fewest pairs for which the excess has an interval that keeps its promise.
MIN_PAIRS = 30
#: Pairs added to the interval of the excess: half of them at no difference, a quarter at each end.
_PSEUDO_PAIRS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseSums:
    """Additive sums over control samples. w: 1 / inclusion probability; d, r in [0, 1]: divergence of the served answer and of
    the reference's second one, over pairs where the panel decided on both. Names say the product: wwdr = sum of w * w * d * r.

    control: samples drawn; abstained: without a verdict on one of the two; failed: an answer is missing. The rest is waiting.
    """

    control: float = 0.0
    pairs: float = 0.0
    abstained: float = 0.0
    failed: float = 0.0
    w: float = 0.0
    ww: float = 0.0
    wd: float = 0.0
    wr: float = 0.0
    wwd: float = 0.0
    wwr: float = 0.0
    wwdd: float = 0.0
    wwdr: float = 0.0
    wwrr: float = 0.0

    @classmethod
    def total(cls, parts: Iterable[NoiseSums]) -> Self:
        """All of them together."""
        parts = list(parts)
        return cls(**{name: sum(getattr(part, name) for part in parts) for name in NOISE_FIELDS})


NOISE_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(NoiseSums))


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """The three figures, and what they rest on. undefined: for each missing figure, by field name, why.

    coverage: share of the control samples with a verdict on both pairs.
    """

    divergence: Estimate | None
    floor: Estimate | None
    excess: Estimate | None
    coverage: Estimate | None
    control: int
    pairs: int
    undefined: Mapping[str, Undefined]


def noise_floor(sums: NoiseSums, *, level: float = 0.95) -> NoiseFloor:
    """Divergence, floor and excess from control samples, each an estimate or a reason.

    The two rates: self-normalised mean, Wilson's interval with Kish's effective n; cautious, as soft probabilities vary less
    than verdicts do. The excess: self-normalised mean of the differences, Student's t with one pseudo-pair, because differences
    are rare, and a run without any does not mean that there are none.
    Source: Hajek 1971; Agresti and Min 2005 for pseudo-pairs of matched proportions.
    """
    nothing = _lacking(sums)
    few = nothing or (
        Undefined(reason="few_control_pairs", detail=f"{round(sums.pairs)} of {MIN_PAIRS}")
        if sums.pairs < MIN_PAIRS
        else None
    )
    undefined = {} if nothing is None else {"divergence": nothing, "floor": nothing}
    return NoiseFloor(
        divergence=None if nothing else _rate(sums.wd / sums.w, sums, level),
        floor=None if nothing else _rate(sums.wr / sums.w, sums, level),
        excess=None if few else _excess(sums, level),
        coverage=_coverage(sums, level),
        control=round(sums.control),
        pairs=round(sums.pairs),
        undefined=undefined if few is None else {**undefined, "excess": few},
    )


def _lacking(sums: NoiseSums) -> Undefined | None:
    """Why there is no mean at all."""
    if sums.control == 0:
        return Undefined(reason="no_control_samples")
    if sums.pairs == 0 and sums.failed == sums.control:
        return Undefined(reason="control_failed", detail=f"{round(sums.failed)}")
    if sums.pairs == 0:
        return Undefined(reason="no_verdicts")
    return Undefined(reason="one_sample") if sums.pairs == 1 else None


def _rate(mean: float, sums: NoiseSums, level: float) -> Estimate:
    value, n = min(1.0, max(0.0, mean)), _kish(sums)
    low, high = wilson_interval(value, n, level=level)
    return _estimate(value, low, high, sums, level)


def _excess(sums: NoiseSums, level: float) -> Estimate:
    mean = (sums.wd - sums.wr) / sums.w
    unit = sums.ww / sums.w  # the weight of one more pair as heavy as the others
    weight = sums.w + _PSEUDO_PAIRS * unit
    centre = mean * sums.w / weight
    squares = sums.wwdd - 2 * sums.wwdr + sums.wwrr
    spread = squares - 2 * centre * (sums.wwd - sums.wwr) + centre**2 * sums.ww
    spread += _PSEUDO_PAIRS * unit**2 * ((1 - centre) ** 2 / 4 + (1 + centre) ** 2 / 4 + centre**2 / 2)
    quantile = float(stdtrit(_kish(sums) + _PSEUDO_PAIRS - 1.0, (1.0 + level) / 2.0))
    half = quantile * sqrt(max(0.0, spread)) / weight
    low, high = max(-1.0, centre - half), min(1.0, centre + half)
    return _estimate(mean, min(mean, low), max(mean, high), sums, level)


def _estimate(value: float, low: float, high: float, sums: NoiseSums, level: float) -> Estimate:
    return Estimate(
        value=value,
        low=low,
        high=high,
        n=round(sums.pairs),
        level=level,
        method="judge_only",
        effective_n=_kish(sums),
        corrected=False,
    )


def _coverage(sums: NoiseSums, level: float) -> Estimate | None:
    if sums.control == 0:
        return None
    share = sums.pairs / sums.control
    low, high = wilson_interval(share, sums.control, level=level)
    return Estimate(
        value=share, low=low, high=high, n=round(sums.control), level=level, method="wilson", effective_n=sums.control
    )


def _kish(sums: NoiseSums) -> float:
    """Equally weighted pairs that these are worth."""
    return sums.w**2 / sums.ww
