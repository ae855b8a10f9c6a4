"""What do one or several language models make of an answer together? Who may vote, what was said before, the majority."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from statistics import fmean

from judges.chat import CallFailedError, ChatModel
from judges.contracts import Comparison, Judgment, Verdict
from judges.errors import JudgeUnavailable
from judges.families import families_of
from judges.injection import injections
from judges.vote_cache import Vote, VoteCache, content_key

#: How one judge asks one model about one comparison. Raises: CallFailedError, JudgeUnavailable.
Ask = Callable[[ChatModel, Comparison], Awaitable[Vote]]
#: Model id -> its families.
Families = Callable[[str], frozenset[str]]
_MAX_RATIONALE = 2_000


class Jury:
    """Asks its models and follows the majority of those that may vote; without one it abstains.

    A model of the family of an answer or of the reference may not vote unless `allow_same_family`; families says which family
    a model id is of. An acceptance is not believed where the answer talks to the judge, or the reference does and the request
    gave no reason to. A failed call is a vote for nothing, with its reason; what it cost is counted.
    """

    def __init__(
        self,
        name: str,
        models: Sequence[ChatModel],
        ask: Ask,
        *,
        concurrency: int = 4,
        allow_same_family: bool = False,
        cache: VoteCache | None = None,
        families: Families = families_of,
    ) -> None:
        if not models:
            raise ValueError(f"{name} needs at least one model")
        self.name = name
        self._models = tuple(models)
        self._ask = ask
        self._concurrency = concurrency
        self._allow_same_family = allow_same_family
        self._cache = cache
        self._families = families

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order. Raises JudgeUnavailable where no model could be used for any of them."""
        places = asyncio.Semaphore(self._concurrency)

        async def one(comparison: Comparison) -> Judgment | JudgeUnavailable:
            async with places:
                return await self._one(comparison)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(c)) for c in comparisons]
        said = [task.result() for task in tasks]
        refused = [found for found in said if isinstance(found, JudgeUnavailable)]
        if refused and len(refused) == len(said):
            raise refused[0]
        # Refused halfway through: what was said and paid before stays.
        return [
            self._judgment("abstain", None, f"unavailable: {found}", (), time.perf_counter())
            if isinstance(found, JudgeUnavailable)
            else found
            for found in said
        ]

    async def _one(self, comparison: Comparison) -> Judgment | JudgeUnavailable:
        started = time.perf_counter()
        voters = self._voters(comparison)
        if not voters:
            kin = ", ".join(sorted(comparison.families))
            return self._judgment("abstain", None, f"no judge of another family than the answers' ({kin})", (), started)
        votes = await asyncio.gather(*(self._vote(model, comparison) for model in voters))
        if all(isinstance(vote, JudgeUnavailable) for vote in votes):
            return JudgeUnavailable(f"{self.name}: {votes[0]}")
        counted = tuple(
            Vote(accepted=None, reasons=f"unavailable: {vote}", final=False)
            if isinstance(vote, JudgeUnavailable)
            else vote
            for vote in votes
        )
        verdict = _majority(counted)
        if verdict == "accept" and (speaker := _addressing_the_judge(comparison)):
            return self._judgment("abstain", None, f"accepted, but the {speaker} addresses the judge", counted, started)
        scores = [v.score for v in counted if v.accepted is (verdict == "accept") and v.score is not None]
        score = fmean(scores) if verdict != "abstain" else None
        return self._judgment(verdict, score, _rationale(voters, counted), counted, started)

    def _voters(self, comparison: Comparison) -> list[ChatModel]:
        if self._allow_same_family:
            return list(self._models)
        return [m for m in self._models if not self._families(m.model) & comparison.families]

    async def _vote(self, model: ChatModel, comparison: Comparison) -> Vote | JudgeUnavailable:
        key = content_key(self.name, model.identity, comparison) if self._cache is not None else ""
        if self._cache is not None and (known := self._cache.get(key)) is not None:
            return known
        try:
            vote = await self._ask(model, comparison)
        except CallFailedError as failed:
            return Vote(accepted=None, reasons=f"unavailable: {failed}", cost_usd=failed.cost_usd, final=False)
        except JudgeUnavailable as refused:
            return refused
        if self._cache is not None:
            self._cache.put(key, vote)
        return vote

    def _judgment(
        self, verdict: Verdict, score: float | None, rationale: str, votes: tuple[Vote, ...], started: float
    ) -> Judgment:
        return Judgment(
            judge=self.name,
            verdict=verdict,
            score=score,
            rationale=rationale[:_MAX_RATIONALE],
            cost_usd=sum((v.cost_usd for v in votes), Decimal(0)),
            latency_seconds=time.perf_counter() - started,
        )


def _addressing_the_judge(comparison: Comparison) -> str | None:
    """Which text talks to the judge, where nothing in the request made it: the answer, the reference, or none."""
    asked = (comparison.prompt, comparison.context)
    if injections(comparison.answer, (*asked, comparison.reference)):
        return "answer"
    return "reference" if comparison.reference and injections(comparison.reference, asked) else None


def _majority(votes: Sequence[Vote]) -> Verdict:
    """More than half of all that may vote; a vote for nothing counts against both."""
    yes = sum(v.accepted is True for v in votes)
    no = sum(v.accepted is False for v in votes)
    return "accept" if 2 * yes > len(votes) else "reject" if 2 * no > len(votes) else "abstain"


def _rationale(voters: Sequence[ChatModel], votes: Sequence[Vote]) -> str:
    def said(vote: Vote) -> str:
        return (vote.reasons or "no reasons given") + (" (from the cache, not asked again)" if vote.cached else "")

    if len(votes) == 1:
        return said(votes[0])
    word = {True: "accept", False: "reject", None: "no verdict"}
    each = _MAX_RATIONALE // len(votes)
    return "\n".join(f"{m.model}: {word[v.accepted]}. {said(v)}"[:each] for m, v in zip(voters, votes, strict=True))
