"""What is said about rules that can't win, contradict each other, or ask for what can't be?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from router.gate import ANSWER_TOKENS
from router.settings import RuleSettings
from shadow.doctor.findings import Finding, warn
from shadow.doctor.rules.reach import Example, Unreachable, overlaps, unreachable

MOST_OVERLAPS = 5


def about_rules(
    rules: Sequence[RuleSettings], windows: Mapping[str, int], known_query_types: Collection[str] | None = None
) -> list[Finding]:
    """Every problem of the rules. windows: tier -> its largest window, in tokens. known_query_types: None is not asked."""
    return [
        *(_never(finding) for finding in unreachable(rules)),
        *_contradictions(rules),
        *_too_long(rules, windows),
        *_strange_types(rules, known_query_types),
    ]


def _never(found: Unreachable) -> Finding:
    rule, name = found.rule, found.rule.name
    if not found.behind:
        return warn(
            "routing",
            f"rule {name!r} can never match: {_why_empty(rule)}",
            "correct one of the two, or remove the rule",
        )
    if len(found.behind) > 1:
        names = ", ".join(repr(other.name) for other in found.behind)
        detail = f"rule {name!r} is never reached: {names} before it together match whatever it matches"
        return warn("routing", detail, f"move {name!r} before them, or remove it")
    (other,) = found.behind
    if other.when == rule.when:
        tiers = "and the same tier" if other.tier == rule.tier else f"and tier {other.tier!r}, not {rule.tier!r}"
        detail = f"rule {name!r} is never reached: {other.name!r} before it has the same conditions {tiers}"
        return warn("routing", detail, "keep one of the two")
    detail = f"rule {name!r} is never reached: {other.name!r} before it matches whatever it matches"
    return warn("routing", detail, f"move {name!r} before {other.name!r}, or remove it")


def _why_empty(rule: RuleSettings) -> str:
    when = rule.when
    for unit in ("words", "context_tokens"):
        low, high = getattr(when, f"min_{unit}"), getattr(when, f"max_{unit}")
        if low is not None and high is not None and low > high:
            return f"min_{unit} {low} is more than max_{unit} {high}"
    for name in ("feature", "user"):
        given = getattr(when, name)
        if given and all(value != value.strip() or len(value) > 200 for value in given):
            return f"hints are trimmed and cut to 200 characters, so none is {given[0][:40]!r}"
    if when.max_words is not None and (when.contains_any or when.words_any or when.mentions):
        return f"what it looks for takes more than {when.max_words} words"
    return f"the words or images it asks for take more than {when.max_context_tokens} tokens"


def _contradictions(rules: Sequence[RuleSettings]) -> list[Finding]:
    found = overlaps(rules)
    shown = [
        warn(
            "routing",
            f"rules {pair.first.name!r} (tier {pair.first.tier}) and {pair.second.name!r} (tier {pair.second.tier}) both"
            f" match {in_words(pair.example)}: {pair.first.name!r} wins, as it stands first",
            "put the one that must win first, or narrow the conditions of one",
        )
        for pair in found[:MOST_OVERLAPS]
    ]
    if len(found) > MOST_OVERLAPS:
        more = len(found) - MOST_OVERLAPS
        shown.append(
            warn("routing", f"{more} more pairs of rules overlap like that", "correct the first ones, look again")
        )
    return shown


def _too_long(rules: Sequence[RuleSettings], windows: Mapping[str, int]) -> list[Finding]:
    found = []
    for rule in rules:
        least, window = rule.when.min_context_tokens, windows.get(rule.tier)
        if least is not None and window is not None and least + ANSWER_TOKENS > window:
            detail = (
                f"rule {rule.name!r} sends conversations of at least {least:,} tokens to {rule.tier}, whose largest window of"
                f" {window:,} has no room for them and an answer: they go to another tier"
            )
            found.append(warn("routing", detail, "name a tier with a larger window, or lower min_context_tokens"))
    return found


def _strange_types(rules: Sequence[RuleSettings], known: Collection[str] | None) -> list[Finding]:
    if known is None:
        return []
    return [
        warn(
            "routing",
            f"rule {rule.name!r} asks for the query type {name!r}, which nothing here gives: only a caller's hint can",
            f"known are {', '.join(sorted(known))}; leave it if callers hint at it",
        )
        for rule in rules
        for name in rule.when.query_type
        if name not in known
    ]


def in_words(example: Example) -> str:
    """A request of this kind, described."""
    box, said = example.box, []
    for name, word in (("feature", "feature"), ("user", "user"), ("query_type", "query type")):
        names = getattr(box, name)
        if not names.excluded:
            said.append(f"{word} {names.example()}")
    for name, word in (("impact", "impact"), ("error_tolerance", "error tolerance")):
        levels = getattr(box, name)
        if len(levels.values) < 3:
            said.append(f"{levels.example()} {word}")
    if box.words.low > 0 or box.words.high is not None:
        said.append(f"{box.words.low} words")
    if box.context_tokens.low > 0 or box.context_tokens.high is not None:
        said.append(f"{max(box.context_tokens.low, box.fewest_tokens):,} context tokens")
    for name, word in (("has_tools", "tools"), ("has_images", "images"), ("wants_json", "JSON")):
        values = getattr(box, name).values
        if len(values) == 1:
            said.append(word if True in values else f"no {word}")
    said += [
        f"speaking of {atom.value}" if atom.kind == "subject" else f"with {atom.value.strip()!r}"
        for atom in example.text
    ]
    return f"a request ({', '.join(said)})" if said else "any request"
