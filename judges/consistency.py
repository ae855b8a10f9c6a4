"""Do the hard facts of an answer agree with those of the reference and of what it was given to read?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from judges.contracts import Comparison
from judges.facts import Fact, facts_of, known
from judges.text import clean, clip, sentences, stem, words

_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|cannot|without|(?:is|are|was|were|do|does|did|has|have|had|ca|wo|would|could|should)n't)\b",
    re.I,
)
#: From here on a request brings its own text to work on, and repeating that is no longer empty.
_LONG_PROMPT_WORDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """invented: facts that neither the source nor the reference has, where there is a source; the answer's place of each.

    swapped: facts the reference doesn't have, while it has others of the same kind that the answer lacks. missing: share of the
    reference's new facts that the answer lacks, 0 where it has none. shared: how many it has. denied: sentences that say alike
    but for a negation.
    """

    invented: tuple[Fact, ...]
    swapped: tuple[Fact, ...]
    missing: float
    shared: int
    denied: int
    grounded: bool


def brings_source(comparison: Comparison) -> bool:
    """Whether the answer was given something to keep to: a context, or a request with a text in it."""
    return (
        bool(comparison.context and comparison.context.strip()) or len(comparison.prompt.split()) > _LONG_PROMPT_WORDS
    )


def consistency(comparison: Comparison) -> Consistency:
    """Facts of the answer against reference and source. Cost: about 0.3 ms for 60 words on either side; the last few are kept."""
    grounded = brings_source(comparison)
    return _consistency(
        comparison.prompt, comparison.context or "", comparison.answer, comparison.reference or "", grounded
    )


@lru_cache(maxsize=512)
def _consistency(prompt: str, context: str, answer: str, reference: str, grounded: bool) -> Consistency:
    answer, reference = clean(clip(answer)), clean(clip(reference))
    sources = [clean(clip(text)) for text in (prompt, context) if text]
    wanted = [f for f in facts_of(reference) if grounded or not stated_in(f, sources)]
    lacking = [f for f in wanted if not known(answer).has(f)]
    strange = [f for f in facts_of(answer) if not known(reference).has(f) and not _worked_out(f, answer)]
    invented = [f for f in strange if grounded and not stated_in(f, sources)]
    kinds = {f.kind for f in lacking}
    swapped = [f for f in strange if f.kind in kinds and (grounded or not stated_in(f, sources))]
    return Consistency(
        invented=tuple(invented),
        swapped=tuple(swapped),
        missing=len(lacking) / len(wanted) if wanted else 0.0,
        shared=len(wanted) - len(lacking),
        denied=_denied(answer, reference) if reference else 0,
        grounded=grounded,
    )


def _worked_out(fact: Fact, text: str) -> bool:
    """Whether a number follows an equals sign: computed, not remembered."""
    return fact.kind == "number" and text[max(0, fact.start - 4) : fact.start].rstrip(" $€£").endswith("=")


def _denied(answer: str, reference: str) -> int:
    """Pairs of sentences with nearly the same words of which just one is negated."""
    if _NEGATION.search(answer) is None and _NEGATION.search(reference) is None:
        return 0
    found = 0
    ours = [(_bag(s), bool(_NEGATION.search(s))) for s in sentences(answer)[:20]]
    for said in sentences(reference)[:20]:
        bag, negated = _bag(said), bool(_NEGATION.search(said))
        for other, other_negated in ours:
            if (
                negated != other_negated
                and len(bag & other) >= 3
                and len(bag & other) >= 0.7 * min(len(bag), len(other))
            ):
                found += 1
                break
    return found


def _bag(sentence: str) -> frozenset[str]:
    return frozenset(stem(w) for w in words(_NEGATION.sub(" ", sentence)) if len(w) > 3)


def stated_in(fact: Fact, texts: Iterable[str]) -> bool:
    """Whether any of the texts states the fact. The next one is read only where those before don't."""
    return any(known(text).has(fact) for text in texts)
