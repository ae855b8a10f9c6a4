"""Did the model answer at all: is the answer empty, a refusal, hedged, cut off or a loop?"""

from __future__ import annotations

import re
from collections import Counter

from judges.contracts import Marker
from judges.text import words

_CANNOT = r"(?:can(?:'t|not| not)|could(?:n't| not)|won't|will not|am unable to|do(?:n't| not) (?:have|know|possess))\b"
_HELP = (
    r"\b(?:help|assist|answer|provide|find|access|information|know|data|determine|comply|do that|fulfil\w*|discuss|create"
    r"|generate|complete|process|respond|perform|carry out)"
)
_REFUSAL = re.compile(
    rf"\b(?:i(?:'m| am) (?:unable|not able|not aware|not sure|not familiar)"
    rf"|i {_CANNOT}[^.\n]{{0,60}}{_HELP}|i do(?:n't| not) know\b"
    r"|unable to (?:answer|help|assist|provide|determine)"
    r"|(?:no|not enough|insufficient) information (?:is |was )?(?:available|provided|given|about|on|to)"
    r"|there is no (?:record|information|data|evidence) (?:of|about|on|that)"
    r"|could you (?:please )?(?:provide|clarify|specify))",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:i(?:'m| am) not (?:entirely |completely |fully )?(?:sure|certain)|i (?:think|believe|guess|assume)"
    r"|it (?:is|'s) (?:possible|likely|unclear|difficult to say)|may or may not|might be|could be|probably|perhaps|possibly"
    r"|to the best of my knowledge|as of my (?:last|knowledge)|my knowledge cut-?off"
    r")\b",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"\b(?:as an? (?:ai|artificial intelligence|(?:large )?language model|virtual assistant|chatbot)"
    r"|i(?:'m| am) (?:just |only )?an? (?:ai|(?:large )?language model|virtual assistant|chatbot))\b",
    re.IGNORECASE,
)
_TURN = re.compile(r"\b(?:however|but|nevertheless|that said)\b", re.IGNORECASE)
_REFUSAL_WORDS = 80
_COMPLETE_END = re.compile(r"[.!?:;)\]}\"'`*_|>%°$€£…。！？」』]\s*$|\d\s*$")
_SENTENCE_INSIDE = re.compile(r"[.!?]\s+[^\W\d_]")
_NGRAM = 6


def refusal(answer: str) -> Marker | None:
    """The refusal that the answer opens with; None if it goes on to answer, at length or after a *but*.

    Being sorry is no refusal, nor is being a machine: only not being able, willing or informed is.
    """
    match = _REFUSAL.search(answer[:400])
    if match is None:
        return None
    rest = words(answer)
    if len(rest) > _REFUSAL_WORDS or len(words(answer[: match.start()])) > 12:
        return None
    turn = _TURN.search(answer, match.end())
    if turn is not None and _REFUSAL.search(answer, turn.end()) is None:
        return None
    return Marker(kind="refusal", start=match.start(), end=match.end(), text=match.group()[:200], weight=0.9)


def hedges(answer: str) -> list[Marker]:
    """Words by which the answer says that it may be wrong."""
    return [
        Marker(kind="hedge", start=m.start(), end=m.end(), text=m.group(), weight=0.15)
        for m in list(_HEDGE.finditer(answer))[:5]
    ]


def disclaimers(answer: str) -> list[Marker]:
    """Where the answer speaks of being a machine."""
    return [
        Marker(kind="ai_disclaimer", start=m.start(), end=m.end(), text=m.group(), weight=0.15)
        for m in list(_DISCLAIMER.finditer(answer))[:3]
    ]


def truncated(answer: str, finish_reason: str | None) -> Marker | None:
    """The place where the answer stops although it is not finished: by the provider's word, or, weaker, by its looks."""
    text = answer.rstrip()
    start = max(0, len(text) - 40)
    if finish_reason in {"length", "max_tokens"}:
        return Marker(kind="truncated", start=start, end=len(text), text=text[start:], weight=0.7)
    unfinished = not _COMPLETE_END.search(text[-8:]) and bool(_SENTENCE_INSIDE.search(text)) and len(text) > 200
    if text.count("```") % 2 == 1 or unfinished:
        return Marker(kind="truncated", start=start, end=len(text), text=text[start:], weight=0.15)
    return None


def repetition(answer: str) -> Marker | None:
    """A loop: most six-word runs occur several times, or one line over and over."""
    lines = [line for line in answer.splitlines() if len(line.strip()) > 8]
    said = words(answer)
    runs = Counter(tuple(said[i : i + _NGRAM]) for i in range(len(said) - _NGRAM + 1))
    total = sum(runs.values())
    repeated = sum(n for n in runs.values() if n >= 3)
    most = Counter(line.strip() for line in lines).most_common(1)
    looping_line = bool(most) and most[0][1] >= 4 and most[0][1] > len(lines) / 2
    if (total >= 30 and repeated > total / 2) or looping_line:
        sample = most[0][0] if looping_line else " ".join(runs.most_common(1)[0][0])
        start = max(answer.find(sample), 0)
        return Marker(kind="repetition", start=start, end=len(answer), text=sample[:200], weight=0.8)
    return None
