"""What got worse from a period to the weeks before, as values that are stored, served and told?

Everything that a reader sees is in these values, so that an old report is shown as it was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from shadow.regressions.cells import Cell, Table, leaves, marginals
from shadow.regressions.headline import headline
from shadow.statistics.dependence import design_effect_of_sums
from shadow.statistics.discoveries import FALSE_DISCOVERY_RATE, LEAST_EFFECT, LEAST_N, POWER
from shadow.statistics.estimate import Estimate
from shadow.statistics.moments import MOMENTS, Moments
from shadow.statistics.regressions import CellChange, Family, compare
from shadow.statistics.wilson import wilson_interval
from shadow.store.cell_sums import CellRow, Spread

LEVEL = 0.95
#: Cells that can't be tested are listed up to this many, those with the most requests first; all are counted.
MOST_UNTESTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """since, until: aware, half open, now. starts: of the weeks before, oldest first, each as long as now."""

    since: datetime
    until: datetime
    starts: tuple[datetime, ...]


def findings(
    weeks: Sequence[Sequence[CellRow]], spread: Spread, *, period: Period, mode: str, tiers: Sequence[str]
) -> dict[str, Any]:
    """The report on rows of each week, oldest first, the last being now; values that `json.dumps` takes. Pure.

    tiers: cheapest first; the last one's figure is how often it agrees with itself. Cost: some ten milliseconds for 200 cells.
    """
    cells = leaves(weeks)
    sides = marginals(cells)
    in_cells = design_effect_of_sums(spread.alone, spread.in_cells, clusters=spread.cells)
    overall = design_effect_of_sums(spread.alone, spread.together, clusters=spread.sessions)
    found: dict[str, Any] = {
        "since": period.since.isoformat(),
        "until": period.until.isoformat(),
        "before_since": period.starts[0].isoformat(),
        "weeks": [start.isoformat() for start in (*period.starts, period.since)],
        "weeks_before_with_traffic": sum(bool(rows) for rows in weeks[:-1]),
        "mode": mode,
        "statistic": "judged accuracy",
        "top_tier": tiers[-1],
        "q": FALSE_DISCOVERY_RATE,
        "level": LEVEL,
        "power": POWER,
        "least_n": LEAST_N,
        "least_effect": LEAST_EFFECT,
        "requests": float(cells.requests[-1].sum()),
        "requests_before": float(cells.requests[:-1].sum()),
        "judged": float(cells.now.judged.sum()),
        "judged_before": float(cells.before.judged.sum()),
        "design_effect": {"cells": in_cells, "marginals": overall, "sessions": spread.sessions},
        "cells": _family(cells, in_cells, period, mode),
        "marginals": _family(sides, overall, period, mode),
    }
    return {**found, "headline": headline(found)}


def _family(table: Table, design_effect: float, period: Period, mode: str) -> dict[str, Any]:
    family: Family = compare(table.now, table.before, design_effect=design_effect, level=LEVEL)
    shown: dict[str, list[dict[str, Any]]] = {"worse": [], "quiet": [], "not_testable": []}
    for at, change in enumerate(family.cells):
        if table.requests[-1, at] > 0 or table.requests[:-1, at].sum() > 0 or change.now or change.before:
            shown[change.outcome].append(_cell(table, at, change, design_effect, period, mode))
    for outcome in ("worse", "quiet"):
        shown[outcome].sort(key=lambda one: one["change"]["value"])
    shown["not_testable"].sort(key=lambda one: -one["requests"])
    detectable = sorted(one["detectable"] for one in shown["quiet"] if one["detectable"] is not None)
    return {
        "tested": family.testable,
        "untested": len(shown["not_testable"]),
        "threshold": family.threshold,
        "detectable": None
        if not detectable
        else {"least": detectable[0], "median": detectable[len(detectable) // 2], "most": detectable[-1]},
        **{**shown, "not_testable": shown["not_testable"][:MOST_UNTESTED]},
    }


def _cell(table: Table, at: int, change: CellChange, design_effect: float, period: Period, mode: str) -> dict[str, Any]:
    cell, sampled = table.cells[at], table.sampled[:, at]
    models, models_before = _models(table, at, now=True), _models(table, at, now=False)
    return {
        "kind": cell.kind,
        **{"tier": cell.tier, "query_type": cell.query_type, "feature": cell.feature},
        "outcome": change.outcome,
        "reason": change.reason,
        "accuracy": estimate(change.now),
        "accuracy_before": estimate(change.before),
        "change": estimate(change.change),
        "p_value": change.p_value,
        "detectable": change.detectable,
        "requests": float(table.requests[-1, at]),
        "requests_before": float(table.requests[:-1, at].sum()),
        "judged": float(table.now.judged[at]),
        "judged_before": float(table.before.judged[at]),
        "coverage": share(float(table.now.judged[at]), float(sampled[-1])),
        "coverage_before": share(float(table.before.judged[at]), float(sampled[:-1].sum())),
        "models": models,
        "models_before": models_before,
        "new_models": sorted(set(models) - set(models_before)) if models_before else [],
        "by_week": [_week(week, at, design_effect) for week in table.weeks],
        "pairs": {"path": pairs_path(cell, period, mode), "sample_ids": []},
    }


def _models(table: Table, at: int, *, now: bool) -> dict[str, float]:
    """Share of the requests that each model answered."""
    own = {model: n for (is_now, cell, model), n in table.models.items() if is_now == now and cell == at}
    total = sum(own.values())
    return {model: n / total for model, n in sorted(own.items(), key=lambda item: -item[1])}


def _week(week: Moments, at: int, design_effect: float) -> dict[str, float] | None:
    one = Moments(**{name: getattr(week, name)[at : at + 1] for name in MOMENTS})
    n = float(one.effective_n(design_effect)[0])
    if n <= 0.0:
        return None
    value = float(one.accuracy[0])
    low, high = wilson_interval(value, n, level=LEVEL)
    return {"value": value, "low": low, "high": high, "n": float(one.judged[0])}


def share(part: float, whole: float) -> dict[str, float] | None:
    """A share with its interval; None of nothing."""
    if whole <= 0.0:
        return None
    value = min(1.0, part / whole)
    low, high = wilson_interval(value, whole, level=LEVEL)
    return {"value": value, "low": low, "high": high, "n": whole}


def estimate(one: Estimate | None) -> dict[str, float | None] | None:
    """Value, interval and what it rests on."""
    if one is None:
        return None
    return {"value": one.value, "low": one.low, "high": one.high, "n": one.n, "effective_n": one.effective_n}


def pairs_path(cell: Cell, period: Period, mode: str) -> str:
    """The console's page of the rejected pairs of a cell in this period."""
    window = {"since": period.since.isoformat(), "until": period.until.isoformat(), "mode": mode}
    return f"/pairs?{urlencode({**cell.parts, **window})}"


def named(cell: Mapping[str, Any]) -> str:
    """What a cell is called: `fast / qa / support`; no feature is said as such."""
    if cell["kind"] == "all":
        return "all requests"
    parts = [
        ("no feature" if name == "feature" and not cell[name] else str(cell[name]))
        for name in ("tier", "query_type", "feature")
        if cell[name] is not None
    ]
    words = {"tier": "tier ", "query_type": "query type ", "feature": "" if not cell["feature"] else "feature "}
    return words.get(cell["kind"], "") + " / ".join(parts)
