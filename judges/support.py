"""Which numbers, names and links of this answer appear in nothing that it could have them from?"""

from __future__ import annotations

import re

from judges.contracts import Marker
from judges.quantities import number_values, quantities, same_value
from judges.text import STOP_WORDS, fold, stem, words

_URL = re.compile(r"(?:https?://|www\.)[^\s<>()\[\]\"'`]{3,300}", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w@/.])[A-Z][\w'’-]*(?:[ \t]+(?:(?:of|the|de|van|von|la|du|der)[ \t]+)?[A-Z][\w'’-]*){0,5}")
_SENTENCE_START = re.compile(r"[.!?:\n][\s\"'(*\-•\d.)#>]*$")
_COMPUTED = re.compile(r"[=>]\s*[$€£]?\s?$")
_MAX_MARKERS = 20
_COMMON_WORDS = """
    i the a an it he she they we you this that these those there here in on at for from to by with and but or so if when
    while after before since however also yes no not sure please note overall additionally furthermore therefore thus
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
    october november december english
"""
_COMMON = frozenset(_COMMON_WORDS.split())


def unsupported(answer: str, sources: str) -> list[Marker]:
    """Markers for what the answer states and the sources (prompt, context, reference) do not, with spans in the answer."""
    found = [*_urls(answer, sources), *_numbers(answer, sources), *_names(answer, sources)]
    return sorted(found, key=lambda m: m.start)[:_MAX_MARKERS]


def _urls(answer: str, sources: str) -> list[Marker]:
    known = sources.lower()
    return [
        Marker(kind="unsupported_url", start=m.start(), end=m.end(), text=m.group()[:200], weight=0.6)
        for m in _URL.finditer(answer)
        if m.group().rstrip(".,;:!?").lower() not in known
    ]


def _numbers(answer: str, sources: str) -> list[Marker]:
    """Numbers of two digits and more, once each, that are neither known nor worked out in the answer itself.

    Small ones count things and number lists; what follows an equals sign was computed, not remembered.
    """
    stated = quantities(answer)[:200]
    links = [m.span() for m in _URL.finditer(answer)]
    known = [abs(v) for v in number_values(sources)]
    known += [abs(q.value) for q in stated if _COMPUTED.search(answer[max(0, q.start - 4) : q.start])]
    found: list[Marker] = []
    for quantity in stated:
        value = abs(quantity.value)
        small = value < 10 and not value % 1
        if small or any(same_value(value, k) for k in known) or any(a <= quantity.start < b for a, b in links):
            continue
        text = answer[quantity.start : quantity.end].strip()
        found.append(Marker(kind="unsupported_number", start=quantity.start, end=quantity.end, text=text, weight=0.4))
        known.append(value)
    return found


def _names(answer: str, sources: str) -> list[Marker]:
    """Capitalised runs none of whose words is known. At a sentence's start only a run of two or more counts as a name."""
    known = {stem(w) for w in words(sources)}
    found: list[Marker] = []
    for match in _NAME.finditer(answer):
        parts = [w for w in words(match.group()) if w not in _COMMON and w not in STOP_WORDS]
        first = bool(_SENTENCE_START.search(("\n" + answer[: match.start()])[-12:]))
        if not parts or (first and len(parts) < 2) or any(len(p) < 2 for p in parts):
            continue
        if not any(stem(fold(p)) in known for p in parts):
            found.append(
                Marker(kind="unsupported_name", start=match.start(), end=match.end(), text=match.group(), weight=0.3)
            )
        if len(found) >= _MAX_MARKERS:
            break
    return found
