"""Which tier should answer this request?

In this order:
1. *predicted*: the cheapest tier whose score reaches its threshold, that of the query type where it has one of its own (the
   top tier has none and always qualifies).
2. A pin (a tier or model asked for by name) or else the first matching rule fixes the tier, above or below predicted.
3. Otherwise hints move it. Up one tier: the score lies in the band above the threshold (`low_confidence`), the impact is high
   (`impact`), or the user was not content with the answer before (`session`); all together still mean one tier. Down one
   tier: the error tolerance is high and the impact is not.
4. Unless it is pinned, a tier in whose largest window the conversation and its answer do not fit gives way to the next one
   where they do (`context`); if they fit nowhere, the top-most of the largest windows is tried.

A reason is given only where the chosen tier is above the predicted one; the first that moved it up is named. The decision
is total, and monotone: a higher score or a lower threshold never makes it dearer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router.contracts import Decision, Features, Hints, Policy, Reason
from router.rules import Rules

ANSWER_TOKENS = 512  # room kept for an answer when the client sets no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The decision, as a pure function. tiers: cheapest first. windows: tier -> its largest context window, in tokens."""

    tiers: tuple[str, ...]
    windows: Mapping[str, int]
    rules: Rules

    @classmethod
    def of(cls, tiers: Sequence[str], windows: Mapping[str, int], rules: Rules) -> Gate:
        return cls(tiers=tuple(tiers), windows=dict(windows), rules=rules)

    def decide(
        self,
        *,
        features: Features,
        hints: Hints,
        query_type: str,
        scores: Mapping[str, float],
        policy: Policy,
        pinned: str | None = None,
        max_completion_tokens: int | None = None,
        discontent: bool = False,
    ) -> Decision:
        """Choose a tier. query_type: what rules see, and whose own thresholds apply.

        scores: every tier -> [0, 1]. pinned: the tier asked for by name.
        """
        thresholds = policy.thresholds_for(query_type)
        predicted = self._predicted(scores, thresholds)
        rule = None
        reason: Reason | None
        if pinned is not None:
            chosen, reason = self.tiers.index(pinned), "pinned"
        elif (rule := self.rules.first_match(features, hints, query_type)) is not None:
            chosen, reason = self.tiers.index(rule.tier), "rule"
        else:
            chosen, reason = self._hinted(predicted, scores, thresholds, policy.band, hints, discontent)
        if pinned is None:
            needed = features.conversation_tokens + (max_completion_tokens or ANSWER_TOKENS)
            fitting = self._fitting(chosen, needed)
            if fitting != chosen and chosen <= predicted:
                reason = "context"  # nothing before it had moved the request above predicted
            chosen = fitting
        return Decision(
            scores=scores,
            predicted=self.tiers[predicted],
            chosen=self.tiers[chosen],
            confidence=scores[self.tiers[predicted]],
            reason=reason if chosen > predicted else None,
            rule=rule.name if rule else None,
        )

    def _predicted(self, scores: Mapping[str, float], thresholds: Mapping[str, float]) -> int:
        top = len(self.tiers) - 1
        for i in range(top):
            tier = self.tiers[i]
            if scores[tier] >= thresholds[tier]:
                return i
        return top

    def _hinted(
        self,
        predicted: int,
        scores: Mapping[str, float],
        thresholds: Mapping[str, float],
        band: float,
        hints: Hints,
        discontent: bool,
    ) -> tuple[int, Reason | None]:
        top = len(self.tiers) - 1
        tier = self.tiers[predicted]
        high_impact = hints.impact == "high"
        reason: Reason | None = None
        if predicted < top and scores[tier] < thresholds[tier] + band:
            reason = "low_confidence"
        elif high_impact:
            reason = "impact"
        elif discontent:
            reason = "session"
        chosen = predicted + (reason is not None)
        if hints.error_tolerance == "high" and not high_impact:
            chosen -= 1
        return min(top, max(0, chosen)), reason

    def _fitting(self, chosen: int, needed_tokens: int) -> int:
        candidates = range(chosen, len(self.tiers))
        for i in candidates:
            if self.windows[self.tiers[i]] >= needed_tokens:
                return i
        return max(candidates, key=lambda i: (self.windows[self.tiers[i]], i))
