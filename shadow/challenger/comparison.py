"""What do later mirrored requests say of a challenger, held against the scores that the champion gave them at the time?

Only requests whose tier the score decided on count, and only those whose text was kept: the challenger scores it anew. A pair is
a request that a tier and the top tier answered. Its loss is the difference of the reviewers' words where both answers were drawn
for them and have one, else one less the panel's probability that the cheaper answer is as good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from router.contracts import Features
from router.scorers import Scorer
from shadow.judging.pair_file import normalised_prompt
from shadow.statistics.scorer_difference import scorer_difference
from shadow.statistics.sums import FloatArray, IntArray
from shadow.store.tuning_rows import TuningRow
from shadow.training.from_store import features_of
from shadow.tuning.evidence import judged_answer, label_loss_of

#: The shares of min_pairs at which it is looked at, and the confidence of each look: all together they err in 5 %.
LOOKS = (1, 2, 4)
LEVEL = 1.0 - 0.05 / len(LOOKS)
#: Labelled pairs of each tier from which on they have a say of their own.
FEWEST_LABELLED = 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Later requests, in request order. Arrays (n, T-1) by tier below the top; weights are 0 where nothing is known.

    label_losses, label_weights: of the labelled pairs alone. row_weights: (n,), inverse chance of being sampled at all.
    clusters: (n,), sessions and equal texts. left_out: reason -> requests.
    """

    rows: tuple[TuningRow, ...]
    features: tuple[Features, ...]
    losses: FloatArray
    weights: FloatArray
    label_losses: FloatArray
    label_weights: FloatArray
    champion: FloatArray
    row_weights: FloatArray
    clusters: IntArray
    left_out: Mapping[str, int]

    @property
    def fewest(self) -> int:
        """Pairs of the tier that has the fewest."""
        return int((self.weights > 0).sum(axis=0).min()) if len(self.rows) else 0


def pairs_of(rows: Sequence[TuningRow], texts: Mapping[str, tuple[str, str]], tiers: Sequence[str]) -> Pairs:
    """rows: from after the cut-off. texts: request id -> (body, dialect). tiers: cheapest first."""
    left_out, kept, features = Counter[str](), [], []
    for row in rows:
        body, dialect = texts.get(row.request_id, ("", ""))
        if row.routing["fixed"] is not None:
            left_out["a rule or a pin decided"] += 1
        elif not set(tiers[:-1]) <= set(row.routing["scores"]):
            left_out["scored for other tiers"] += 1
        elif not body:
            left_out["no text was kept"] += 1
        elif (read := features_of(body, dialect)) is None:
            left_out["the text that was kept is no request"] += 1
        else:
            kept.append(row)
            features.append(read)
    shape = len(kept), len(tiers) - 1
    losses, weights, label_losses, label_weights = (np.zeros(shape) for _ in range(4))
    for i, row in enumerate(kept):
        for j, tier in enumerate(tiers[:-1]):
            chance = float(row.routing["pairs"].get(tier, 0.0))
            if chance <= 0 or not {tier, tiers[-1]} <= row.asked:
                continue
            said = label_loss_of(row, tier, tiers[-1]) if tier in row.reviewed else None
            judged = judged_answer(row, tier, tiers[-1])
            if said is not None:
                losses[i, j], weights[i, j] = said, 1.0 / chance
                if (asked := float(row.routing["labelled"].get(tier, 0.0))) > 0:
                    label_losses[i, j], label_weights[i, j] = said, 1.0 / (chance * asked)
            elif judged is not None and judged.probability is not None:
                losses[i, j], weights[i, j] = 1.0 - judged.probability, 1.0 / chance
    return Pairs(
        rows=tuple(kept),
        features=tuple(features),
        losses=losses,
        weights=weights,
        label_losses=label_losses,
        label_weights=label_weights,
        champion=np.array([[row.routing["scores"][tier] for tier in tiers[:-1]] for row in kept]).reshape(shape),
        row_weights=np.array([1.0 / row.routing["row"] for row in kept]),
        clusters=_clusters(kept, features),
        left_out=dict(left_out),
    )


def scored(scorer: Scorer, features: Sequence[Features], tiers: Sequence[str]) -> FloatArray:
    """The challenger's confidences, (n, T-1). Cost: as the scorer's, 0.1 to 3 ms a request."""
    found = [scorer.scores(one) for one in features]
    return np.array([[scores[tier] for tier in tiers[:-1]] for scores in found]).reshape(len(found), len(tiers) - 1)


def compare(pairs: Pairs, challenger: FloatArray) -> dict[str, Any] | None:
    """The comparison for the store: all pairs, and the labelled ones alone where they are enough; None without pairs."""
    found = scorer_difference(pairs.losses, pairs.weights, pairs.champion, challenger, pairs.clusters, level=LEVEL)
    if found is None:
        return None
    labelled = (pairs.label_weights > 0).sum(axis=0)
    by_labels = None
    if labelled.min() >= FEWEST_LABELLED:
        by_labels = scorer_difference(
            pairs.label_losses, pairs.label_weights, pairs.champion, challenger, pairs.clusters, level=LEVEL
        )
    return {
        **asdict(found),
        "requests": len(pairs.rows),
        "labelled": labelled.tolist(),
        "by_labels": None if by_labels is None else asdict(by_labels),
        "left_out": dict(pairs.left_out),
    }


def judged_by(comparison: Mapping[str, Any], *, looks: int) -> tuple[str, str]:
    """(proposed, dropped or comparing; why), after that many looks."""
    difference, by_labels = comparison["difference"], comparison["by_labels"]
    if difference["high"] < 0 or (by_labels is not None and by_labels["difference"]["high"] < 0):
        return "dropped", "it routes worse than the scorer in force"
    if difference["low"] > 0:
        return "proposed", "it routes better than the scorer in force"
    if looks >= len(LOOKS):
        return "dropped", "it is not shown to route better than the scorer in force"
    return "comparing", "more pairs are needed"


def looks_due(fewest_pairs: int, *, min_pairs: int) -> int:
    """How many looks so many pairs allow."""
    return sum(fewest_pairs >= min_pairs * times for times in LOOKS)


def _clusters(rows: Sequence[TuningRow], features: Sequence[Features]) -> IntArray:
    names = [
        f"session {row.session}" if row.session is not None else normalised_prompt(one.text) or row.request_id
        for row, one in zip(rows, features, strict=True)
    ]
    places: dict[str, int] = {}
    return np.array([places.setdefault(name, len(places)) for name in names], dtype=np.int64)
