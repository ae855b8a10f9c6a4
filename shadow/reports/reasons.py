"""Why is there no figure? The reasons that statistics give, in words for people."""

from __future__ import annotations

from collections.abc import Mapping

from shadow.statistics.estimate import Reason, Undefined

WORDS: Mapping[Reason, str] = {
    "no_requests": "no requests in this window",
    "no_samples": "nothing was mirrored yet",
    "one_sample": "only one request was mirrored so far",
    "no_verdicts": "mirrored, but no verdict yet",
    "no_labels": "needs human labels",
    "one_label": "one label is too few",
    "not_identified": "not identified: the top tier has no better reference, so it needs human labels",
    "tier_without_samples": "a tier with requests has no mirrored ones",
    "tier_without_verdicts": "a tier with requests has no verdicts",
    "tier_without_labels": "a tier with requests has no labels",
    "reviewer_unmeasured": "the reviewer's own error rate was looked at on one side only",
    "reviewer_uninformative": "the reviewer errs so often that labels say nothing",
    "too_few_priced_pairs": "too few mirrored pairs to price the top tier",
    "no_control_samples": "the reference was not asked twice yet",
    "control_failed": "every control sample failed: an answer is missing from each",
    "few_control_pairs": "too few control pairs",
    "is_reference": "it is the reference itself",
    "few_baseline_pairs": "too few pairs for a baseline",
    "no_room_to_rise": "the baseline fails so often that a rise could not be seen",
}

#: Reasons whose detail is the tier that they are about.
_ABOUT_A_TIER = {"tier_without_samples", "tier_without_verdicts", "tier_without_labels", "too_few_priced_pairs"}
#: Reasons whose detail is a count that says how far there is to go.
_WITH_A_COUNT = {"few_control_pairs", "few_baseline_pairs"}


def in_words(why: Undefined) -> str:
    """One lower-case phrase; names the tier where that is not obvious, or the count."""
    words = WORDS[why.reason]
    return f"{words} ({why.detail})" if why.detail and why.reason in _ABOUT_A_TIER | _WITH_A_COUNT else words
