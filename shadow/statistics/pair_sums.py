"""Which sums over pairs of tiers are enough for the loss of serving one of them instead of the other, in any longer window?

The same as `shadow.statistics.sums`, on D = accept(other tier) - accept(served tier) in [-1, 1]: where the other tier is the
reference, D is what serving cheaper has lost. A pair with one side missing has no D: it is never taken for a tie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from shadow.statistics.sums import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSums:
    """Additive sums over drawn pairs of one key. w: 1/chance that the other tier was asked; v: w/label chance if both answers
    are labelled, else 0; d: D from verdicts, in [-1, 1]; y: D from labels, -1, 0 or 1 (so y*y is not y).

    Letters repeat for powers: `wvdd` is the sum of w v d^2. Pairs without verdicts on both sides carry the prefix `u_`.
    """

    pairs: float = 0.0
    judged: float = 0.0
    labelled: float = 0.0
    w: float = 0.0
    wd: float = 0.0
    wdd: float = 0.0
    v: float = 0.0
    vd: float = 0.0
    vdd: float = 0.0
    vy: float = 0.0
    vyy: float = 0.0
    ww: float = 0.0
    wwd: float = 0.0
    wwdd: float = 0.0
    wv: float = 0.0
    wvd: float = 0.0
    wvdd: float = 0.0
    wvy: float = 0.0
    wvdy: float = 0.0
    vv: float = 0.0
    vvd: float = 0.0
    vvdd: float = 0.0
    vvy: float = 0.0
    vvyy: float = 0.0
    vvdy: float = 0.0
    u_w: float = 0.0
    u_v: float = 0.0
    u_vy: float = 0.0
    u_vyy: float = 0.0
    u_ww: float = 0.0
    u_wv: float = 0.0
    u_wvy: float = 0.0
    u_vv: float = 0.0
    u_vvy: float = 0.0
    u_vvyy: float = 0.0

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """From a mapping with at least one number per field, such as a database row; SQL NULL (an empty sum) is 0."""
        return cls(**{name: float(row[name] or 0.0) for name in PAIR_FIELDS})  # type: ignore[arg-type]

    @classmethod
    def total(cls, parts: Iterable[PairSums]) -> Self:
        """The sums of the union of disjoint parts; of nothing: all zero."""
        rows = [[getattr(part, name) for name in PAIR_FIELDS] for part in parts]
        sums = np.sum(rows, axis=0) if rows else np.zeros(len(PAIR_FIELDS))
        return cls(**dict(zip(PAIR_FIELDS, sums.tolist(), strict=True)))

    def scaled(self, factor: float) -> Self:
        """The same with all weights times `factor`; counts stay."""
        values = {name: getattr(self, name) * factor ** _weights(name) for name in PAIR_FIELDS}
        return type(self)(**values)


PAIR_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(PairSums))
"""The columns of the roll-up table of pairs, in stable order: append only."""


_COUNTS = ("pairs", "judged", "labelled")


def _weights(name: str) -> int:
    """How many weights are multiplied in a field."""
    return 0 if name in _COUNTS else sum(name.removeprefix("u_").count(letter) for letter in "wv")


def pair_sums_of(
    *,
    inclusion: FloatArray,
    judged: BoolArray,
    judged_loss: FloatArray,
    labelled: BoolArray,
    label_loss: FloatArray,
    label_inclusion: FloatArray,
) -> PairSums:
    """The sums of one key from its drawn pairs, all of shape (n,). Values under a False mask are ignored.

    inclusion, label_inclusion: in (0, 1]; judged_loss: d in [-1, 1]; label_loss: y, -1, 0 or 1. Raises ValueError for an
    inclusion probability outside (0, 1].
    """
    for name, chance in (("inclusion", inclusion), ("label_inclusion", label_inclusion[labelled])):
        if not ((chance > 0) & (chance <= 1)).all():
            raise ValueError(f"{name} must lie in (0, 1]")
    w = 1.0 / inclusion
    v = np.divide(w, label_inclusion, out=np.zeros_like(w), where=labelled)
    return pair_sums_by_group(w, judged, judged_loss, v, label_loss, np.zeros(w.size, dtype=np.int64), groups=1)[0]


def pair_sums_by_group(
    weight: FloatArray,
    judged: BoolArray,
    judged_loss: FloatArray,
    label_weight: FloatArray,
    label_loss: FloatArray,
    group: IntArray,
    *,
    groups: int,
) -> list[PairSums]:
    """The sums of each key from drawn pairs, all of shape (n,). weight: w; label_weight: v, 0 where not labelled.

    group: index of the key of each pair, in [0, groups). Cost: one pass per field, O(n).
    """
    labelled = label_weight > 0.0
    letters = {
        "w": weight,
        "v": label_weight,
        "d": np.where(judged, judged_loss, 0.0),
        "y": np.where(labelled, label_loss, 0.0),
    }
    columns = {"pairs": np.ones(weight.size), "judged": judged.astype(float), "labelled": labelled.astype(float)}
    for name in PAIR_FIELDS[len(_COUNTS) :]:
        column = (~judged if name.startswith("u_") else judged).astype(float)
        for letter in name.removeprefix("u_"):
            column = column * letters[letter]
        columns[name] = column
    sums = {name: np.bincount(group, weights=column, minlength=groups) for name, column in columns.items()}
    return [PairSums(**{name: float(values[key]) for name, values in sums.items()}) for key in range(groups)]
