"""Does this text talk to the judge instead of to the user?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from judges.text import clean, clip, fold

#: Each with what a text must contain to match at all: looking for that first is much quicker.
_PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (
        ("ignore", "disregard", "forget", "override"),
        re.compile(
            r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:instructions?|rubric|rules|prompt|guidelines|criteria|above|previous)\b"
        ),
    ),
    (
        ("verdict", "accept", "score"),
        re.compile(
            r"\b(?:output|print|respond|reply|answer|return|say|write)\b[^.\n]{0,30}\b(?:verdict|accept(?:ed)?\b(?!able)|score\s*[:=]?\s*1)"
        ),
    ),
    (("verdict",), re.compile(r"\bverdict\b[\W_]{0,6}(?:accept|reject|abstain)")),
    (
        ("judge", "grader", "evaluator", "reviewer"),
        re.compile(
            r"\b(?:dear|attention|note to|message to|hey|hello)\W{0,3}(?:the )?(?:judge|grader|evaluator|reviewer model)\b"
        ),
    ),
    (
        ("judge", "grader", "evaluator"),
        re.compile(r"\b(?:you are|you're|act as)\W{1,3}(?:now )?(?:the |a |an )?(?:judge|grader|evaluator)\b"),
    ),
    (
        ("accept", "correct"),
        re.compile(
            r"\bthis (?:answer|response|completion) (?:is|must be|should be|has been) "
            r"(?:rated |graded |marked |judged )?(?:accepted|acceptable|correct)\b"
        ),
    ),
    (
        ("accept", "correct", "perfect", "10", "1.0", "full"),
        re.compile(
            r"\b(?:grade|rate|mark|judge|score) (?:this|it|the answer|my answer) (?:as )?(?:accept|correct|perfect|10|1\.0|full)"
        ),
    ),
    (
        ("<", "["),
        re.compile(
            r"<\|?(?:im_start|im_end|system|endoftext)\|?>|\[/?(?:inst|system)\]|</?(?:answer|reference|untrusted)(?:-[0-9a-f]+)?>"
        ),
    ),
    (
        ("begin", "end"),
        re.compile(r"(?:^|\n)\W{0,6}(?:begin|end) (?:of )?(?:the )?(?:answer|reference|untrusted|rubric)\b"),
    ),
)


def injections(text: str, allowed: Iterable[str | None] = ()) -> list[tuple[int, int]]:
    """Spans that address a judge or imitate its frame, unless what is allowed (request, reference) does so as well.

    A question about prompt injection makes such words legitimate in its answer. Where folding moved characters, the span
    is the whole text.
    """
    return list(_injections(text, tuple(a for a in allowed if a)))


@lru_cache(maxsize=512)
def _injections(text: str, allowed: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Kept for the last few texts: markers and the panel's veto ask the same."""
    said = _folded(text)
    found = [
        (pattern, matches)
        for needed, pattern in _PATTERNS
        if any(word in said for word in needed) and (matches := list(pattern.finditer(said))[:5])
    ]
    if not found:
        return ()
    expected = "\n".join(_folded(a) for a in allowed)
    spans = [match.span() for pattern, matches in found if not pattern.search(expected) for match in matches]
    return tuple(sorted(spans)) if len(said) == len(text) else ((0, len(text)),)[: len(spans)]


def _folded(text: str) -> str:
    return fold(clean(clip(text)))
