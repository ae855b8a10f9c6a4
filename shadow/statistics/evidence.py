"""Is there enough evidence for a figure, and if not, what is lacking?"""

from __future__ import annotations

from typing import Literal

from shadow.statistics.estimate import Reason, Undefined
from shadow.statistics.reviewer import MIN_INFORMEDNESS, Reviewer
from shadow.statistics.strata import Strata

Evidence = Literal["sampled", "judged", "labelled"]
_LACKS: dict[Evidence, tuple[Reason, Reason, Reason]] = {
    "sampled": ("no_samples", "one_sample", "tier_without_samples"),
    "judged": ("no_verdicts", "one_sample", "tier_without_verdicts"),
    "labelled": ("no_labels", "one_label", "tier_without_labels"),
}


def missing(strata: Strata, field: Evidence, top_tier: str | None) -> Undefined | None:
    """What is lacking for a figure that needs `field` in every tier with requests; None if nothing is."""
    nothing, one, nothing_in_tier = _LACKS[field]
    if count(strata, "requests") == 0:
        return Undefined(reason="no_requests")
    if count(strata, "sampled") == 0:
        return Undefined(reason="no_samples")
    served = list(dict.fromkeys(key.tier for key, sums in strata.items() if sums.requests > 0))
    empty = [tier for tier in served if sum(getattr(s, field) for key, s in strata.items() if key.tier == tier) == 0]
    if field == "labelled" and top_tier in empty:
        return Undefined(reason="not_identified", detail=top_tier or "")
    if len(empty) == len(served):
        return Undefined(reason=nothing)
    if empty:
        return Undefined(reason=nothing_in_tier, detail=", ".join(empty))
    if count(strata, "sampled") == 1:
        return Undefined(reason="one_sample")
    return Undefined(reason=one) if count(strata, field) == 1 else None


def reviewer_problem(reviewer: Reviewer | None) -> Undefined | None:
    """Why this reviewer's error rates cannot be used; None if they can, or if labels are taken as the truth."""
    if reviewer is None:
        return None
    if not reviewer.is_measured:
        return Undefined(reason="reviewer_unmeasured")
    if reviewer.informedness < MIN_INFORMEDNESS:
        return Undefined(reason="reviewer_uninformative", detail=f"{reviewer.informedness:.2f}")
    return None


def count(strata: Strata, field: str) -> int:
    """Total of one counting field of the sums."""
    return round(sum(float(getattr(sums, field)) for sums in strata.values()))
