"""Which tier should this request go to, and what is known about it?

The parts of the decision are asked in order: the features that can be read off the request, the policy in force, the
scorer, then the gate. The result says all that later steps and the record need.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.chat import ChatRequest
from router.contracts import Decision, Features, Hints, PolicySource
from router.features import extract_features
from router.gate import ANSWER_TOKENS, Gate
from router.pool import Pin
from router.scorers import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision and what it rests on. needed_tokens: the window that conversation and answer take."""

    decision: Decision
    features: Features
    query_type: str  # "unknown" where nobody said
    query_type_source: str  # "hint", "rule", "classifier" or "none"
    policy_version: int
    needed_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Decides about chat requests. It never fails on a request that could be read."""

    gate: Gate
    scorer: Scorer
    policy: PolicySource

    async def decide(self, request: ChatRequest, hints: Hints, pin: Pin | None) -> Decided:
        """Everything up to the choice of the tier."""
        features = extract_features(request.fields)
        query_type = hints.query_type or "unknown"
        policy = self.policy.current()
        decision = self.gate.decide(
            features=features,
            hints=hints,
            query_type=query_type,
            scores=self.scorer.scores(features),
            policy=policy,
            pinned=pin.tier if pin else None,
            max_completion_tokens=request.max_completion_tokens,
        )
        return Decided(
            decision=decision,
            features=features,
            query_type=query_type,
            query_type_source="hint" if hints.query_type else "none",
            policy_version=policy.version,
            needed_tokens=features.conversation_tokens + (request.max_completion_tokens or ANSWER_TOKENS),
        )
