"""Which sums over pairs of tiers are enough for the loss of serving one of them instead of the other, in any longer window?

The same as `shadow.statistics.sums`, on D = accept(other tier) - accept(served tier) in [-1, 1]: where the other tier is the
reference, D is what serving cheaper has lost. A pair with one side missing has no D: it is never taken for a tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from shadow.statistics.sums import BoolArray, FloatArray


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


PAIR_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(PairSums))
"""The columns of the roll-up table of pairs, in stable order: append only."""


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
    letters = {"w": w, "v": v, "d": np.where(judged, judged_loss, 0.0), "y": np.where(labelled, label_loss, 0.0)}
    sums = {"pairs": float(w.size), "judged": float(judged.sum()), "labelled": float(labelled.sum())}
    for name in PAIR_FIELDS[len(sums) :]:
        kept = ~judged if name.startswith("u_") else judged
        product = np.prod([letters[letter] for letter in name.removeprefix("u_")], axis=0)
        sums[name] = float(product[kept].sum())
    return PairSums(**sums)
