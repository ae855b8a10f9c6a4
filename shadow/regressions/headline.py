"""What does a report say in one line? Which cells got worse; or that none did, and what could have been seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_NAMED = 3


def headline(found: Mapping[str, Any]) -> str:
    """One sentence, every number in it with its interval or its range."""
    cells = found["cells"]
    worse, tested = cells["worse"], cells["tested"]
    if worse:
        said = "; ".join(
            f"{'/'.join(_parts(cell))} {cell['accuracy_before']['value']:.1%} to {cell['accuracy']['value']:.1%} "
            f"({points(cell['change']['value'])} points, {points(cell['change']['low'])} to {points(cell['change']['high'])})"
            for cell in worse[:MOST_NAMED]
        )
        more = f"; and {len(worse) - MOST_NAMED} more" if len(worse) > MOST_NAMED else ""
        return f"{len(worse)} of {_cells(tested)} got worse: {said}{more}."
    overall = [cell for cell in found["marginals"]["worse"] if cell["kind"] != "cell"]
    also = "" if not overall else f" Taken together, {_marginal(overall[0])} got worse all the same."
    if tested:
        return f"Quiet: none of {_cells(tested)} got worse{_could(cells['detectable'])}.{also}"
    if not found["requests"]:
        return "Nothing could be tested: there were no requests in this period."
    if not found["judged_before"]:
        return "Nothing could be tested yet: there are no verdicts of the weeks before to hold this one against."
    best = max((_worth(cell) for cell in cells["not_testable"]), default=0.0)
    return (
        f"Nothing could be tested: a cell needs to be worth {found['least_n']} verdicts on either side (weighed, sessions taken "
        f"into account), the largest is worth {best:,.0f}.{also}"
    )


def _worth(cell: Mapping[str, Any]) -> float:
    """Effective counts of the poorer side."""
    sides = [cell["accuracy"], cell["accuracy_before"]]
    return min(0.0 if side is None else float(side["effective_n"]) for side in sides)


def points(change: float) -> str:
    """A change in percentage points, signed."""
    said = f"{100 * change:+.1f}"
    return "0.0" if said in {"+0.0", "-0.0"} else said.replace("-", "−")


def _could(detectable: Mapping[str, float] | None) -> str:
    if detectable is None:
        return ""
    least, most = (f"{100 * detectable[end]:.1f}" for end in ("least", "most"))
    if least == most:
        return f"; a drop of {least} points would have been found with power .8"
    median = f"{100 * detectable['median']:.1f}"
    return f"; drops from {least} points (in half of them from {median}, at most {most}) would have been found with power .8"


def _cells(tested: int) -> str:
    return f"{tested} tested {'cell' if tested == 1 else 'cells'}"


def _parts(cell: Mapping[str, Any]) -> list[str]:
    return [str(cell[name]) or "no feature" for name in ("tier", "query_type", "feature") if cell[name] is not None]


def _marginal(cell: Mapping[str, Any]) -> str:
    words = {"tier": "tier", "query_type": "query type", "feature": "feature"}
    name = "all requests" if cell["kind"] == "all" else f"{words[cell['kind']]} {_parts(cell)[0]}"
    change = cell["change"]
    return f"{name} ({points(change['value'])} points, {points(change['low'])} to {points(change['high'])})"
