"""What is known of the loss that each cheaper tier would bring, request by request?

The loss of serving tier t is D = Y_reference - Y_t: 1 where only the reference is acceptable, -1 where only tier t is. It is
known where both answers were obtained, from verdicts (a value in [-1, 1]) or from human labels (-1, 0 or 1). A pair with one
side missing has no loss: it is never taken for a tie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from shadow.statistics.sums import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedEvidence:
    """n requests in request order, T tiers, cheapest first; the last one is the reference.

    inclusion: (n, T). Below the top: chance, fixed by the design, that the answers of tier t and of the reference are both
    obtained; 0 where that can never happen. Last column: chance that the request is a row here (1 if every request is one).
    drawn: (n, T-1), the draw asked for both answers, whatever came of it. judged: (n, T-1), both have a verdict;
    judged_loss: p_reference - p_t there. labelled: (n, T-1), both have a human label; label_loss: D there; label_inclusion:
    (n, T-1), chance of being labelled if drawn. Values under a False mask are ignored.
    Raises ValueError for unequal shapes, values out of range, and a pair that was drawn with chance 0, or judged or
    labelled without being drawn.
    """

    inclusion: FloatArray
    drawn: BoolArray
    judged: BoolArray
    judged_loss: FloatArray
    labelled: BoolArray | None = None
    label_loss: FloatArray | None = None
    label_inclusion: FloatArray | None = None

    def __post_init__(self) -> None:
        n, tiers = self.inclusion.shape
        for name in ("drawn", "judged", "judged_loss", "labelled", "label_loss", "label_inclusion"):
            array = getattr(self, name)
            if array is not None and array.shape != (n, tiers - 1):
                raise ValueError(f"{name} has shape {array.shape}, need {(n, tiers - 1)}")
        if not ((self.inclusion >= 0) & (self.inclusion <= 1)).all() or not (self.inclusion[:, -1] > 0).all():
            raise ValueError("inclusion must lie in [0, 1], and be positive in the last column")
        if (self.inclusion[:, :-1][self.drawn] <= 0).any():
            raise ValueError("a pair was drawn whose inclusion probability is 0")
        _require_losses("judged_loss", self.judged_loss, self.judged, self.drawn)
        if self.labelled is None:
            return
        if self.label_loss is None or self.label_inclusion is None:
            raise ValueError("labelled pairs need label_loss and label_inclusion")
        _require_losses("label_loss", self.label_loss, self.labelled, self.drawn)
        if not (self.label_inclusion[self.labelled] > 0).all():
            raise ValueError("a pair was labelled whose label inclusion probability is 0")

    @classmethod
    def of_truth(cls, losses: FloatArray, drawn: BoolArray, inclusion: FloatArray) -> Self:
        """Where the truth of every drawn pair is known: verdicts and labels are the losses, shape (n, T-1)."""
        return cls(
            inclusion=inclusion,
            drawn=drawn,
            judged=drawn,
            judged_loss=losses,
            labelled=drawn,
            label_loss=losses,
            label_inclusion=np.ones_like(losses),
        )

    def take(self, rows: IntArray | BoolArray) -> Self:
        """These requests only."""
        return type(self)(
            inclusion=self.inclusion[rows],
            drawn=self.drawn[rows],
            judged=self.judged[rows],
            judged_loss=self.judged_loss[rows],
            labelled=None if self.labelled is None else self.labelled[rows],
            label_loss=None if self.label_loss is None else self.label_loss[rows],
            label_inclusion=None if self.label_inclusion is None else self.label_inclusion[rows],
        )

    @property
    def row_weights(self) -> FloatArray:
        """How many requests each row stands for, shape (n,)."""
        weights: FloatArray = 1.0 / self.inclusion[:, -1]
        return weights

    @property
    def labels(self) -> int:
        """Requests with labels on the reference's answer and on that of a cheaper tier."""
        return 0 if self.labelled is None else int(self.labelled.any(axis=1).sum())

    @property
    def fully_labelled(self) -> bool:
        """Whether every pair with a verdict was certain to be labelled, and is."""
        if self.labelled is None or self.label_inclusion is None or not self.labelled.any():
            return False
        return bool((self.labelled >= self.judged).all() and (self.label_inclusion[self.labelled] == 1.0).all())


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedEvidence:
    """What is known of the loss of one policy, all of shape (n,).

    row_weights: requests that each row stands for. below: sent below the top, where alone anything can be lost. tier: where
    to. weight: 1/inclusion of the pair if drawn, else 0. judged, loss: verdicts on both answers; label_weight: weight /
    label inclusion if labelled, else 0; label_loss. unseen: some requests are sent where no pair can ever be drawn; each of
    them counts as known to be lost, the worst case. largest_weight: that any row of this policy could have had, drawn or not.
    """

    row_weights: FloatArray
    below: BoolArray
    tier: IntArray
    weight: FloatArray
    judged: BoolArray
    loss: FloatArray
    label_weight: FloatArray
    label_loss: FloatArray
    unseen: bool
    largest_weight: float


def routed(evidence: PairedEvidence, tier: IntArray) -> RoutedEvidence:
    """The evidence about a policy that sends each request to `tier`, shape (n,). Cost: O(n)."""
    n, tiers = evidence.inclusion.shape
    rows, column = np.arange(n), np.minimum(tier, tiers - 2)
    below = tier < tiers - 1
    drawn = below & evidence.drawn[rows, column]
    chance = np.where(below, evidence.inclusion[rows, column], 1.0)
    unseen = chance <= 0.0
    weight = np.divide(drawn, chance, out=np.where(unseen, evidence.row_weights, 0.0), where=drawn)
    judged = (drawn & evidence.judged[rows, column]) | unseen
    loss = np.where(unseen, 1.0, evidence.judged_loss[rows, column])
    label_weight, label_loss = np.zeros(n), np.zeros(n)
    if evidence.labelled is not None and evidence.label_loss is not None and evidence.label_inclusion is not None:
        labelled = drawn & evidence.labelled[rows, column]
        eta = evidence.label_inclusion[rows, column]
        label_weight = np.divide(weight, eta, out=np.where(unseen, weight, 0.0), where=labelled)
        label_loss = np.where(labelled, evidence.label_loss[rows, column], np.where(unseen, 1.0, 0.0))
    return RoutedEvidence(
        row_weights=evidence.row_weights,
        below=below,
        tier=tier,
        weight=weight,
        judged=judged,
        loss=np.where(judged, loss, 0.0),
        label_weight=label_weight,
        label_loss=label_loss,
        unseen=bool(unseen.any()),
        largest_weight=float(
            (1.0 / np.where(below & (chance > 0.0), chance, evidence.inclusion[:, -1])).max(initial=0.0)
        ),
    )


def _require_losses(name: str, losses: FloatArray, known: BoolArray, drawn: BoolArray) -> None:
    if (known & ~drawn).any():
        raise ValueError(f"{name}: known for a pair that was not drawn")
    if not (np.abs(losses[known]) <= 1.0).all():
        raise ValueError(f"{name} must lie in [-1, 1]")
