"""How is a report read on a terminal and in Markdown? The headline first, then what got worse, then what stayed quiet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shadow.regressions.findings import named
from shadow.regressions.headline import points
from shadow.regressions.message import between, title

REASONS = {
    "no_verdicts_now": "no verdicts in this period",
    "no_verdicts_before": "no verdicts before",
    "few_verdicts_now": "too few verdicts in this period",
    "few_verdicts_before": "too few verdicts before",
}
MOST_LINES = 15


def text_lines(found: Mapping[str, Any], *, address: str = "") -> list[str]:
    """For a terminal. address: of the console, put in front of links."""
    lines = [title(found), found["headline"], basis(found)]
    for family, what in (("cells", "Cells"), ("marginals", "Taken together (a second family of tests)")):
        own = found[family]
        for one in own["worse"]:
            lines.append(f"  WORSE  {what_happened(one)}")
            lines += [f"         {line}" for line in _around(one)]
            lines.append(f"         pairs: {address}{one['pairs']['path']}")
        quiet = own["quiet"]
        if quiet:
            lines.append(f"{what}, quiet, the largest drop first:")
            lines += [f"  {what_happened(one)}{_could(one)}" for one in quiet[:MOST_LINES]]
            if len(quiet) > MOST_LINES:
                lines.append(f"  and {len(quiet) - MOST_LINES} more")
        if own["untested"]:
            lines.append(f"{what}, not testable: {own['untested']}{_why(own['not_testable'])}")
    return lines


def markdown(found: Mapping[str, Any], *, address: str = "") -> str:
    """For a chat, an issue, a wiki: tables that GitHub's dialect shows."""
    lines = [f"# {title(found)}", "", found["headline"], "", f"_{basis(found)}_"]
    for family, what in (("cells", "Cells"), ("marginals", "Taken together")):
        own = found[family]
        if own["worse"]:
            lines += ["", f"## {what} that got worse", "", *_table(own["worse"], address=address, worse=True)]
            notes = [f"- {_escaped(named(one))}: {line}" for one in own["worse"] for line in _around(one)]
            lines += ["", *notes] if notes else []
        if own["quiet"]:
            lines += ["", f"## {what}, quiet", "", *_table(own["quiet"], address=address, worse=False)]
        if own["untested"]:
            lines += ["", f"{what}, not testable: {own['untested']}{_why(own['not_testable'])}"]
    return "\n".join(lines) + "\n"


def basis(found: Mapping[str, Any]) -> str:
    """What was held against what, and how."""
    before = between(datetime.fromisoformat(found["before_since"]), datetime.fromisoformat(found["since"]))
    return (
        f"Judged accuracy{_of_mode(found)}, {found['judged']:,.0f} verdicts "
        f"against {found['judged_before']:,.0f} of {before}; one-sided tests at a false discovery rate of "
        f"{found['q']:g}, a cell needs {found['least_n']} verdicts on either side and a drop of {100 * found['least_effect']:g} "
        f"points; counts divided by {found['design_effect']['cells']:.2f} for sessions; intervals at {found['level']:.0%}, "
        "each by itself."
    )


def _of_mode(found: Mapping[str, Any]) -> str:
    return " (decisions of mode observe)" if found["mode"] == "observe" else ""


def what_happened(one: Mapping[str, Any]) -> str:
    """A cell with both accuracies and its change, each with its interval."""
    now, before, change = one["accuracy"], one["accuracy_before"], one["change"]
    return (
        f"{named(one)}: {before['value']:.1%} ({before['low']:.1%} to {before['high']:.1%}) -> {now['value']:.1%} "
        f"({now['low']:.1%} to {now['high']:.1%}), {points(change['value'])} points ({points(change['low'])} to "
        f"{points(change['high'])}), {one['judged']:,.0f} verdicts against {one['judged_before']:,.0f}"
    )


def _around(one: Mapping[str, Any]) -> list[str]:
    """What changed beside it: models, coverage."""
    lines = []
    if one["new_models"]:
        shares = ", ".join(f"{model} ({one['models'][model]:.0%} of requests)" for model in one["new_models"])
        lines.append(f"new in this period: {shares}")
    now, before = one["coverage"], one["coverage_before"]
    if now is not None and before is not None and now["high"] < before["low"]:
        lines.append(
            f"fewer samples have a verdict: {now['value']:.0%} ({now['low']:.0%} to {now['high']:.0%}), before "
            f"{before['value']:.0%} ({before['low']:.0%} to {before['high']:.0%})"
        )
    return lines


def _could(one: Mapping[str, Any]) -> str:
    if one["detectable"] is None:
        return "; no drop could have been found"
    return f"; a drop of {100 * one['detectable']:.1f} points would have been found"


def _why(untested: Sequence[Mapping[str, Any]]) -> str:
    counts: dict[str, int] = {}
    for one in untested:
        counts[one["reason"]] = counts.get(one["reason"], 0) + 1
    said = ", ".join(
        f"{count} {REASONS[reason]}" for reason, count in sorted(counts.items(), key=lambda item: -item[1])
    )
    return f" ({said})" if said else ""


def _table(cells: Sequence[Mapping[str, Any]], *, address: str, worse: bool) -> list[str]:
    last = "p-value | pairs" if worse else "would have been found"
    lines = [
        f"| cell | before | now | change, points | verdicts | {last} |",
        "|---|---|---|---|---|---|" + ("---|" if worse else ""),
    ]
    for one in cells:
        now, before, change = one["accuracy"], one["accuracy_before"], one["change"]
        if worse:
            end = f"{one['p_value']:.2g} | [rejected pairs]({address}{one['pairs']['path']})"
        else:
            end = "nothing" if one["detectable"] is None else f"{100 * one['detectable']:.1f} points"
        lines.append(
            f"| {_escaped(named(one))} | {before['value']:.1%} ({before['low']:.1%} to {before['high']:.1%}) | "
            f"{now['value']:.1%} ({now['low']:.1%} to {now['high']:.1%}) | {points(change['value'])} ({points(change['low'])} to "
            f"{points(change['high'])}) | {one['judged']:,.0f} / {one['judged_before']:,.0f} | {end} |"
        )
    return lines


def _escaped(name: str) -> str:
    """Names come from clients: nothing in them is markup."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>()#+-!|" else sign for sign in name.replace("\n", " "))
