"""Do the thresholds leave every tier a chance, given what the scorer can say?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from router.contracts import Features, Hints, Policy
from router.gate import Gate
from router.rules import Rules
from router.scorers.heuristic import MAX_DEMAND, HeuristicScorer
from shadow.doctor.findings import Finding, warn

_STEPS = 2000


def about_thresholds(policy: Policy, tiers: Sequence[str], *, scorer: str) -> list[Finding]:
    """Thresholds that shut a tier out, or all tiers above one. scorer: its kind; the heuristic's range is known exactly."""
    found = [finding for tier, above in pairwise(tiers) for finding in _of_one(policy, tier, above)]
    if scorer == "heuristic" and not found:
        found = _out_of_reach(policy, tiers)
    return found


def _of_one(policy: Policy, tier: str, above: str) -> list[Finding]:
    value = policy.thresholds.get(tier)
    if value is None:
        return []
    if value == 0:
        detail = (
            f"threshold {tier} is 0: every request is predicted for it, {above} and above only get what is escalated"
        )
        return [warn("routing", detail, f"raise the threshold of {tier}, unless that is what you want")]
    if value == 1 or value + policy.band > 1:
        why = "is 1" if value == 1 else f"{value:g} plus the band {policy.band:g} is more than 1"
        detail = f"threshold {tier} {why}: hardly any confidence is that high, so {tier} serves next to nothing"
        return [warn("routing", detail, f"lower the threshold of {tier} or the band")]
    return []


def _out_of_reach(policy: Policy, tiers: Sequence[str]) -> list[Finding]:
    """Tiers that get no ordinary request, however easy or hard: no rule, hint or long conversation is looked at."""
    gate = Gate.of(tiers, dict.fromkeys(tiers, 1_000_000), Rules.of(()))
    scorer = HeuristicScorer.of(tiers)
    request = Features(text="", words=0, conversation_tokens=0, turns=1)
    chosen = {
        gate.decide(
            features=request,
            hints=Hints(),
            query_type="unknown",
            scores=scorer.scores_at(MAX_DEMAND * step / _STEPS),
            policy=policy,
        ).chosen
        for step in range(_STEPS + 1)
    }
    return [
        warn(
            "routing",
            f"with the heuristic scorer no request is easy or hard enough for {tier}: the thresholds"
            f" {', '.join(f'{name} {value:g}' for name, value in policy.thresholds.items())} leave it none",
            f"move the threshold of {tier} or of the tier below it, unless only rules and hints shall send requests there",
        )
        for tier in tiers
        if tier not in chosen
    ]
