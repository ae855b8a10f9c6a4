"""What would other thresholds have done with this request, and with which chance is their loss observed?

Written down with every sample, while settings and rates are those that were in force: none of it can be told later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from router.contracts import Exchange
from router.gate import ANSWER_TOKENS
from shadow.sampling.draws import Draw, Rates, pair_probabilities, sample_probability
from shadow.settings import Settings


def what_if(exchange: Exchange, drawn: Draw, settings: Settings, rates: Rates) -> dict[str, Any]:
    """The note kept with a sample. rates: those it was drawn with.

    scores: by tier below the top. fixed: the tier that a pin or a rule decided on, else null. raised, lowered: moved by impact
    or session, by tolerance. fits: the tier that answers where each tier is chosen, because of context windows; null: each
    fits. row: chance of being sampled at all. pairs: by tier, chance that its answer and the top tier's are both obtained.
    labelled: by tier, chance that a reviewer is asked about that pair, given that it is obtained.
    """
    tiers = settings.tier_names
    served, decision, hints = exchange.served_tier or tiers[-1], exchange.decision, exchange.hints
    decided = decision.chosen if exchange.mode == "observe" and decision.chosen in tiers else None
    pinned = exchange.requested_model != settings.routing.alias
    raised = hints.impact == "high" or "session_signal" in exchange.extra
    return {
        "scores": {tier: decision.scores.get(tier, 0.0) for tier in tiers[:-1]},
        "fixed": decision.chosen if pinned or decision.rule is not None else None,
        "raised": raised,
        "lowered": hints.error_tolerance == "high" and hints.impact != "high",
        "fits": None if pinned else _fits(exchange, settings),
        "row": sample_probability(rates, served_tier=served, tiers=tiers, decided_tier=decided),
        "pairs": pair_probabilities(rates, served_tier=served, tiers=tiers, decided_tier=decided),
        "labelled": _labelled(drawn, served, tiers),
    }


def _labelled(drawn: Draw, served: str, tiers: tuple[str, ...]) -> dict[str, float]:
    """A reviewer is asked about two answers: the one served and the reference, or the top tier's and the one below it."""
    top = tiers[-1]
    if drawn.counts_for_accuracy and served != top:
        found = {served: drawn.eta}
    elif drawn.arm == "down" and served == top:
        found = {target.tier: drawn.eta for target in drawn.targets}
    else:
        found = {}
    if drawn.observed is not None and served == top != drawn.observed.tier:
        found[drawn.observed.tier] = drawn.observed.eta
    return found


def _fits(exchange: Exchange, settings: Settings) -> dict[str, str] | None:
    windows = {tier.name: max(model.context_tokens for model in tier.models) for tier in settings.tiers}
    needed = exchange.conversation_tokens + (_limit(exchange.request_body) or ANSWER_TOKENS)
    if min(windows.values()) >= needed:
        return None
    names = list(windows)
    found = {}
    for at, tier in enumerate(names):
        candidates = names[at:]
        first = next((name for name in candidates if windows[name] >= needed), None)
        found[tier] = first or max(candidates, key=lambda name: (windows[name], names.index(name)))
    return found


def _limit(body: str) -> int | None:
    """The client's limit on the answer; None where the body says nothing readable."""
    try:
        fields: Mapping[str, Any] = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    for name in ("max_completion_tokens", "max_tokens"):
        value = fields.get(name) if isinstance(fields, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None
