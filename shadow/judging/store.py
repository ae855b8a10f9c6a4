"""Which labelled pairs does the store hold, to fit a calibration on?

Free judges are asked anew, as they are now. What language models said is taken from the store: nobody pays twice for a verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from judges.contracts import Comparison, Judge, Judgment
from judges.registry import PAID
from judges.stages import kind_of
from shadow.judging.kinship import Kinship
from shadow.judging.mirrored import comparisons
from shadow.judging.pair_file import Pair
from shadow.judging.prompts import question_of
from shadow.settings import Settings
from shadow.store.engine import AsyncConnection
from shadow.store.labelled import LabelledAnswer, labelled_answers
from shadow.store.samples import load_answers, load_sample


class RecordedJudge:
    """Says again what the store has of a judge; an abstention where it was not asked."""

    def __init__(self, name: str, comparisons: Sequence[Comparison], scores: Sequence[float | None]) -> None:
        self.name = name
        self._scores = {id(comparison): score for comparison, score in zip(comparisons, scores, strict=True)}
        self._held = comparisons  # ids stay theirs as long as they live

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order."""
        found = [self._scores.get(id(comparison)) for comparison in comparisons]
        return [
            Judgment(
                judge=self.name,
                verdict="abstain" if score is None else "accept" if score >= 0.5 else "reject",
                score=score,
                rationale="as recorded",
            )
            for score in found
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePairs:
    """pairs: in order of time. recorded: the language models' verdicts on them. left_out: reason -> answers."""

    pairs: tuple[Pair, ...]
    recorded: tuple[Judge, ...]
    left_out: Mapping[str, int]


async def labelled_pairs(
    connection: AsyncConnection, settings: Settings, *, since: datetime, until: datetime
) -> StorePairs:
    """Labelled answers of a window as pairs. Cost: three statements per labelled request."""
    by_request: dict[str, dict[str, LabelledAnswer]] = {}
    for one in await labelled_answers(connection, since=since, until=until):
        by_request.setdefault(one.request_id, {})[one.tier] = one
    kinship, left_out = Kinship(settings), Counter[str]()
    pairs: list[Pair] = []
    known: list[LabelledAnswer] = []
    for request_id, labelled in by_request.items():
        sample = await load_sample(connection, request_id)
        if sample is None or not sample.prompt:
            left_out["their texts are not kept (sampling.store_text, retention)"] += len(labelled)
            continue
        answers = await load_answers(connection, request_id)
        question = question_of(sample.request_body, sample.dialect)
        for answer, comparison in comparisons(sample, answers, question, kinship):
            found = labelled.get(answer.tier) if answer.repeat == 0 else None
            if found is None:
                continue
            if found.label == 0.5:
                left_out["their reviewers disagree, half and half"] += 1
                continue
            pairs.append(_pair(len(pairs) + 1, found, comparison))
            known.append(found)
    return StorePairs(pairs=tuple(pairs), recorded=_recorded(pairs, known), left_out=dict(left_out))


def _pair(number: int, found: LabelledAnswer, comparison: Comparison) -> Pair:
    identity = f"{found.request_id}/{found.tier}"
    record = {"id": identity, "dataset": "store", "query_type": comparison.query_type, "tier": found.tier}
    return Pair(line=number, id=identity, comparison=comparison, label=round(found.label), record=record)


def _recorded(pairs: Sequence[Pair], known: Sequence[LabelledAnswer]) -> tuple[Judge, ...]:
    """The latest version of each language model judge, cheapest first."""
    said = {name for one in known for name in one.scores if kind_of(name) in PAID}
    latest = {kind: max((name for name in said if kind_of(name) == kind), key=_version) for kind in map(kind_of, said)}
    heard = [pair.comparison for pair in pairs]
    return tuple(
        RecordedJudge(latest[kind], heard, [one.scores.get(latest[kind]) for one in known])
        for kind in PAID
        if kind in latest
    )


def _version(name: str) -> int:
    version = name.partition("@")[2]
    return int(version) if version.isdecimal() else 0
