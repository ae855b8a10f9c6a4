"""Is what the answer claims in the context that it was given? Words, names, numbers and dates, claim by claim."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from judges.contracts import Comparison
from judges.facts import Fact, facts_of, known
from judges.glued import parted
from judges.statements import misplaced, stems_of
from judges.text import clean, clip, content_words, sentences, stem, words

#: A context up to here is a handful of statements, each of which an answer can be expected to use; a longer one is searched.
_SHORT_CONTEXT_WORDS = 60
_ABOUT_A_TEXT = re.compile(
    r"\b(?:summar(?:y|i[sz])\w*|tl;?dr|according to|based on|condense|shorten|abstract of)\b"
    r"|\b(?:this|the|following|given) (?:\w+ )?"
    r"(?:report|article|passage|text|document|e-?mail|transcript|notes?|story|conversation)\b",
    re.IGNORECASE,
)
_INSTRUCTION = 300  # characters of a request in which it says what it wants
_MAX_SENTENCES = 60
_CLAIM_WORDS = 4  # fewer words of content say too little by themselves
_MOST_COUNTED = 2
_FACT_WEIGHT = 2.0
#: Log-odds per feature. Chosen, not fitted: facts weigh more than words, since a paraphrase has other words, too; most of all
#: weighs an answer without any of the few facts that a short context adds to the request. The intercept puts most right answers
#: of generated records and summaries above one half.
_UNCOVERED, _INVENTED, _UNUSED, _INSTEAD, _MISPLACED, _DRAWS, _WORST = 1.0, 0.7, 2.5, 0.5, 1.0, 0.8, 0.7
_INTERCEPT = 2.5


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
    def worst(self) -> float:
        """The share of unknown words of the worst of several claims, in [0, 1]: one invented sentence spoils a long answer."""
        found = [c.unknown for c in self.claims if c.words >= _CLAIM_WORDS]
        return max(found) if len(found) > 1 else 0.0

    @property
    def log_odds(self) -> float:
        """Evidence that the answer keeps to its context."""
        return (
            _INTERCEPT
            - _UNCOVERED * self.uncovered
            - _WORST * self.worst
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
    """None without a context. Where there is no reference either, a text that the request asks to be worked on counts as one.

    Cost: about 0.4 ms for 60 words of answer and context; the last few are kept.
    """
    alone = not (comparison.reference or "").strip()
    if comparison.context and comparison.context.strip():
        return _grounding(comparison.prompt, comparison.context, comparison.answer, alone)
    brought = _brought(comparison.prompt) if alone else None
    return None if brought is None else _grounding(brought[1], brought[0], comparison.answer, alone)


def _brought(prompt: str) -> tuple[str, str] | None:
    """The text that a request brings along to be summarised or asked about, and the rest of it; None where it brings none."""
    asked = _ABOUT_A_TEXT.search(prompt[:_INSTRUCTION]) or _ABOUT_A_TEXT.search(prompt[-_INSTRUCTION:])
    if asked is None or len(prompt.split()) <= _SHORT_CONTEXT_WORDS:
        return None
    parts = [part for part in re.split(r"\n\s*\n|(?<=:)\n", prompt) if part.strip()]
    text = max(parts, key=len)
    rest = "\n".join(part for part in parts if part is not text)
    return (text, rest) if rest and len(text) > len(rest) else None


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
