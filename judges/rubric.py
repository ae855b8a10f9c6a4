"""What does a language model make of the answer by itself, asked with the rubric of its query type?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from judges.chat import ChatModel
from judges.contracts import Comparison
from judges.families import families_of
from judges.fences import fill, new_nonce, prompt_file, untrusted
from judges.jury import Families, Jury
from judges.stated import Stated, from_object, last_line, schema_for
from judges.vote_cache import Vote, VoteCache

NAME = "rubric@3"
_PROMPT = "rubric-3.txt"
_CLOSING = {"line": "rubric-line-1.txt", "json_schema": "rubric-json-1.txt"}
_WORDS = ("ACCEPT", "REJECT")
_SURE = 0.85  # the score of a verdict that came without one

#: Query type -> rubric. What is not listed gets the default.
RUBRICS: Mapping[str, str] = {
    "math": "math-1.txt",
    "reasoning": "reasoning-1.txt",
    "code": "code-1.txt",
    "data": "code-1.txt",
    "qa": "qa-1.txt",
    "factual_qa": "qa-1.txt",
    "document_qa": "grounded-1.txt",
    "summarization": "summarization-1.txt",
    "extraction": "extraction-1.txt",
    "classification": "classification-1.txt",
    "translation": "translation-1.txt",
    "writing": "writing-1.txt",
    "rewriting": "writing-1.txt",
    "chat": "chat-1.txt",
    "dialogue": "chat-1.txt",
}


class RubricJudge:
    """Language models asked once per comparison. What one says counts only where its verdict can be read; else it abstains.

    Cost: one call for each model, counted also where the verdict could not be read.
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


def render(comparison: Comparison, *, nonce: str, output: str = "line") -> str:
    """The rubric prompt for a comparison. nonce: of the fences."""
    rubric = RUBRICS.get(comparison.query_type or "", "default-1.txt")
    return fill(
        _PROMPT,
        nonce=nonce,
        rubric=prompt_file(f"rubrics/{rubric}").strip(),
        closing=fill(_CLOSING[output], nonce=nonce).strip(),
        prompt=untrusted(comparison.prompt),
        context=untrusted(comparison.context),
        reference=untrusted(comparison.reference),
        answer=untrusted(comparison.answer),
    )


def read_verdict(reply: str) -> Stated | None:
    """The verdict on the last line; None where it can't be read or its score says the opposite."""
    return _coherent(last_line(reply, _WORDS))


def _coherent(stated: Stated | None) -> Stated | None:
    if stated is None or (stated.score is not None and (stated.score >= 0.5) != (stated.word == "ACCEPT")):
        return None
    return stated


async def _ask(model: ChatModel, comparison: Comparison) -> Vote:
    nonce = new_nonce(comparison.prompt, comparison.context, comparison.reference, comparison.answer)
    in_json = model.output == "json_schema"
    reply = await model.ask(
        render(comparison, nonce=nonce, output=model.output), schema=schema_for(_WORDS) if in_json else None
    )
    if reply.cut_off:
        return Vote(accepted=None, reasons="the model's reply was cut off", cost_usd=reply.cost_usd, final=False)
    stated = _coherent(from_object(reply.text, _WORDS, nonce=nonce)) if in_json else read_verdict(reply.text)
    if stated is None:
        return Vote(
            accepted=None, reasons="the model's verdict could not be read", cost_usd=reply.cost_usd, final=False
        )
    accepted = stated.word == "ACCEPT"
    score = (_SURE if accepted else 1 - _SURE) if stated.score is None else stated.score
    return Vote(accepted=accepted, score=round(score, 4), reasons=stated.reasons, cost_usd=reply.cost_usd)
