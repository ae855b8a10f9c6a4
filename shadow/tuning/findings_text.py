"""How is a finding of the tuner read on a terminal and a page? Sentences; every number exact or with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KEEP = {
    "no_pairs": "no request of the window was answered by a cheaper tier and by the top one: raise sampling.up, or wait.",
    "too_few_pairs": "there are too few pairs to show anything.",
    "needs_down_mirroring": "cheaper thresholds would move requests of which no cheaper answer was seen: raise sampling.down.",
    "nothing_cheaper": "no thresholds are cheaper than sending everything to the top tier.",
    "risk_not_shown": "the evidence does not show that cheaper thresholds lose less than epsilon.",
}


def tuned_lines(found: Mapping[str, Any], in_force: Mapping[str, float]) -> list[str]:
    """found: as `tuned_json` says it. in_force: thresholds of all query types now."""
    lines = [_headline(found)]
    if found["thresholds"] is not None:
        lines += [
            f"  {tier:12} {_threshold(in_force.get(tier))} -> {_threshold(value)}"
            for tier, value in found["thresholds"].items()
        ]
        for query_type, own in found["by_query_type"].items():
            pairs = ", ".join(f"{tier} {_threshold(value)}" for tier, value in own.items())
            lines.append(f"  {query_type}: {pairs}")
        lines += _consequences(found)
    lines += _evidence(found)
    lines += [
        f"Tier {one['tier']} is dearer than {one['by']} by ${one['extra_usd']:.6f} a request and judged worse by "
        f"{one['worse']['value']:.1%} ({one['worse']['low']:.1%} to {one['worse']['high']:.1%}): send nothing there."
        for one in found["dominated"]
    ]
    return lines


def _headline(found: Mapping[str, Any]) -> str:
    if found["status"] == "keep":
        more = found["more_pairs"]
        needed = f" About {more:,} more pairs would be needed." if more else ""
        why = _KEEP.get(found["why"], f"{found['why']}.")
        return f"Keep the thresholds: {why}{needed}"
    bound = f"a loss below {found['epsilon']:.1%} against the top tier, with an error of at most {found['delta']:.2%}"
    if found["status"] == "certified":
        kind = " (for many labels)" if found["asymptotic"] else ""
        return f"Certified{kind}: {bound}."
    return (
        f"Uncertified: by the judges alone, {bound}. Judges err: have {found['more_labels']:,} more pairs labelled before "
        "you rely on it."
    )


def _consequences(found: Mapping[str, Any]) -> list[str]:
    lines = [f"{found['moved_share']:.1%} of requests would go to another tier."]
    if (saving := found["saving_usd_per_day"]) is not None:
        word = "saves" if saving["value"] >= 0 else "costs"
        ends = sorted(abs(saving[end]) if saving["value"] < 0 else saving[end] for end in ("low", "high"))
        lines.append(f"It {word} ${abs(saving['value']):,.4f} a day ({ends[0]:,.4f} to {ends[1]:,.4f}).")
    return lines


def _evidence(found: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, what in (("risk", "Loss of the tested thresholds"), ("risk_in_force", "Loss of those in force")):
        if (risk := found[key]) is not None:
            by = f"{risk['labelled']:,} labels" if risk["corrected"] and risk["labelled"] else "judges only"
            lines.append(f"{what}: {risk['value']:.1%} ({risk['low']:.1%} to {risk['high']:.1%}), {by}.")
    coverage = "" if found["coverage"] is None else f", {found['coverage']:.0%} of them with a verdict"
    lines.append(
        f"Evidence: {found['samples']:,} samples; tested on the half with {found['pairs']:,} pairs{coverage}, "
        f"{found['labels']:,} of them labelled."
    )
    lines += [f"Left out: {count:,} samples, {reason}." for reason, count in found["left_out"].items()]
    return lines


def _threshold(value: float | None) -> str:
    return "-" if value is None else "not used" if value > 1 else f"{value:.4g}"
