"""How far do answer and reference say the same, by their words and hard facts alone?"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from judges.behaviour import hedges
from judges.consistency import Consistency, consistency
from judges.contracts import Comparison
from judges.text import clean, clip, content_words, fold, stem, words

_MAX_WORDS = 250
_LONG_PROMPT_WORDS = 60
_NAME = re.compile(r"(?<![^\W_])(?:[A-Z\d][^\W_]*(?:'[^\W_]+)?)")
_NAME_WEIGHT = 2.0
_MOST_COUNTED = 2  # facts of one sort, hedges: more of them say no more
#: Log-odds per feature: fitted on EVOUNA and on generated pairs, rounded; what generated text invents is always wrong, in life it
#: is not, so that weight was lowered from 8. Two sides that were given the same text to keep to and take different facts from it
#: contradict each other; without one, either may know more than the other.
_COVERED, _BOTH = 4.0, 0.3
_INVENTED, _SWAPPED, _SWAPPED_OF_SOURCE, _MISSING, _MISSING_OF_SOURCE, _DENIED = 2.5, 0.3, 1.0, 0.5, 1.0, 1.5
_HEDGE = 1.0
_INTERCEPT = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """recall: weighted share of the reference's new words in the answer; precision: the other way. hedges: of both sides."""

    recall: float
    precision: float
    facts: Consistency
    hedges: int

    @property
    def log_odds(self) -> float:
        """Evidence for "the same", 0 where there is as much against it."""
        facts = self.facts
        return (
            _INTERCEPT
            + _COVERED * max(self.recall, self.precision)
            + _BOTH * min(self.recall, self.precision)
            - _INVENTED * min(_MOST_COUNTED, len(facts.invented))
            - (_SWAPPED + _SWAPPED_OF_SOURCE * facts.grounded) * min(_MOST_COUNTED, len(facts.swapped))
            - (_MISSING + _MISSING_OF_SOURCE * facts.grounded) * facts.missing
            - _DENIED * min(1, facts.denied)
            - _HEDGE * self.hedges
        )

    @property
    def said(self) -> str:
        """The same in words."""
        parts = [f"new words: {self.recall:.2f} of the reference's in the answer, {self.precision:.2f} the other way"]
        for name, found in (("invented", self.facts.invented), ("other than the reference", self.facts.swapped)):
            if found:
                parts.append(f"{name}: {', '.join(f.text.strip()[:40] for f in found[:3])}")
        if self.facts.denied:
            parts.append("one side denies what the other says")
        return "; ".join(parts)


def likeness(comparison: Comparison) -> Likeness | None:
    """None where one side has no words to compare. Cost: about 0.4 ms for 60 words on either side; the last few are kept."""
    return _likeness(comparison.prompt, comparison.answer, comparison.reference or "", comparison.context or "")


@lru_cache(maxsize=512)
def _likeness(prompt: str, answer: str, reference: str, context: str) -> Likeness | None:
    comparison = Comparison(prompt=prompt, answer=answer, reference=reference, context=context)
    answer, reference = clean(clip(answer)), clean(clip(reference))
    prompt = clean(clip(prompt))
    asked = frozenset(stem(w) for w in words(prompt)) if len(prompt.split()) <= _LONG_PROMPT_WORDS else frozenset()
    said, meant = _new_words(answer, asked), _new_words(reference, asked)
    if not meant or not words(answer):
        return None
    return Likeness(
        recall=_covered(meant, said, _names(reference)) if said else 0.0,
        precision=_covered(said, meant, _names(answer)) if said else 0.0,
        facts=consistency(comparison),
        hedges=min(_MOST_COUNTED, len(hedges(answer))) + min(_MOST_COUNTED, len(hedges(reference))),
    )


def probability(log_odds: float) -> float:
    """The probability of log-odds."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))


def _new_words(text: str, asked: frozenset[str]) -> list[str]:
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
