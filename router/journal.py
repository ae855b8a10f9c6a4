"""What has happened to this request so far?

A `Journal` accompanies a request from its decision to its last byte and becomes, exactly once, an `Exchange`. It is the only
mutable thing on the inline path that outlives a function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from router.answers import Answer, Usage, estimated_usage
from router.chat import ChatRequest
from router.contracts import Attempt, Decision, Exchange, Features, Hints, Reason, Status
from router.decider import Decided
from router.limits import Place
from router.pool import Pool, Target

_NO_USAGE = Usage(prompt_tokens=0, completion_tokens=0)


@dataclass(slots=True, kw_only=True)
class Journal:
    """The open record of one request. `clock_started` is a reading of the monotonic clock, in seconds."""

    request_id: str
    started_at: datetime
    clock_started: float
    request: ChatRequest
    hints: Hints
    decided: Decided
    mode: Literal["route", "observe"]
    key_id: str | None
    retry_of: str | None = None  # the request whose answer did not please
    attempts: list[Attempt] = field(default_factory=list)
    held: bool = False  # streamed, but kept back until it is complete
    recorded: bool = False
    coalesced_with: str | None = None  # the request that pays for the answer of this one
    moved: Reason | None = None  # what moved the search above the chosen tier, if not a failure
    place: Place | None = None  # in a tier whose concurrency is limited
    native_headers: Mapping[str, str] = field(default_factory=dict)  # that belong to the request, as its body does
    drop_unsupported: bool = False  # the client agrees that what a model's dialect has no word for is left out
    dropped: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)  # by the target's key

    @property
    def decision(self) -> Decision:
        return self.decided.decision

    @property
    def features(self) -> Features:
        return self.decided.features

    @property
    def policy_version(self) -> int:
        return self.decided.policy_version

    def attempted(
        self,
        target: Target,
        outcome: str,
        latency_seconds: float,
        *,
        usage: Usage | None = None,
        http_status: int | None = None,
    ) -> Attempt:
        """Note one call and what it cost. `usage` None: nothing was billed, as far as is known."""
        usage = usage or _NO_USAGE
        attempt = Attempt(
            tier=target.tier,
            provider=target.provider,
            model=target.model,
            latency_seconds=latency_seconds,
            outcome=outcome,
            http_status=http_status,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_tokens=usage.cached_tokens,
            cost_usd=target.price.cost_usd(
                usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, at=self.started_at
            ),
        )
        self.attempts.append(attempt)
        return attempt

    def usage_of(self, answer: Answer) -> Usage:
        """The usage the provider reported, else an estimate from the texts."""
        return answer.usage or estimated_usage(self.features.conversation_tokens, answer.text, answer.tool_calls)

    def cost_usd(self) -> Decimal:
        return sum((attempt.cost_usd for attempt in self.attempts), Decimal(0))

    def reason(self, pool: Pool, served_tier: str | None) -> Reason | None:
        """Why the request was served above its predicted tier; None when it was not.

        In observe mode the served tier says nothing about the decision, so the decision's own reason stands.
        """
        if self.mode == "observe" or served_tier is None:
            return self.decision.reason
        if pool.rank(served_tier) <= pool.rank(self.decision.predicted):
            return None
        return self.decision.reason or self.moved or "fallback"

    def exchange(
        self,
        pool: Pool,
        *,
        status: Status,
        http_status: int,
        latency_seconds: float,
        error_kind: str | None = None,
        served: Target | None = None,
        answer: Answer | None = None,
        first_token_seconds: float | None = None,
        extra: dict[str, str] | None = None,
    ) -> Exchange:
        """Close the record. `served`: the model whose answer, whole or not, went to the client."""
        usage = self.usage_of(answer) if answer is not None else _NO_USAGE
        more = {**self.decided.noted, **self.native_headers, **(extra or {})}
        if self.coalesced_with is not None:
            more["coalesced_with"] = self.coalesced_with
        if self.held:
            more["hold"] = "full"
        if served is not None and served.key in self.dropped:
            more["dropped"] = ",".join(self.dropped[served.key])
        if usage.estimated:
            more["usage"] = "estimated"
        if answer is not None and answer.fingerprint is not None:
            more["fingerprint"] = answer.fingerprint
        if self.retry_of is not None:
            more["retry_of"] = self.retry_of
        return Exchange(
            request_id=self.request_id,
            started_at=self.started_at,
            policy_version=self.policy_version,
            dialect=self.request.dialect,
            hints=self.hints,
            query_type=self.decided.query_type,
            query_type_source=self.decided.query_type_source,
            requested_model=self.request.model,
            decision=self.decision,
            served_tier=served.tier if served else None,
            served_model=((answer.model if answer else None) or served.model) if served else None,
            reason=self.reason(pool, served.tier if served else None),
            status=status,
            http_status=http_status,
            error_kind=error_kind,
            streamed=self.request.streamed,
            latency_seconds=latency_seconds,
            first_token_seconds=first_token_seconds,
            finish_reason=answer.finish_reason if answer else None,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cost_usd=self.cost_usd(),
            attempts=tuple(self.attempts),
            key_id=self.key_id,
            request_body=self.request.body.decode("utf-8"),
            completion=answer.text if answer else "",
            tool_calls=answer.tool_calls if answer else "",
            words=self.features.words,
            conversation_tokens=self.features.conversation_tokens,
            mode=self.mode,
            extra=more,
        )
