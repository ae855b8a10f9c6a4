"""Which facts and claims of this answer appear in nothing that it could have them from, and which stand against the reference?"""

from __future__ import annotations

import re

from judges.citations import link_spans, unsupported_sources
from judges.consistency import consistency, stated_in
from judges.contracts import Comparison, Marker
from judges.facts import Fact, facts_of
from judges.grounding import grounding
from judges.quantities import quantities, same_value
from judges.text import clip

_COMPUTED = re.compile(r"[=>]\s*[$€£]?\s?$")
_WEIGHTS = {"number": 0.4, "date": 0.4, "name": 0.3}
_MAX_MARKERS = 20
_CLAIM_UNKNOWN = 0.6
_CLAIM_WORDS = 4


def unsupported(comparison: Comparison) -> list[Marker]:
    """Markers with spans in the (clipped) answer: facts, links, quotations and citations that prompt, context and reference lack;
    claims mostly made of words that the context lacks; and facts the reference puts differently.
    """
    answer = clip(comparison.answer)
    sources = [clip(s) for s in (comparison.reference, comparison.prompt, comparison.context) if s]
    found = [*unsupported_sources(answer, "\n".join(sources)), *_facts(answer, sources)]
    strange = {(m.start, m.end) for m in found}
    found += [m for m in _claims(comparison, answer) if not any(m.start <= a and b <= m.end for a, b in strange)]
    found += [m for m in _contradictions(comparison, answer) if (m.start, m.end) not in strange]
    return sorted(found, key=lambda m: m.start)[:_MAX_MARKERS]


def _facts(answer: str, sources: list[str]) -> list[Marker]:
    """Each once. Numbers that the answer works out itself are its own; those inside a link are the link's."""
    links = link_spans(answer)
    worked_out = "=" in answer or ">" in answer
    computed = [
        abs(q.value)
        for q in (quantities(answer)[:200] if worked_out else ())
        if _COMPUTED.search(answer[max(0, q.start - 4) : q.start])
    ]
    found: list[Marker] = []
    seen: set[str] = set()
    for fact in facts_of(answer):
        text = fact.text.strip()
        if text in seen or stated_in(fact, sources) or any(a <= fact.start < b for a, b in links):
            continue
        if fact.kind == "number" and any(same_value(fact.value, v) for v in computed):
            continue
        seen.add(text)
        found.append(_marker(f"unsupported_{fact.kind}", fact, _WEIGHTS[fact.kind]))
    return found


def _marker(kind: str, fact: Fact, weight: float) -> Marker:
    return Marker(kind=kind, start=fact.start, end=fact.end, text=fact.text.strip()[:200], weight=weight)


def _claims(comparison: Comparison, answer: str) -> list[Marker]:
    """Claims of which most words are neither in the context nor in the request."""
    found = grounding(comparison)
    if found is None or len(answer) != len(comparison.answer):
        return []
    return [
        Marker(kind="unsupported_claim", start=c.start, end=c.end, text=c.text[:200], weight=0.2)
        for c in found.claims
        if c.unknown >= _CLAIM_UNKNOWN and c.words >= _CLAIM_WORDS and answer[c.start : c.end] == c.text
    ]


def _contradictions(comparison: Comparison, answer: str) -> list[Marker]:
    """Facts that the reference doesn't have, while it has others of the same kind that the answer leaves out."""
    if not comparison.reference or not comparison.reference.strip():
        return []
    return [
        _marker("contradicts_reference", f, _WEIGHTS[f.kind])
        for f in consistency(comparison).swapped
        if answer[f.start : f.end] == f.text
    ]
