"""Which calibration do these labels support? Judges are asked as the panel would; curves, weights and thresholds follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judges.calibration import Calibration
from judges.contracts import Comparison
from judges.errors import NotEnoughLabels
from judges.panel import Hearing, Panel
from judges.pooling import MIN_LABELS, Labelled, fitted
from judges.selective import certified
from judges.verdicts import ANY, Certificate, Cut, Target

_FOLDS = 5
#: Groups of a query type that reach a stage, from which on its own labels alone say what is certified there.
MIN_CERTIFY = 100
#: No verdict nearer to one half than this, however well all verdicts together agree.
LEAST_CONFIDENCE = 0.6


async def fit_calibration(
    panel: Panel,
    comparisons: Sequence[Comparison],
    labels: Sequence[int],
    *,
    provenance: Mapping[str, Any],
    groups: Sequence[str] | None = None,
    target: Target | None = None,
    progress: Callable[[str], None] | None = None,
) -> Calibration:
    """A calibration fitted on labels (1 = acceptable), with the thresholds that they certify. Raises: NotEnoughLabels.

    groups: rows of one group (of one question, say) fail together; None where each row is a group. target: what verdicts have
    to hold. Judges are asked stage by stage, and each only about pairs that the stages before it leave undecided: so a curve is
    fitted on the pairs that its judge will see. Thresholds are chosen on probabilities of rows that their calibration has not
    seen (five folds, split by group). Cost: whatever the judges cost, and six fits a stage.
    """
    if len(labels) < MIN_LABELS or len(set(labels)) < 2:
        kinds = len(set(labels))
        raise NotEnoughLabels(
            f"{len(labels)} labels of {kinds} kind(s); a calibration needs {MIN_LABELS} and both 0 and 1"
        )
    target = target or Target()
    group = [str(i) for i in range(len(labels))] if groups is None else list(groups)
    hearings = [panel.opened(c) for c in comparisons]
    rows = Labelled(said=[h.said for h in hearings], types=[c.query_type for c in comparisons], labels=labels)
    calibration, stages = Calibration(), dict[str, Mapping[str, Cut]]()
    for stage in panel.stages:
        if progress is not None:
            progress(", ".join(judge.name for judge in stage.judges))
        await panel.hear(stage, hearings)
        unseen = _unseen(panel, rows, hearings, group)
        stages[stage.key] = _cuts(hearings, unseen, rows, group, target=target, tests=len(panel.stages))
        calibration = replace(
            fitted(rows, range(len(labels))),
            provenance=provenance,
            certificate=Certificate(target=target, stages=dict(stages)),
        )
        panel.with_calibration(calibration).decide(stage, hearings)
    return calibration


def _unseen(panel: Panel, rows: Labelled, hearings: Sequence[Hearing], group: Sequence[str]) -> dict[int, float]:
    """The probability of each row with new evidence, by a calibration that has not seen its fold."""
    place: dict[str, int] = {}
    fold = [place.setdefault(name, len(place)) % _FOLDS for name in group]
    found: dict[int, float] = {}
    for left_out in range(_FOLDS):
        others = panel.with_calibration(fitted(rows, [i for i, f in enumerate(fold) if f != left_out]))
        for i, hearing in enumerate(hearings):
            if fold[i] == left_out and hearing.has_news and (p := others.probability(hearing)) is not None:
                found[i] = p
    return found


def _cuts(
    hearings: Sequence[Hearing],
    unseen: Mapping[int, float],
    rows: Labelled,
    group: Sequence[str],
    *,
    target: Target,
    tests: int,
) -> dict[str, Cut]:
    """What is certified at a stage, for all rows together and for each query type with groups enough.

    Certified is the agreement of all verdicts, earlier ones that nothing new was said about included: of what a panel decides
    that ends here. tests: among how many the doubt is shared out, the stages.
    """
    taken = {i: h.verdict == "accept" for i, h in enumerate(hearings) if i not in unseen and h.verdict != "abstain"}
    types: dict[str, set[int]] = {ANY: {*taken, *unseen}}
    for i in types[ANY]:
        if kind := rows.types[i]:
            types.setdefault(kind, set()).add(i)
    cuts: dict[str, Cut] = {}
    for kind, members in types.items():
        if members.isdisjoint(unseen) or (kind != ANY and len({group[i] for i in members}) < MIN_CERTIFY):
            continue
        before, now = sorted(members & taken.keys()), sorted(members - taken.keys())
        places = [*before, *now]
        probability = np.array([unseen[i] for i in now])
        accepts = np.array([*(taken[i] for i in before), *(probability >= 0.5)], dtype=bool)
        agrees = accepts == np.array([rows.labels[i] for i in places], dtype=bool)
        confidence = np.concatenate([np.full(len(before), np.inf), np.maximum(probability, 1 - probability)])
        found = certified(
            confidence,
            agrees,
            [group[i] for i in places],
            target=target.agreement,
            delta=(1 - target.confidence) / tests,
            floor=LEAST_CONFIDENCE,
            before=len(before),
        )
        counted = np.zeros(len(places), dtype=bool) if found.threshold is None else confidence >= found.threshold
        cuts[kind] = Cut(
            found=found,
            labels=len(places),
            accepted=_tally(agrees[counted & accepts]),
            rejected=_tally(agrees[counted & ~accepts]),
        )
    return cuts


def _tally(agrees: NDArray[np.bool_]) -> tuple[int, int]:
    """How many, and how many of them agreed."""
    return len(agrees), int(agrees.sum())
