"""Is what the answer claims in the context that it was given? Words, names, numbers and dates, claim by claim."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from judges.contracts import Comparison
from judges.facts import Fact, facts_of, known
from judges.glued import parted
from judges.statements import misplaced, stems_of
from judges.text import clean, clip, content_words, sentences, stem, words

#: A context up to here is a handful of statements, each of which an answer can be expected to use; a longer one is searched.
_SHORT_CONTEXT_WORDS = 60
_MAX_SENTENCES = 60
_MOST_COUNTED = 2
_FACT_WEIGHT = 2.0
#: Log-odds per feature. Chosen, not fitted: a whole answer of unknown words, two invented facts, or none of the context's facts
#: used weigh alike, and naming something else instead of what the context names a little more.
_UNCOVERED, _INVENTED, _UNUSED, _INSTEAD, _MISPLACED, _DRAWS = 1.0, 0.7, 2.5, 0.5, 1.0, 0.8
_INTERCEPT = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence of the answer that asserts something. start, end: its place. unknown: share of its words known from nowhere."""

    start: int
    end: int
    text: str
    unknown: float
    words: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """claims: in order. invented: facts known from nowhere. unused: share of a short context's facts that the answer lacks, None
    where the context is long or has none that the request doesn't have. instead: it invents while it leaves such facts out.
    draws: 1 where the answer has any word from the context that the request doesn't have, 0 where it has none, the middle where
    there is none to have. misplaced: what stands where the statement that a claim repeats says something else.
    """

    claims: tuple[Claim, ...]
    invented: tuple[Fact, ...]
    unused: float | None
    instead: bool
    misplaced: tuple[str, ...] = ()
    draws: float = 0.5

    @property
    def uncovered(self) -> float:
        """Share of the claims' words known from nowhere, in [0, 1]; 0 without claims."""
        total = sum(c.words for c in self.claims)
        return sum(c.unknown * c.words for c in self.claims) / total if total else 0.0

    @property
    def log_odds(self) -> float:
        """Evidence that the answer keeps to its context."""
        return (
            _INTERCEPT
            - _UNCOVERED * self.uncovered
            - _INVENTED * min(_MOST_COUNTED, len(self.invented))
            - _UNUSED * (0.5 if self.unused is None else self.unused)
            - _INSTEAD * self.instead
            + _DRAWS * (self.draws - 0.5)
            - _MISPLACED * min(_MOST_COUNTED, len(self.misplaced))
        )

    @property
    def said(self) -> str:
        """The same in words."""
        parts = [
            f"{self.uncovered:.0%} of the words of {len(self.claims)} claims are neither in the context nor in the request"
        ]
        if self.invented:
            parts.append(f"not in the context: {', '.join(f.text.strip()[:40] for f in self.invented[:3])}")
        if self.misplaced:
            parts.append(f"where the context says something else: {', '.join(t[:40] for t in self.misplaced[:3])}")
        if self.unused:
            parts.append(f"{self.unused:.0%} of what the context adds to the request is not used")
        return "; ".join(parts)


def grounding(comparison: Comparison) -> Grounding | None:
    """None without a context. Cost: about 0.4 ms for 60 words of answer and context; the last few are kept."""
    if not comparison.context or not comparison.context.strip():
        return None
    alone = not (comparison.reference or "").strip()
    return _grounding(comparison.prompt, comparison.context, comparison.answer, alone)


@lru_cache(maxsize=512)
def _grounding(prompt: str, context: str, answer: str, alone: bool) -> Grounding:
    """alone: there is no reference. With one, others say what stands in another's place."""
    said, asked = clean(clip(answer)), clean(clip(prompt))
    given = parted(clean(clip(context)), asked)
    sources = known(given), known(asked)
    stems = sources[0].stems | sources[1].stems
    invented = tuple(f for f in facts_of(said) if not any(s.has(f) for s in sources))
    added = [f for f in facts_of(given) if not sources[1].has(f)] if len(given.split()) <= _SHORT_CONTEXT_WORDS else []
    here = known(said)
    unused = [f for f in added if not here.has(f)]
    new = stems_of(given) - sources[1].stems
    return Grounding(
        claims=tuple(_claims(said, stems, invented)),
        invented=invented,
        unused=len(unused) / len(added) if added else None,
        instead=bool(invented) and bool(unused),
        draws=float(not new.isdisjoint(here.stems)) if new else 0.5,
        misplaced=misplaced(said, given, asked) if alone else (),
    )


def _claims(answer: str, stems: frozenset[str], invented: tuple[Fact, ...]) -> list[Claim]:
    """The sentences that assert something: not questions, nor those without a word of content."""
    found: list[Claim] = []
    place = 0
    for sentence in sentences(answer)[:_MAX_SENTENCES]:
        start = answer.find(sentence, place)
        place = start + len(sentence)
        said = list(dict.fromkeys(stem(w) for w in content_words(words(sentence))))
        if sentence.rstrip("\"') ").endswith("?") or not said:
            continue
        facts = {s for f in invented if start <= f.start < place for s in (f.stems or (f.text,))}
        weights = [_FACT_WEIGHT if w in facts else 1.0 for w in said]
        unknown = sum(weight for w, weight in zip(said, weights, strict=True) if w not in stems)
        found.append(Claim(start=start, end=place, text=sentence, unknown=unknown / sum(weights), words=len(said)))
    return found
