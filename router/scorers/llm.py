"""How likely is each tier to succeed, in the opinion of a small model that is asked while the client waits?

It has a deadline, and whatever goes wrong (too slow, an error, a reply that is not exactly what was asked for) the fallback
scores instead; the record says who did. A breaker keeps requests from waiting for a model that is dead. What the call costs
is part of what the request costs. A call that ran into the deadline is counted with its prompt: it was sent, and will be billed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import orjson

from router.answers import Answer, Usage, read_answer
from router.contracts import SCORER_TIER, Attempt, Features
from router.errors import UpstreamFailed
from router.features import estimated_tokens
from router.health import Health
from router.pool import Target
from router.scorers import Asked, Scorer, confidences
from router.scorers.llm_prompt import VERSION, ChancePrompt, Question
from router.upstream import Reply, Upstream

NAME = f"llm@{VERSION}"
_SCHEMA_REFUSED = frozenset({400, 422})
_TOKENS_PER_TIER, _TOKENS_AROUND = 16, 24  # of the reply: a name and a number each, the mark and the braces


class LlmScorer:
    """Asks the target. prompts: the strict JSON schema first, and the strict line for providers that refuse a schema."""

    def __init__(
        self,
        *,
        target: Target,
        prompts: tuple[ChancePrompt, ChancePrompt],
        fallback: Scorer,
        upstream: Upstream,
        health: Health,
        clock: Callable[[], float],
        deadline_seconds: float,
    ) -> None:
        self._target = target
        self._by_schema, self._by_line = prompts
        self._prompt = self._by_schema
        self._fallback = fallback
        self._upstream = upstream
        self._health = health
        self._clock = clock
        self._deadline_seconds = deadline_seconds

    async def ask(self, features: Features) -> Asked:
        """Scores of the model, else of the fallback. Cost: at most the deadline."""
        if not self._health.admits(self._target.key):
            return self._instead(features, "breaker_open")
        prompt, started = self._prompt, self._clock()
        question = prompt.question(features)
        answer: Answer | None = None
        status: int | None = None
        try:
            async with asyncio.timeout(self._deadline_seconds):
                status, body = await self._call(prompt, question)
            if status >= 400:
                raise UpstreamFailed(f"http_{status}", http_status=status)
            answer = read_answer(body)
            if (chances := prompt.read(answer.text, question.nonce)) is None:
                raise UpstreamFailed("unreadable", http_status=status)
        except TimeoutError:
            self._health.failed(self._target.key)
            attempt = self._attempt(
                "timeout", started, status, Usage(prompt_tokens=_tokens(question), completion_tokens=0)
            )
            return self._instead(features, "timeout", attempt)
        except UpstreamFailed as failure:
            self._failed(prompt, failure)
            usage = None if answer is None else _usage(answer, question)
            return self._instead(features, failure.kind, self._attempt(failure.kind, started, status, usage))
        except BaseException:
            self._health.abandoned(self._target.key)
            raise
        self._health.succeeded(self._target.key)
        attempt = self._attempt("ok", started, status, _usage(answer, question))
        return Asked(scores=confidences(chances), attempts=(attempt,), noted={"scorer": NAME})

    async def _call(self, prompt: ChancePrompt, question: Question) -> tuple[int, bytes]:
        """Status and body. A connection that is dropped before an answer is tried once more: it may have been an idle one."""
        body = self._body(prompt, question)
        for resend in (True, False):
            reply: Reply | None = None
            try:
                reply = await self._upstream.send(self._target, body, streamed=False, within_seconds=None, forwarded={})
                return reply.status, await reply.read(None)
            except UpstreamFailed as failure:
                if failure.kind != "reset" or not resend:
                    raise
            except asyncio.CancelledError:
                if reply is not None:
                    reply.close()
                raise
        raise AssertionError("the second call returns or raises")

    def _body(self, prompt: ChancePrompt, question: Question) -> bytes:
        fields: dict[str, object] = {
            "model": self._target.model,
            "messages": question.messages,
            "temperature": 0,
            "max_tokens": _TOKENS_AROUND + _TOKENS_PER_TIER * len(prompt.tiers),
        }
        if prompt.as_json:
            fields["response_format"] = prompt.schema(question.nonce)
        return orjson.dumps(fields)

    def _failed(self, prompt: ChancePrompt, failure: UpstreamFailed) -> None:
        if prompt.as_json and failure.http_status in _SCHEMA_REFUSED:
            # It may not know schemas: from now on the line is asked for. That says nothing about the model's health.
            self._prompt = self._by_line
            self._health.abandoned(self._target.key)
        else:
            self._health.failed(self._target.key)

    def _instead(self, features: Features, reason: str, *attempts: Attempt) -> Asked:
        return Asked(
            scores=self._fallback.scores(features),
            attempts=attempts,
            noted={"scorer": "heuristic", "scorer_fallback": reason},
        )

    def _attempt(self, outcome: str, started: float, status: int | None, usage: Usage | None) -> Attempt:
        used = usage or Usage(prompt_tokens=0, completion_tokens=0)
        return Attempt(
            tier=SCORER_TIER,
            provider=self._target.provider,
            model=self._target.model,
            latency_seconds=self._clock() - started,
            outcome=outcome,
            http_status=status,
            prompt_tokens=used.prompt_tokens,
            completion_tokens=used.completion_tokens,
            cached_tokens=used.cached_tokens,
            cost_usd=self._target.price.cost_usd(used.prompt_tokens, used.completion_tokens, used.cached_tokens),
        )


def _usage(answer: Answer, question: Question) -> Usage:
    """What the provider says it will bill, else an estimate."""
    return answer.usage or Usage(
        prompt_tokens=_tokens(question), completion_tokens=estimated_tokens(answer.text), estimated=True
    )


def _tokens(question: Question) -> int:
    return sum(estimated_tokens(message["content"]) for message in question.messages)


def by_name(described: Mapping[str, str], *, max_characters: int) -> tuple[ChancePrompt, ChancePrompt]:
    """Both prompts for tier -> model, cheapest first."""
    pairs = list(described.items())
    return (
        ChancePrompt(pairs, max_characters=max_characters, as_json=True),
        ChancePrompt(pairs, max_characters=max_characters, as_json=False),
    )
