"""Would every panel show something, and every rule see something? Their queries, run with Grafana's macros expanded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shadow.grafana.macros import expand
from shadow.store.engine import AsyncEngine
from shadow.store.grafana_queries import run_query

#: Why the variables, in their order, can have no value.
_EMPTY = ("no tier has figures yet", "no request is rolled up yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelCheck:
    """problem: None where the panel shows something, else why not."""

    panel: str
    rows: int
    seconds: float
    problem: str | None


async def check_dashboard(
    engine: AsyncEngine, dashboard: dict[str, Any], *, since: datetime, until: datetime
) -> list[PanelCheck]:
    """One result per panel, and per tier where a panel repeats. Raises: StoreError where the database can't be reached."""
    checks: list[PanelCheck] = []
    values: dict[str, list[str]] = {}
    for variable, empty in zip(dashboard["templating"]["list"], _EMPTY, strict=True):
        found = await run_query(engine, variable["query"])
        name, known = variable["name"], [str(row[0]) for row in found.rows]
        values[name] = known
        problem = found.error or (None if known else empty)
        checks.append(PanelCheck(panel=f"variable {name}", rows=len(known), seconds=found.seconds, problem=problem))
    tiers, modes = values["tier"], values["mode"][:1]  # as Grafana shows it before anybody chooses
    repeated = False
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            repeated = panel.get("repeat") == "tier"
            continue
        for chosen in [[tier] for tier in tiers] if repeated else [tiers]:
            title = panel["title"].replace("$tier", *chosen) if repeated else panel["title"]
            checks.append(await _check(engine, title, panel, tiers=chosen, modes=modes, since=since, until=until))
    return checks


async def check_rules(engine: AsyncEngine, rules: Sequence[dict[str, Any]]) -> list[PanelCheck]:
    """One result per alert rule; no row is well: nothing is wrong. Raises: StoreError where the database can't be reached."""
    checks = []
    for rule in rules:
        result = await run_query(engine, rule["data"][0]["model"]["rawSql"])
        problem = result.error or (None if "value" in result.columns else "a rule needs a column `value`")
        title = f"rule {rule['uid'].removeprefix('shadowtier-')}"
        checks.append(PanelCheck(panel=title, rows=len(result.rows), seconds=result.seconds, problem=problem))
    return checks


async def _check(
    engine: AsyncEngine,
    title: str,
    panel: dict[str, Any],
    *,
    tiers: Sequence[str],
    modes: Sequence[str],
    since: datetime,
    until: datetime,
) -> PanelCheck:
    rows, seconds, problem = 0, 0.0, None
    for target in panel["targets"]:
        try:
            sql = expand(target["rawSql"], since=since, until=until, tiers=tiers, modes=modes)
        except ValueError as exc:
            return PanelCheck(panel=title, rows=0, seconds=seconds, problem=str(exc))
        result = await run_query(engine, sql)
        rows, seconds = rows + len(result.rows), seconds + result.seconds
        problem = problem or result.error or _shape_problem(target, result.columns)
        if problem is None and not result.rows:
            problem = "empty"
    return PanelCheck(panel=title, rows=rows, seconds=seconds, problem=problem)


def _shape_problem(target: dict[str, Any], columns: Sequence[str]) -> str | None:
    if target["format"] == "time_series" and "time" not in columns:
        return "a time series needs a column `time`"
    return None
