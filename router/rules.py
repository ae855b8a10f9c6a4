"""Which rule, if any, sends this request to a fixed tier?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from router.contracts import Features, Hints
from router.settings import RuleSettings, WhenSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """An ordered list of rules; the first one that matches wins."""

    rules: tuple[RuleSettings, ...]

    @classmethod
    def of(cls, rules: Sequence[RuleSettings]) -> Rules:
        return cls(rules=tuple(rules))

    def first_match(self, features: Features, hints: Hints, query_type: str) -> RuleSettings | None:
        """The first rule all of whose conditions hold, or None. query_type: hinted or classified, "unknown" where neither is."""
        if not self.rules:
            return None
        text = features.text.casefold()
        return next((rule for rule in self.rules if _holds(rule.when, features, hints, query_type, text)), None)


def _holds(when: WhenSettings, features: Features, hints: Hints, query_type: str, folded_text: str) -> bool:
    return (
        _allows(when.feature, hints.feature)
        and _allows(when.user, hints.user)
        and _allows(when.query_type, query_type)
        and when.impact in (None, hints.impact)
        and when.error_tolerance in (None, hints.error_tolerance)
        and (when.max_words is None or features.words <= when.max_words)
        and (when.min_words is None or features.words >= when.min_words)
        and (when.min_context_tokens is None or features.conversation_tokens >= when.min_context_tokens)
        and (not when.contains_any or any(part.casefold() in folded_text for part in when.contains_any))
    )


def _allows(allowed: tuple[str, ...], value: str | None) -> bool:
    return not allowed or value in allowed
