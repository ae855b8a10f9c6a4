"""Does the answer use the words of the reference, those that the question does not already contain?"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from rapidfuzz import fuzz

from judges.contracts import Comparison, Judgment, Verdict
from judges.text import clean, clip, content_words, fold, same_text, stem, words

_ACCEPT = 0.55
_REJECT = 0.20
_MAX_WORDS = 250
_NAME = re.compile(r"(?<![^\W_])(?:[A-Z\d][^\W_]*(?:'[^\W_]+)?)")
_NAME_WEIGHT = 2.0
#: A reference that contains the answer, or the reverse, is most of the evidence; that both are alike is the rest.
_CONTAINMENT = 0.9


class LexicalJudge:
    """Word overlap beyond the question, names and numbers counting double; abstains in the middle of its scale.

    Words of the question are left out because any attempt at an answer repeats them.
    """

    name = "lexical@1"

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
        answer, reference = clean(clip(comparison.answer)), clean(clip(comparison.reference))
        if same_text(answer, reference):
            return 1.0, "the same text"
        asked = {stem(w) for w in words(clip(comparison.prompt))}
        said, meant = _new_words(answer, asked), _new_words(reference, asked)
        if not meant or not words(answer):
            return None, "no words to compare"
        if not said:
            return 0.0, "nothing but words of the question"
        recall = _covered(meant, said, _names(reference))
        precision = _covered(said, meant, _names(answer))
        overlap = _CONTAINMENT * max(recall, precision) + (1 - _CONTAINMENT) * min(recall, precision)
        return min(
            1.0, overlap
        ), f"new words: {recall:.2f} of the reference's in the answer, {precision:.2f} the other way"


def _new_words(text: str, asked: set[str]) -> list[str]:
    """Stems of the content words that the question lacks, each once, in order; of all content words if none is new."""
    stems = [stem(w) for w in content_words(words(text))]
    fresh = dict.fromkeys(w for w in stems if w not in asked)
    return list(fresh or dict.fromkeys(stems))[:_MAX_WORDS]


def _names(text: str) -> set[str]:
    """Stems of capitalised words and numbers: what a careful reader checks first."""
    return {stem(fold(w).replace("'", "")) for w in _NAME.findall(text)}


def _covered(wanted: Sequence[str], present: Sequence[str], names: set[str]) -> float:
    """Weighted share of the wanted words that are present, near spellings counting in part."""
    exact = set(present)
    by_initial: dict[str, list[str]] = {}
    for word in present:
        by_initial.setdefault(word[0], []).append(word)
    found = total = 0.0
    for word in wanted:
        weight = _NAME_WEIGHT if word in names else 1.0
        total += weight
        found += weight * (1.0 if word in exact else _near(word, by_initial.get(word[0], ())))
    return found / total


def _near(word: str, others: Sequence[str]) -> float:
    """How well the best of the others spells the same word, 0 if none is close. Numbers are never close."""
    if len(word) < 4 or word[0].isdigit():
        return 0.0
    best = 0.0
    for other in others:
        if len(other) >= 4 and (other.startswith(word) or word.startswith(other)):
            best = max(best, 0.85)
        elif abs(len(other) - len(word)) <= 2:
            best = max(best, fuzz.ratio(word, other) / 100)
    return best if best >= 0.8 else 0.0
