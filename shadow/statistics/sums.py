"""Which sums of a key (bucket, tier, model, query type, feature, band) are enough for every figure of any longer
window?

Every field of `Sums` is a plain sum over requests or samples, so sums of parts add up to the sums of the whole: the
store keeps one double precision column per name in `SUM_FIELDS`, in that order, and no estimate ever touches raw rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Additive sums of one key. Per sample: w = 1/inclusion; v = w/label inclusion if labelled, else 0; p the
    panel's probability that the served answer is acceptable; y the human label (0 or 1, so y*y = y).

    Decided samples (p known) and undecided ones (abstained, failed, pending: their p becomes the slice mean when
    estimating) are summed apart; the latter carry the prefix `u_`. Letters repeat for powers: `wvpp` is the sum of w
    v p^2.
    """

    # All requests of the key.
    requests: float = 0.0
    cost_usd: float = 0.0
    cost_usd_squared: float = 0.0  # sum of each request's cost squared
    # Funnel, in samples. decided = judged; pending = sampled - judged - abstained - failed.
    sampled: float = 0.0
    mirrored: float = 0.0
    judged: float = 0.0
    abstained: float = 0.0
    failed: float = 0.0
    labelled: float = 0.0
    # Decided samples.
    w: float = 0.0
    wp: float = 0.0
    v: float = 0.0
    vp: float = 0.0
    vy: float = 0.0
    ww: float = 0.0
    wwp: float = 0.0
    wwpp: float = 0.0
    wv: float = 0.0
    wvp: float = 0.0
    wvpp: float = 0.0
    wvy: float = 0.0
    wvpy: float = 0.0
    vv: float = 0.0
    vvp: float = 0.0
    vvpp: float = 0.0
    vvy: float = 0.0
    vvpy: float = 0.0
    # Undecided samples.
    u_w: float = 0.0
    u_v: float = 0.0
    u_vy: float = 0.0
    u_ww: float = 0.0
    u_wv: float = 0.0
    u_wvy: float = 0.0
    u_vv: float = 0.0
    u_vvy: float = 0.0
    # Priced samples: the reference's and the served answer's token cost are both known.
    # d = 1/(inclusion of the reference's run).
    priced: float = 0.0
    d: float = 0.0
    d_ref: float = 0.0
    d_served: float = 0.0
    dd: float = 0.0
    dd_ref: float = 0.0
    dd_served: float = 0.0
    dd_ref_ref: float = 0.0
    dd_ref_served: float = 0.0
    dd_served_served: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        return Sums.from_vector(self.vector() + other.vector())

    def vector(self) -> FloatArray:
        """The fields in the order of SUM_FIELDS, shape (len(SUM_FIELDS),)."""
        return np.array([getattr(self, name) for name in SUM_FIELDS])

    @classmethod
    def from_vector(cls, vector: FloatArray) -> Self:
        """Inverse of `vector`."""
        return cls(**dict(zip(SUM_FIELDS, vector.tolist(), strict=True)))

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """From a mapping with at least one number per field, such as a database row; SQL NULL (an empty sum) is 0."""
        return cls(**{name: float(row[name] or 0.0) for name in SUM_FIELDS})  # type: ignore[arg-type]

    @classmethod
    def total(cls, parts: Iterable[Sums]) -> Self:
        """The sums of the union of disjoint parts; of nothing: all zero."""
        return cls.from_vector(np.sum([np.zeros(len(SUM_FIELDS)), *(part.vector() for part in parts)], axis=0))


SUM_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Sums))
"""The columns of the roll-up table, in stable order: append only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Sampled requests of one window as arrays of shape (n,). Values under a False mask are ignored, so any filler
    will do.

    inclusion: pi in (0, 1]. probability: p in [0, 1] where decided. label: 0 or 1, label_inclusion: eta in (0, 1],
    where labelled.
    reference_cost_usd, served_cost_usd: token costs where priced; priced_inclusion: chance that the reference ran
    (default: inclusion). mirrored defaults to all; abstained, failed, labelled and priced to none.
    Raises ValueError for unequal shapes and values out of range.
    """

    inclusion: FloatArray
    decided: BoolArray
    probability: FloatArray
    labelled: BoolArray | None = None
    label: FloatArray | None = None
    label_inclusion: FloatArray | None = None
    mirrored: BoolArray | None = None
    abstained: BoolArray | None = None
    failed: BoolArray | None = None
    priced: BoolArray | None = None
    reference_cost_usd: FloatArray | None = None
    served_cost_usd: FloatArray | None = None
    priced_inclusion: FloatArray | None = None

    def __post_init__(self) -> None:
        shape = self.inclusion.shape
        for field in fields(self):
            array = getattr(self, field.name)
            if array is not None and (array.shape != shape or array.ndim != 1):
                raise ValueError(f"{field.name} has shape {array.shape}, inclusion {shape}")
        _require_probability("inclusion", self.inclusion, positive=True)
        _require_probability("probability", self.probability[self.decided])
        if self.labelled is not None:
            if self.label is None or self.label_inclusion is None:
                raise ValueError("labelled samples need label and label_inclusion")
            _require_probability("label_inclusion", self.label_inclusion[self.labelled], positive=True)
            if not np.isin(self.label[self.labelled], (0.0, 1.0)).all():
                raise ValueError("label must be 0 or 1")
        if self.priced is not None:
            if self.reference_cost_usd is None or self.served_cost_usd is None:
                raise ValueError("priced samples need reference_cost_usd and served_cost_usd")
            if self.priced_inclusion is not None:
                _require_probability("priced_inclusion", self.priced_inclusion[self.priced], positive=True)

    @classmethod
    def empty(cls) -> Self:
        """No sample at all."""
        return cls(inclusion=np.zeros(0), decided=np.zeros(0, dtype=np.bool_), probability=np.zeros(0))


def sums_of(samples: Samples, *, costs_usd: FloatArray) -> Sums:
    """The sums of one key. costs_usd: cost of every request of the key, sampled or not, shape (requests,)."""
    group = np.zeros(samples.inclusion.size, dtype=np.int64)
    matrix = sums_by_group(samples, group, groups=1, costs_usd=costs_usd, cost_group=np.zeros(costs_usd.size, np.int64))
    return Sums.from_vector(matrix[0])


def sums_by_group(
    samples: Samples,
    group: IntArray,
    *,
    groups: int,
    costs_usd: FloatArray | None = None,
    cost_group: IntArray | None = None,
) -> FloatArray:
    """The sums of many keys at once, shape (groups, len(SUM_FIELDS)). group: key index of each sample, in [0, groups).

    costs_usd, cost_group: cost and key index of every request; without them the first three columns stay 0 for the
    caller to fill.
    Cost: one pass per field, O(n).
    """
    matrix = np.zeros((groups, len(SUM_FIELDS)))
    columns = _terms(samples)
    for index, name in enumerate(SUM_FIELDS):
        if name in columns:
            matrix[:, index] = np.bincount(group, weights=columns[name], minlength=groups)
    if costs_usd is not None and cost_group is not None:
        for index, weights in enumerate((np.ones_like(costs_usd), costs_usd, costs_usd**2)):
            matrix[:, index] = np.bincount(cost_group, weights=weights, minlength=groups)
    return matrix


def _terms(samples: Samples) -> dict[str, FloatArray]:
    """What each sample adds to each field that samples feed."""
    n = samples.inclusion.size
    labelled = _mask(samples.labelled, n)
    decided = samples.decided
    weight = 1.0 / samples.inclusion
    label_weight = np.zeros(n)
    y = np.zeros(n)
    if samples.label is not None and samples.label_inclusion is not None:
        label_weight[labelled] = weight[labelled] / samples.label_inclusion[labelled]
        y[labelled] = samples.label[labelled]
    p = np.where(decided, samples.probability, 0.0)
    known, unknown = decided.astype(float), (~decided).astype(float)
    w, v, uw, uv = weight * known, label_weight * known, weight * unknown, label_weight * unknown
    terms = {
        "sampled": np.ones(n),
        "mirrored": np.ones(n) if samples.mirrored is None else samples.mirrored.astype(float),
        "judged": known,
        "abstained": _mask(samples.abstained, n).astype(float),
        "failed": _mask(samples.failed, n).astype(float),
        "labelled": labelled.astype(float),
    }
    terms |= {"w": w, "wp": w * p, "v": v, "vp": v * p, "vy": v * y}
    terms |= {"ww": w * w, "wwp": w * w * p, "wwpp": w * w * p * p}
    terms |= {"wv": w * v, "wvp": w * v * p, "wvpp": w * v * p * p, "wvy": w * v * y, "wvpy": w * v * p * y}
    terms |= {"vv": v * v, "vvp": v * v * p, "vvpp": v * v * p * p, "vvy": v * v * y, "vvpy": v * v * p * y}
    terms |= {"u_w": uw, "u_v": uv, "u_vy": uv * y, "u_ww": uw * uw, "u_wv": uw * uv, "u_wvy": uw * uv * y}
    terms |= {"u_vv": uv * uv, "u_vvy": uv * uv * y}
    if samples.priced is not None and samples.reference_cost_usd is not None and samples.served_cost_usd is not None:
        chance = samples.inclusion if samples.priced_inclusion is None else samples.priced_inclusion
        priced = samples.priced
        d, ref, served = np.zeros(n), np.zeros(n), np.zeros(n)
        d[priced] = 1.0 / chance[priced]
        ref[priced], served[priced] = samples.reference_cost_usd[priced], samples.served_cost_usd[priced]
        terms |= {"priced": priced.astype(float), "d": d, "d_ref": d * ref, "d_served": d * served}
        terms |= {"dd": d * d, "dd_ref": d * d * ref, "dd_served": d * d * served}
        terms |= {
            "dd_ref_ref": (d * ref) ** 2,
            "dd_ref_served": d * d * ref * served,
            "dd_served_served": (d * served) ** 2,
        }
    return terms


def _mask(mask: BoolArray | None, n: int) -> BoolArray:
    return np.zeros(n, dtype=np.bool_) if mask is None else mask


def _require_probability(name: str, values: FloatArray, *, positive: bool = False) -> None:
    # `not all` also catches NaN, which every comparison denies.
    if not ((values > 0 if positive else values >= 0) & (values <= 1)).all():
        raise ValueError(f"{name} must lie in {'(0, 1]' if positive else '[0, 1]'}")
