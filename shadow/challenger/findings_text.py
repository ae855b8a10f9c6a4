"""How is a challenger read on a terminal? Sentences, every number with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shadow.challenger.same_shares import commands
from shadow.store.challengers import ChallengerRow


def challenger_lines(row: ChallengerRow, directory: Path | None) -> list[str]:
    """directory: of its model, None where it has none."""
    lines = [f"challenger {row.id}: {row.state}" + (f", {row.reason}" if row.reason else "")]
    if row.decided_by:
        lines.append(f"  decided by {row.decided_by}, {row.decided_at:%Y-%m-%d %H:%M} UTC")
    lines += [
        f"  against       {row.champion}",
        f"  learned from  {row.trained_from:%Y-%m-%d %H:%M} to {row.cut_off_at:%Y-%m-%d %H:%M} UTC; compared on later requests",
    ]
    if (said := row.training) is not None:
        lines.append(
            f"  data          {said['rows']} requests, {said['labels']} labels, {said['verdicts']} verdicts;"
            f" SHA-256 {str(row.data_sha256)[:12]}" + (", redacted texts" if said["redacted"] else "")
        )
    if directory is not None:
        lines.append(f"  model         {directory}")
    if row.comparison is None:
        if row.state == "comparing":
            lines.append("  comparison    not yet: too few later pairs")
        return lines
    return lines + _comparison(row.comparison, row.looks)


def _comparison(found: Mapping[str, Any], looks: int) -> list[str]:
    pairs = ", ".join(map(str, found["pairs"]))
    labelled = ", ".join(map(str, found["labelled"]))
    lines = [
        f"  comparison    {looks} of 3 looks, {pairs} pairs by tier, {labelled} of them labelled;"
        f" intervals of {found['level']:.1%}",
        "  points of accuracy lost, on average over all shares of calls to the top tier:",
    ]
    lines += [
        f"    {name:18} {_points(found[key])}"
        for name, key in (("in force", "champion"), ("challenger", "challenger"), ("saved by it", "difference"))
    ]
    if found["by_labels"] is not None:
        lines.append(f"    {'by labels alone':18} {_points(found['by_labels']['difference'])}")
    else:
        lines.append("    Few labels: it rests on the panel, from which the challenger has learned as well.")
    lines += [f"  {count} requests left out: {reason}." for reason, count in sorted(found["left_out"].items())]
    return lines


def adoption_lines(row: ChallengerRow, directory: Path, policy_version: int) -> list[str]:
    """What a person has to do so that the challenger comes into force. policy_version: in force now."""
    lines = [
        "1. In the configuration of every router and of the scheduler:",
        "   routing:",
        f"     scorer: {{kind: learned, model_dir: {directory}}}",
        "   A router on another machine needs a copy of that directory.",
        "2. Restart them: a router reads its scorer when it starts, and not again.",
        "3. Thresholds belong to a scorer: the old ones mean something else on the new scores.",
    ]
    matched = row.comparison["same_shares"] if row.comparison is not None else None
    if matched is None:
        return lines
    lines.append("   These give each tier about the share of the requests that it has now:")
    for tier, found in matched["thresholds"].items():
        then = found["then"]
        said = (
            "not used"
            if then["value"] > 1
            else f"{then['value']:.3f} ({then['low']:.3f} to {min(1.0, then['high']):.3f})"
        )
        share = matched["shares"][tier]
        lines.append(f"     {tier:12} {found['now']:g} -> {said}; share {share['now']:.1%} -> {share['then']:.1%}")
    words = commands(matched)
    if words:
        lines.append(f'   shadow policy apply {" ".join(words)} --reason "challenger {row.id}"')
    if matched["query_types_of_their_own"]:
        names = ", ".join(matched["query_types_of_their_own"])
        lines.append(f"   Thresholds of their own have {names}: apply a policy file without them, and tune anew.")
    if matched["policy_version"] != policy_version:
        lines.append(
            f"   Careful: reckoned under policy {matched['policy_version']}, in force is {policy_version} by now."
        )
    lines.append("   Apply them right after the restart, or begin with routing.mode: observe.")
    return lines


def _points(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:+.2%} ({figure['low']:+.2%} to {figure['high']:+.2%})"
