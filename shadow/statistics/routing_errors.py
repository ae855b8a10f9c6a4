"""How often did a request go to a tier that failed where the reference would not have, or to one dearer than it needed?

Under-routing: served fails, reference succeeds. Over-routing: a cheaper tier succeeds although a dearer one served. Both are
shares of requests, so they are estimated as accuracy is (`accuracy.corrected`, `accuracy.raw`): on samples whose "success" is
the event. The samples' sums are additive. A pair with one side missing is undecided, not a tie.
"""

from __future__ import annotations

import numpy as np

from shadow.statistics.sums import BoolArray, FloatArray, Samples


def under_routing_samples(
    *,
    inclusion: FloatArray,
    served: FloatArray,
    reference: FloatArray,
    decided: BoolArray,
    labelled: BoolArray | None = None,
    served_label: FloatArray | None = None,
    reference_label: FloatArray | None = None,
    label_inclusion: FloatArray | None = None,
) -> Samples:
    """Samples of "served fails, reference succeeds", all of shape (n,), of requests served below the top.

    served, reference: p of each answer where `decided` (both have verdicts); their errors are taken as independent, which labels
    put right. served_label, reference_label: 0 or 1 where `labelled` (both are). Values under a False mask are ignored.
    """
    label = None
    if labelled is not None and served_label is not None and reference_label is not None:
        label = np.where(labelled, reference_label * (1.0 - served_label), 0.0)
    return Samples(
        inclusion=inclusion,
        decided=decided,
        probability=np.where(decided, reference * (1.0 - served), 0.0),
        abstained=~decided,
        labelled=labelled,
        label=label,
        label_inclusion=label_inclusion,
    )


def over_routing_samples(
    *,
    inclusion: FloatArray,
    cheaper: FloatArray,
    decided: BoolArray,
    labelled: BoolArray | None = None,
    cheaper_label: FloatArray | None = None,
    label_inclusion: FloatArray | None = None,
) -> Samples:
    """Samples of "the cheaper tier succeeds", all of shape (n,), of requests that a dearer tier served, mirrored downwards (or to
    all tiers). cheaper: p of its answer where decided; cheaper_label: 0 or 1 where labelled."""
    return Samples(
        inclusion=inclusion,
        decided=decided,
        probability=np.where(decided, cheaper, 0.0),
        abstained=~decided,
        labelled=labelled,
        label=None if labelled is None or cheaper_label is None else np.where(labelled, cheaper_label, 0.0),
        label_inclusion=label_inclusion,
    )
