"""Which links, quotations and citations of this answer appear in nothing that it could have them from?"""

from __future__ import annotations

import re

from judges.contracts import Marker
from judges.text import normalise

_URL = re.compile(r"(?:https?://|www\.)[^\s<>()\[\]\"'`]{3,300}", re.IGNORECASE)
_QUOTE = re.compile(r"[\"“«]([^\"“”«»\n]{12,400})[\"”»]")
_CITATION = re.compile(
    r"\((?:see )?[A-Z][\w'’-]+(?: (?:et al\.?|(?:and|&) [A-Z][\w'’-]+))?,? (?:19|20)\d\d[a-z]?\)"
    r"|\b[A-Z][\w'’-]+ et al\.?,? \(?(?:19|20)\d\d[a-z]?\)?"
    r"|\b(?:doi:\s?|https?://doi\.org/)?10\.\d{4,9}/[^\s\"'<>()]{2,80}|\barXiv:\s?\d{4}\.\d{4,5}|\bISBN[\s:-]{0,3}[\d-]{10,17}"
)
_REFERENCE_NUMBER = re.compile(r"(?<=[\w.,\"”)])\s?\[\d{1,3}(?:\s?[,-]\s?\d{1,3}){0,6}\]")
_MIN_QUOTE_WORDS = 4
_MAX_EACH = 10


def link_spans(answer: str) -> list[tuple[int, int]]:
    """Where the answer has links."""
    return [m.span() for m in _URL.finditer(answer)]


def unsupported_sources(answer: str, sources: str) -> list[Marker]:
    """Markers for links, quotations and citations that the sources don't have."""
    return [*_links(answer, sources), *_quotes(answer, sources), *_citations(answer, sources)]


def _links(answer: str, sources: str) -> list[Marker]:
    known = sources.lower()
    return [
        Marker(kind="unsupported_url", start=m.start(), end=m.end(), text=m.group()[:200], weight=0.6)
        for m in _URL.finditer(answer)
        if m.group().rstrip(".,;:!?").lower() not in known
    ][:_MAX_EACH]


def _quotes(answer: str, sources: str) -> list[Marker]:
    """Quotations of some length that nobody said. Titles and single words in quotation marks are too short to count."""
    found = [m for m in _QUOTE.finditer(answer) if len(m[1].split()) >= _MIN_QUOTE_WORDS][:_MAX_EACH]
    if not found:
        return []
    known = f" {normalise(sources)} "
    return [
        Marker(kind="unsupported_quote", start=m.start(), end=m.end(), text=m.group()[:200], weight=0.3)
        for m in found
        if f" {normalise(m[1])} " not in known
    ]


def _citations(answer: str, sources: str) -> list[Marker]:
    """Citations by author and year, identifiers, and numbered references where the sources number none."""
    known = sources.lower()
    found = [m for m in _CITATION.finditer(answer) if m.group().strip("() ").lower() not in known]
    if not _REFERENCE_NUMBER.search(sources):
        found += [m for m in _REFERENCE_NUMBER.finditer(answer) if f"{m.group().strip()}" not in sources]
    return [
        Marker(kind="unsupported_citation", start=m.start(), end=m.end(), text=m.group()[:200].strip(), weight=0.4)
        for m in found[:_MAX_EACH]
    ]
