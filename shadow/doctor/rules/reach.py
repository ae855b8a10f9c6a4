"""Which rules can win, and which of them claim the same requests for different tiers?

What is said to be unreachable is so for every request there can be. The converse does not hold: a rule that slips through
may still never win, where it takes more than the conditions themselves to see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from router.settings import RuleSettings, WhenSettings
from shadow.doctor.rules.boxes import Box, left_over
from shadow.doctor.rules.wording import Text, fewest_texts, fewest_words, surely_meets


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Requests of one kind: the properties they may have, and what their text says."""

    box: Box
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """A rule that never wins. behind: the rules that take all it matches; empty: it matches nothing at all."""

    rule: RuleSettings
    behind: tuple[RuleSettings, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two rules that both match the example, name different tiers, and of which neither is the special case."""

    first: RuleSettings
    second: RuleSettings
    example: Example


def unreachable(rules: Sequence[RuleSettings]) -> list[Unreachable]:
    """The rules that no request can reach, in their order.

    Cost: milliseconds for some tens of rules; bounded for any.
    """
    found = []
    for position, rule in enumerate(rules):
        earlier = rules[:position]
        if example_of((rule.when,), ()) is None:
            found.append(Unreachable(rule=rule, behind=()))
        elif example_of((rule.when,), [other.when for other in earlier]) is None:
            alone = [other for other in earlier if example_of((rule.when,), [other.when]) is None]
            behind = alone[:1] or _needed(rule, earlier)
            found.append(Unreachable(rule=rule, behind=tuple(behind)))
    return found


def overlaps(rules: Sequence[RuleSettings]) -> list[Overlap]:
    """Pairs of reachable rules that contradict each other, in their order."""
    dead = {finding.rule.name for finding in unreachable(rules)}
    alive = [rule for rule in rules if rule.name not in dead]
    found = []
    for position, second in enumerate(alive):
        for place, first in enumerate(alive[:position]):
            if first.tier == second.tier:
                continue
            example = example_of((first.when, second.when), [other.when for other in alive[:place]])
            # No contradiction: an exception, before the rule that it is taken from.
            if example is not None and example_of((first.when,), [second.when]) is not None:
                found.append(Overlap(first=first, second=second, example=example))
    return found


def example_of(wanted: Sequence[WhenSettings], excluded: Sequence[WhenSettings]) -> Example | None:
    """Requests that meet all of `wanted` and none of `excluded`, as far as the conditions tell; None: there are none."""
    if _box(wanted, ()).is_empty:
        return None
    texts = fewest_texts(*wanted)
    if texts is None:
        return Example(box=_box(wanted, ()), text=())
    for text in texts:
        box = _box(wanted, text)
        if box.is_empty:
            continue
        rest = left_over(box, [Box.of(when) for when in excluded if surely_meets(text, when)])
        if rest is not None:
            return Example(box=rest, text=text)
    return None


def _box(wanted: Sequence[WhenSettings], text: Text) -> Box:
    box = Box.of(wanted[0], fewest_words=fewest_words(text))
    for when in wanted[1:]:
        box = box.meet(Box.of(when))
    return box


def _needed(rule: RuleSettings, earlier: Sequence[RuleSettings]) -> list[RuleSettings]:
    """Of the rules that together are in the way, those without which one would get through."""
    kept = list(earlier)
    for other in reversed(earlier):
        fewer = [one for one in kept if one is not other]
        if example_of((rule.when,), [one.when for one in fewer]) is None:
            kept = fewer
    return kept
