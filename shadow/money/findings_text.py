"""How are findings read on a terminal? A sentence for each; every number exact or with its interval."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from shadow.money.cheaper_types import MoveFinding
from shadow.money.findings import Findings
from shadow.money.heavy_users import HeavyUser
from shadow.money.price_effects import PriceEffect

_VERDICTS = {
    "cheap_enough": "judged nearly as good",
    "loses": "judged worse",
    "undecided": "undecided",
    "too_few_pairs": "too few mirrored pairs to say",
}
_LABELLED = {
    "cheap_enough": "nearly as good by labels, too few to certify it",
    "loses": "worse by labels",
    "undecided": "undecided by labels",
    "too_few_pairs": "too few pairs to say",
}


def render_findings(found: Findings) -> RenderableType:
    """The findings as a rich renderable; nothing where there is no spend."""
    if not found.requests:
        return Group()
    lines = [Text(line) for line in finding_lines(found)]
    return Group(Text(), Text(f"Findings since {found.since:%Y-%m-%d}", style="bold"), *lines)


def finding_lines(found: Findings) -> list[str]:
    """The findings as sentences."""
    lines = [_user(user) for user in found.heavy_users]
    for one in found.top_types:
        best = one.moves[0] if one.moves else None
        lines.append(
            f"Query type {one.query_type}: ${one.cost_usd:,.4f}, {one.share_of_spend:.1%} of all spend. "
            + (_move(best, found.margin) if best else "Served by the cheapest tier already.")
        )
    shown = {one.query_type for one in found.top_types}
    lines += [
        f"Query type {move.query_type}: {_move(move, found.margin)}"
        for move in found.cheap_enough
        if move.query_type not in shown
    ]
    return lines + [line for effect in found.price_effects for line in effect_lines(effect)]


def _user(user: HeavyUser) -> str:
    why = " and ".join({"dear": "dear requests", "outlier": "far above other users"}[reason] for reason in user.why)
    return (
        f"User {user.name}: ${user.cost_usd:,.4f}, {user.share_of_spend:.1%} of all spend with "
        f"{user.share_of_requests:.1%} of the requests ({why}); most of it {user.driver_query_type} on "
        f"{user.driver_tier or 'nobody'}, ${user.driver_usd:,.4f}."
    )


def _move(move: MoveFinding, margin: float) -> str:
    parts = [f"From {move.from_tier} to {move.to_tier}: {_status(move)}"]
    if move.loss is not None:
        high = 1.0 if move.loss.high is None else move.loss.high
        parts.append(f"loss {move.loss.value:.1%} ({move.loss.low:.1%} to {high:.1%}; margin {margin:.1%})")
    saving = move.saving_usd_per_day
    if saving is not None:
        high = saving.value if saving.high is None else saving.high
        parts.append(f"would save ${saving.value:,.4f} a day ({saving.low:,.4f} to {high:,.4f})")
    floor = f" and {move.floor_pairs:,} of {move.from_tier} with itself" if move.floor_pairs is not None else ""
    if move.loss is not None and move.loss.corrected:
        proof = ", studentised bound" if move.status == "certified" else ""
        return f"{', '.join(parts)}; {move.labels:,} pairs with labels on both answers{proof}."
    return f"{', '.join(parts)}; {move.pairs:,} pairs{floor}, judges only."


def _status(move: MoveFinding) -> str:
    if move.status == "certified":
        return "certified nearly as good"
    if move.loss is None or not move.loss.corrected:
        return _VERDICTS[move.verdict]
    return _LABELLED[move.verdict] if move.status == "uncertified" or move.verdict != "cheap_enough" else "not shown"


def effect_lines(effect: PriceEffect) -> list[str]:
    """What a change of prices does, in sentences."""
    lines = []
    if effect.changes:
        models = ", ".join(
            f"{change.model} ${change.input_before.normalize():f}/{change.output_before.normalize():f} to "
            f"${change.input_after.normalize():f}/{change.output_after.normalize():f} a million tokens in/out"
            for change in effect.changes
        )
        lines.append(
            f"Prices at {effect.at:%Y-%m-%d}: {models}. The calls of this window cost ${effect.actual_usd:,.4f}; "
            f"at those prices, ${effect.repriced_usd:,.4f}."
        )
    return lines + [
        f"Prices at {effect.at:%Y-%m-%d} turn tiers round: {inverted.higher_tier} answers what {inverted.lower_tier} "
        f"serves for ${inverted.higher_usd:.6f} instead of ${inverted.lower_usd:.6f} a call "
        f"({inverted.prompt_tokens:,.0f} tokens in, {inverted.completion_tokens:,.0f} out)."
        for inverted in effect.inversions
    ]
