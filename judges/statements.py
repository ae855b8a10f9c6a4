"""Which statement of the context does this claim repeat, and does it put another fact in the place of that statement's?"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from judges.facts import Fact, Known, facts_of, known
from judges.text import content_words, sentences, stem, words

_MAX_STATEMENTS = 80
_MAX_CLAIMS = 20
_ROW = re.compile(r"^\s*(?:[-*•|]|\d{1,3}[.)]\s|[^\n:]{1,30}:\s)")
_FEW = 3  # rows from which lines make up a record


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A sentence or row of a context: its words, its facts, what can be looked up in it. row: one record of several."""

    stems: frozenset[str]
    facts: tuple[Fact, ...]
    known: Known
    row: bool


@lru_cache(maxsize=256)
def statements(text: str) -> tuple[Statement, ...]:
    """The statements of a text in order, at most 80."""
    found = sentences(text)[:_MAX_STATEMENTS]
    rows = [_ROW.match(s) is not None for s in found]
    listed = sum(rows) >= _FEW
    return tuple(
        Statement(stems=stems_of(s), facts=facts_of(s), known=known(s), row=is_row and listed)
        for s, is_row in zip(found, rows, strict=True)
    )


@lru_cache(maxsize=1024)
def stems_of(text: str) -> frozenset[str]:
    """The roots of the words of content."""
    return frozenset(stem(w) for w in content_words(words(text)))


def misplaced(answer: str, context: str, request: str) -> tuple[str, ...]:
    """Facts of the answer in the place of which the statement it repeats has another fact of the same kind, as said.

    A claim repeats the statement with which it shares a fact or, facts aside, a word. Where the context is a list of records and
    the request singles one out, each claim is about that one, and words that only other records have are out of place, too.
    """
    given = statements(context)
    if not given:
        return ()
    asked_for = _singled_out(given, request)
    found: list[str] = []
    elsewhere = _of_others(given, asked_for, request) if asked_for is not None else frozenset()
    for claim in sentences(answer)[:_MAX_CLAIMS]:
        stems, facts = stems_of(claim), facts_of(claim)
        found += [w for w in dict.fromkeys(words(claim)) if stem(w) in elsewhere]
        if not facts or not stems:
            continue
        about = asked_for or max(
            given, key=lambda s: (len(s.stems & stems) / (len(s.stems) or 1), len(s.stems & stems))
        )
        here = known(claim)
        lacking = [f for f in about.facts if not here.has(f)]
        kinds = {f.kind for f in lacking}
        strange = [f for f in facts if f.kind in kinds and not about.known.has(f)]
        if strange and (asked_for is not None or _repeats(about, stems, lacking)):
            found += [f.text.strip() for f in strange]
    return tuple(dict.fromkeys(found))


def _of_others(given: tuple[Statement, ...], one: Statement, request: str) -> frozenset[str]:
    """Words of other records alone, neither in this one nor in the request, nor in what stands around the records."""
    others = frozenset(stem for s in given if s.row and s is not one for stem in s.stems)
    around = frozenset(stem for s in given if not s.row for stem in s.stems)
    return frozenset(w for w in others - one.stems - around - stems_of(request[-1_000:]) if not w.isdigit())


def _repeats(about: Statement, stems: frozenset[str], lacking: list[Fact]) -> bool:
    """Whether a claim shares one of a statement's facts, or a word that is none of its facts."""
    if len(lacking) < len(about.facts):
        return True
    named = {s for f in about.facts for s in f.stems}
    return bool((about.stems - named) & stems)


def _singled_out(given: tuple[Statement, ...], request: str) -> Statement | None:
    """The one record that the request names by something that no other record has; None unless there are records."""
    rows = [s for s in given if s.row]
    if len(rows) < _FEW:
        return None
    often = Counter(stem for s in rows for stem in s.stems)
    asked = stems_of(request[-1_000:])
    scores = [sum(1 for w in s.stems & asked if often[w] == 1) for s in rows]
    best = max(scores)
    return rows[scores.index(best)] if best and scores.count(best) == 1 else None
