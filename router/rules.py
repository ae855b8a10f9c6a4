"""Which rule, if any, sends this request to a fixed tier?

The conditions of a rule are put in order when the router starts, those on hints and numbers before those that read the
text; what a rule does not ask for costs nothing. What is found in the text is found once, however many rules ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from router.contracts import Features, Hints
from router.mentions.said import Said, phrase
from router.mentions.subjects import DETECTORS
from router.settings import RuleSettings, WhenSettings
from router.settings.rules import Subject


class Asked:
    """One request as rules see it."""

    __slots__ = ("_mentioned", "features", "hints", "query_type", "said")

    def __init__(self, features: Features, hints: Hints, query_type: str) -> None:
        self.features = features
        self.hints = hints
        self.query_type = query_type
        self.said = Said(features.text)
        self._mentioned: dict[Subject, bool] = {}

    def mentions(self, subject: Subject) -> bool:
        """Whether the last user message speaks of a subject. Cost: that of one search, the first time."""
        known = self._mentioned.get(subject)
        if known is None:
            known = self._mentioned[subject] = DETECTORS[subject](self.said)
        return known


Condition = Callable[[Asked], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """An ordered list of rules with their conditions; the first one that matches wins."""

    rules: tuple[tuple[RuleSettings, tuple[Condition, ...]], ...]

    @classmethod
    def of(cls, rules: Sequence[RuleSettings]) -> Rules:
        return cls(rules=tuple((rule, tuple(_conditions(rule.when))) for rule in rules))

    def first_match(self, features: Features, hints: Hints, query_type: str) -> RuleSettings | None:
        """The first rule all of whose conditions hold, or None. query_type: hinted, classified, or "unknown".

        Cost: about a microsecond for each rule that does not read the text.
        """
        if not self.rules:
            return None
        asked = Asked(features, hints, query_type)
        for rule, conditions in self.rules:
            for holds in conditions:
                if not holds(asked):
                    break
            else:
                return rule
        return None


def _conditions(when: WhenSettings) -> Iterator[Condition]:
    """The conditions that are given, cheapest first."""
    yield from _about_the_caller(when)
    yield from _about_the_size(when)
    yield from _about_the_kind(when)
    yield from _about_the_text(when)


def _about_the_caller(when: WhenSettings) -> Iterator[Condition]:
    if when.feature:
        features = frozenset(when.feature)
        yield lambda asked: asked.hints.feature in features
    if when.user:
        users = frozenset(when.user)
        yield lambda asked: asked.hints.user in users
    if when.query_type:
        query_types = frozenset(when.query_type)
        yield lambda asked: asked.query_type in query_types
    if when.impact is not None:
        yield lambda asked: asked.hints.impact == when.impact
    if when.error_tolerance is not None:
        yield lambda asked: asked.hints.error_tolerance == when.error_tolerance


def _about_the_size(when: WhenSettings) -> Iterator[Condition]:
    if (most_words := when.max_words) is not None:
        yield lambda asked: asked.features.words <= most_words
    if (fewest_words := when.min_words) is not None:
        yield lambda asked: asked.features.words >= fewest_words
    if (most_tokens := when.max_context_tokens) is not None:
        yield lambda asked: asked.features.conversation_tokens <= most_tokens
    if (fewest_tokens := when.min_context_tokens) is not None:
        yield lambda asked: asked.features.conversation_tokens >= fewest_tokens


def _about_the_kind(when: WhenSettings) -> Iterator[Condition]:
    if when.has_tools is not None:
        yield lambda asked: asked.features.has_tools is when.has_tools
    if when.has_images is not None:
        yield lambda asked: asked.features.has_images is when.has_images
    if when.wants_json is not None:
        yield lambda asked: asked.features.wants_json is when.wants_json


def _about_the_text(when: WhenSettings) -> Iterator[Condition]:
    if when.contains_any:
        parts = tuple(part.casefold() for part in when.contains_any)
        yield lambda asked: any(part in asked.said.whole_folded for part in parts)
    if when.words_any:
        phrases = tuple(phrase(words) for words in when.words_any)
        yield lambda asked: any(words in asked.said.line for words in phrases)
    if when.mentions:
        subjects = tuple(dict.fromkeys(when.mentions))
        yield lambda asked: any(asked.mentions(subject) for subject in subjects)
