"""Is the answer at least as good as the reference, asked of a language model in both orders?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from judges.chat import CallFailedError, ChatModel, Reply
from judges.contracts import Comparison
from judges.errors import JudgeUnavailable
from judges.families import families_of
from judges.fences import fill, new_nonce, untrusted
from judges.jury import Families, Jury
from judges.stated import Stated, from_object, last_line, schema_for
from judges.vote_cache import Vote, VoteCache

NAME = "pairwise@2"
_PROMPT = "pairwise-2.txt"
_CLOSING = {"line": "pairwise-line-1.txt", "json_schema": "pairwise-json-1.txt"}
_WORDS = ("FIRST", "SECOND", "EQUAL")
#: How a rationale begins where a preference follows the place and not the answer.
ORDERS_DISAGREE = "the two orders disagree"
#: Score of an answer that won in both orders, in one while the other called them equal, in none; and of one that lost in both.
_WON_BOTH, _WON_ONCE, _EQUAL, _LOST = 0.95, 0.9, 0.85, 0.1

Outcome = Literal["answer", "reference", "equal"]


class PairwiseJudge:
    """Language models asked twice per comparison, the second time with the two answers exchanged.

    At least as good in both orders is an acceptance, worse in both a rejection. A preference that follows the place and not
    the answer is an abstention, and so is half a verdict. Without a reference there is nothing to ask. Cost: two calls each.
    """

    name = NAME

    def __init__(
        self,
        models: Sequence[ChatModel],
        *,
        concurrency: int = 4,
        allow_same_family: bool = False,
        cache: VoteCache | None = None,
        families: Families = families_of,
    ) -> None:
        jury = Jury(
            NAME,
            models,
            _ask,
            concurrency=concurrency,
            allow_same_family=allow_same_family,
            cache=cache,
            families=families,
        )
        self.judge = jury.judge


def render(comparison: Comparison, *, answer_first: bool, nonce: str, output: str = "line") -> str:
    """The prompt for a comparison in one order. nonce: of the fences."""
    pair = (comparison.answer, comparison.reference)
    first, second = pair if answer_first else pair[::-1]
    return fill(
        _PROMPT,
        nonce=nonce,
        closing=fill(_CLOSING[output], nonce=nonce).strip(),
        prompt=untrusted(comparison.prompt),
        context=untrusted(comparison.context),
        first=untrusted(first),
        second=untrusted(second),
    )


async def _ask(model: ChatModel, comparison: Comparison) -> Vote:
    if not (comparison.reference or "").strip():
        return Vote(accepted=None, reasons="there is no reference to hold the answer against", final=False)
    in_order, exchanged = await asyncio.gather(
        _one_order(model, comparison, answer_first=True), _one_order(model, comparison, answer_first=False)
    )
    cost = in_order[1] + exchanged[1]
    said = (in_order[0], exchanged[0])
    if isinstance(said[0], JudgeUnavailable) and isinstance(said[1], JudgeUnavailable):
        raise said[0]
    found = [outcome for outcome in said if isinstance(outcome, Stated)]
    if len(found) < 2:
        failed = next(outcome for outcome in said if not isinstance(outcome, Stated))
        reason = f"unavailable: {failed}" if isinstance(failed, JudgeUnavailable) else failed
        return Vote(accepted=None, reasons=reason, cost_usd=cost, final=False)
    outcomes = [_outcome(found[0], answer_first=True), _outcome(found[1], answer_first=False)]
    reasons = "\n".join(stated.reasons for stated in found if stated.reasons)
    lost = outcomes.count("reference")
    if lost == 1:
        disagreement = f"{ORDERS_DISAGREE}: {outcomes[0]} and {outcomes[1]} called better"
        return Vote(accepted=None, reasons=disagreement, cost_usd=cost)
    score = _LOST if lost else (_EQUAL, _WON_ONCE, _WON_BOTH)[outcomes.count("answer")]
    return Vote(accepted=not lost, score=score, reasons=reasons, cost_usd=cost)


async def _one_order(
    model: ChatModel, comparison: Comparison, *, answer_first: bool
) -> tuple[Stated | str | JudgeUnavailable, Decimal]:
    """What was stated in one order, or why nothing; and what it cost, which counts also where the other order failed."""
    nonce = new_nonce(comparison.prompt, comparison.context, comparison.reference, comparison.answer)
    in_json = model.output == "json_schema"
    prompt = render(comparison, answer_first=answer_first, nonce=nonce, output=model.output)
    try:
        reply: Reply = await model.ask(prompt, schema=schema_for(_WORDS) if in_json else None)
    except CallFailedError as failed:
        return f"unavailable: {failed}", failed.cost_usd
    except JudgeUnavailable as refused:
        return refused, Decimal(0)
    if reply.cut_off:
        return "the model's reply was cut off", reply.cost_usd
    stated = from_object(reply.text, _WORDS, nonce=nonce) if in_json else last_line(reply.text, _WORDS)
    return stated or "the model's verdict could not be read", reply.cost_usd


def _outcome(stated: Stated, *, answer_first: bool) -> Outcome:
    if stated.word == "EQUAL":
        return "equal"
    return "answer" if (stated.word == "FIRST") == answer_first else "reference"
