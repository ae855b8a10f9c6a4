"""How is it told which query types may go live? As lines for a terminal, as values for JSON and the console."""

from __future__ import annotations

from typing import Any

from shadow.going_live.certificates import GoingLive, TypeReadiness
from shadow.tuning.findings_json import estimate

_WHY = {
    "no_pairs": "no answer of a cheaper tier and of the top one to the same request is known: raise sampling.up, or wait",
    "too_few_pairs": "too few pairs to show anything",
    "needs_down_mirroring": "requests would go where no cheaper answer was seen: raise sampling.down",
    "risk_not_shown": "the evidence does not show a loss below epsilon",
    "loses_too_much": "the thresholds in force lose more than epsilon",
}


def going_live_json(found: GoingLive) -> dict[str, Any]:
    """Values that `json.dumps` takes, with each query type's sentence."""
    return {
        "headline": headline(found),
        "epsilon": found.epsilon,
        "delta": found.delta,
        "delta_each": found.delta_each,
        "query_types": [
            {
                "query_type": one.query_type,
                "status": one.status,
                "with": one.way,
                "why": one.why,
                "thresholds": dict(one.thresholds),
                "risk": estimate(one.risk),
                "share": one.share,
                "pairs": one.pairs,
                "labels": one.labels,
                "more_pairs": one.more_pairs,
                "more_labels": one.more_labels,
                "says": sentence(one, found),
            }
            for one in found.types
        ],
    }


def going_live_lines(found: GoingLive) -> list[str]:
    """The headline, then a line for each query type."""
    return [headline(found), *(f"  {one.query_type}: {sentence(one, found)}" for one in found.types)]


def headline(found: GoingLive) -> str:
    """For which query types going live is certified."""
    if not found.types:
        return "Going live: nothing was mirrored yet, so nothing is certified."
    certified = [one for one in found.types if one.status == "certified"]
    bound = f"a loss below {found.epsilon:.1%} against {found.top_tier}, all together with an error of at most {found.delta:.0%}"
    names = ", ".join(one.query_type for one in certified)
    said = f"certified for {len(certified)} of {len(found.types)} query types{f' ({names})' if names else ''}"
    return f"Going live is {said}: {bound}."


def sentence(one: TypeReadiness, found: GoingLive) -> str:
    """What is shown of a query type, in words."""
    if one.why == "all_on_top":
        return f"certified; its thresholds send everything to {found.top_tier}, as now"
    what = "the thresholds in force" if one.way != "other" else "other thresholds"
    values = ", ".join(f"{tier} {_threshold(value)}" for tier, value in one.thresholds.items())
    evidence = f"{_risk(one)}{one.pairs:,} pairs, {one.labels:,} labelled"
    if one.status == "certified":
        return f"certified with {what} ({values}); {evidence}"
    if one.status == "uncertified":
        return (
            f"uncertified: within epsilon with {what} ({values}); {evidence}; have {one.more_labels:,} more "
            "pairs labelled"
        )
    more = f"; about {one.more_pairs:,} more pairs would be needed" if one.more_pairs else ""
    return f"not yet: {_WHY[one.why]}{more}; {evidence}"


def _risk(one: TypeReadiness) -> str:
    if one.risk is None:
        return ""
    high = 1.0 if one.risk.high is None else one.risk.high
    by = "" if one.risk.corrected else " by the judges alone"
    return f"loss {one.risk.value:.1%} ({one.risk.low:.1%} to {high:.1%}){by}, "


def _threshold(value: float) -> str:
    return "not used" if value > 1 else f"{value:.4g}"
