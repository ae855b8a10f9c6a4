"""Which of the labels that the prompt lists does this answer give?"""

from __future__ import annotations

import re

from judges.text import words

_LIST = re.compile(
    r"\b(?:one of|choose (?:from|between|among)|pick (?:from|between)|options|labels|categories|classes|intents|topics)\b"
    r"[^:\n.?!(\[]{0,60}[:(\[][ \t]*([^.?!\n)\]]{3,600}|(?:\n[ \t]*[-*•][^\n]{1,80})+)",
    re.IGNORECASE,
)
_EITHER = re.compile(
    r"\b(?:as|either)\s+((?:[\w'-]+(?: [\w'-]+)?, ){0,10}[\w'-]+(?: [\w'-]+)?,? or [\w'-]+(?: [\w'-]+)?)(?=[.?!:\n]|$)",
    re.IGNORECASE,
)
_WHICH = re.compile(r"\b([\w'-]+), (?:[\w'-]+, ){0,8}[\w'-]+,? or [\w'-]+(?=\?)", re.IGNORECASE)
_BULLETS = re.compile(r"\n[ \t]*[-*•][ \t]*([^\n:]{1,60})")
_SEPARATOR = re.compile(r"\s*(?:,\s*(?:or|and)\s|,|;|\||/|\sor\s|\sand\s|\n)\s*(?:[-*•]\s*)?")
_EMPHASIS = re.compile(
    r"\*\*([^*\n]{1,60})\*\*|[\"“'`]([^\"”'`\n]{1,60})[\"”'`]|\blabel\b\W{1,4}(?:is\W{1,4})?([\w -]{1,60})",
    re.IGNORECASE,
)
_MAX_WORDS = 5
_NEGATIONS = frozenset({"not", "no", "non", "never", "neither", "than", "isnt"})


def offered_labels(prompt: str) -> list[tuple[str, ...]]:
    """The labels that a prompt lists to choose from, each as its folded words; empty where it lists none."""
    for match in [*_LIST.finditer(prompt), *_EITHER.finditer(prompt), *_WHICH.finditer(prompt)]:
        listed = match[0] if match.re is _WHICH else match[1]
        pieces = _BULLETS.findall(listed) if listed.startswith("\n") else _SEPARATOR.split(listed)
        labels = [tuple(words(piece)) for piece in pieces]
        labels = [label for label in dict.fromkeys(labels) if label]
        if len(labels) >= 2 and all(len(label) <= _MAX_WORDS for label in labels):
            return labels
    return []


def given_label(completion: str, offered: list[tuple[str, ...]]) -> tuple[str, ...] | None:
    """The one offered label that a completion gives: set off by marks if one is, else the only one it names."""
    emphasised = {label for found in _EMPHASIS.findall(completion) for label in _named("".join(found), offered)}
    if len(emphasised) == 1:
        return emphasised.pop()
    named = _named(completion, offered)
    return named.pop() if len(named) == 1 else None


def _named(text: str, offered: list[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """The offered labels that occur in the text, not right behind a negation, and not only inside a longer label."""
    said = words(text)
    found: set[tuple[str, ...]] = set()
    taken: set[int] = set()
    for label in sorted(offered, key=len, reverse=True):
        for i in range(len(said) - len(label) + 1):
            places = set(range(i, i + len(label)))
            if tuple(said[i : i + len(label)]) == label and not places & taken:
                taken |= places
                if i == 0 or said[i - 1] not in _NEGATIONS:
                    found.add(label)
    return found
