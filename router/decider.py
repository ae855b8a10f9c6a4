"""Which tier should this request go to, and what is known about it?

The parts of the decision are asked in order: the features that can be read off the request, the policy in force, the
scorer, then the gate. The result says all that later steps and the record need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from router.chat import ChatRequest
from router.contracts import Attempt, Decision, Features, Hints, PolicySource
from router.features import extract_features
from router.gate import ANSWER_TOKENS, Gate
from router.pool import Pin
from router.query_types import UNKNOWN, QueryTypes
from router.scorers import Asked, AskingScorer, Scorer
from router.sessions.memory import Sessions

_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision and what it rests on. needed_tokens: the window that conversation and answer take.

    attempts: calls made in order to decide. noted: what the record should say about the decision.
    """

    decision: Decision
    features: Features
    query_type: str  # "unknown" where nobody said
    query_type_source: str  # "hint", "rule", "classifier" or "none"
    policy_version: int
    needed_tokens: int
    attempts: tuple[Attempt, ...] = ()
    noted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Decides about chat requests. It never fails on a request that could be read.

    asking: is asked instead of the scorer, unless the client has chosen the tier. query_types: is asked where no hint says it.
    """

    gate: Gate
    scorer: Scorer
    policy: PolicySource
    asking: AskingScorer | None = None
    query_types: QueryTypes | None = None
    sessions: Sessions | None = None

    async def decide(
        self,
        request: ChatRequest,
        hints: Hints,
        pin: Pin | None,
        *,
        request_id: str = "",
        key_id: str | None = None,
    ) -> Decided:
        """Everything up to the choice of the tier. request_id, key_id: what a session is remembered by."""
        features = extract_features(request.chat_fields)
        query_type, source = self._query_type(hints, features)
        signal = None
        if self.sessions is not None:
            signal = self.sessions.read(request.chat_fields, features, hints, request_id=request_id, key_id=key_id)
        asked: Asked | None = None
        if self.asking is not None and pin is None:
            asked = await self.asking.ask(features)
        policy = self.policy.current()
        decision = self.gate.decide(
            features=features,
            hints=hints,
            query_type=query_type,
            scores=self.scorer.scores(features) if asked is None else asked.scores,
            policy=policy,
            pinned=pin.tier if pin else None,
            max_completion_tokens=request.max_completion_tokens,
            discontent=signal is not None,
        )
        noted = asked.noted if asked is not None else _NOTHING
        return Decided(
            decision=decision,
            features=features,
            query_type=query_type,
            query_type_source=source,
            policy_version=policy.version,
            needed_tokens=features.conversation_tokens + (request.max_completion_tokens or ANSWER_TOKENS),
            attempts=asked.attempts if asked is not None else (),
            noted=noted if signal is None else {**noted, **signal.noted()},
        )

    def _query_type(self, hints: Hints, features: Features) -> tuple[str, str]:
        """The type, and who said so."""
        if hints.query_type:
            return hints.query_type, "hint"
        if self.query_types is None:
            return UNKNOWN, "none"
        said = self.query_types.classify(features.text)
        return said, "none" if said == UNKNOWN else "classifier"
