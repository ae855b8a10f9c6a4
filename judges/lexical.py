"""Does the answer use the words of the reference, those that the question does not already contain, and keep its facts?"""

from __future__ import annotations

import time
from collections.abc import Sequence

from judges.contracts import Comparison, Judgment, Verdict
from judges.likeness import likeness, probability
from judges.text import clean, clip, same_text

_ACCEPT = 0.60
_REJECT = 0.30


class LexicalJudge:
    """Word overlap beyond the question, names and numbers counting double, less for facts that disagree; abstains in the middle.

    Words of a short question are left out because any attempt at an answer repeats them; those of a request that brings its own
    text are not, because a summary is made of them.
    """

    name = "lexical@3"

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order."""
        return [self._one(c) for c in comparisons]

    def _one(self, comparison: Comparison) -> Judgment:
        started = time.perf_counter()
        score, rationale = self._score(comparison)
        verdict: Verdict = "abstain"
        if score is not None and (score >= _ACCEPT or score <= _REJECT):
            verdict = "accept" if score >= _ACCEPT else "reject"
        return Judgment(
            judge=self.name,
            verdict=verdict,
            score=None if verdict == "abstain" else score,
            rationale=rationale,
            latency_seconds=time.perf_counter() - started,
        )

    def _score(self, comparison: Comparison) -> tuple[float | None, str]:
        if not comparison.reference or not comparison.reference.strip():
            return None, "there is no reference to compare with"
        if same_text(clean(clip(comparison.answer)), clean(clip(comparison.reference))):
            return 1.0, "the same text"
        found = likeness(comparison)
        if found is None:
            return None, "no words to compare"
        if not found.recall and not found.precision:
            return 0.0, "no new word in common"
        return probability(found.log_odds), found.said
