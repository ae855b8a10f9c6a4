"""How does an evaluation of a scorer read on a terminal?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

_BAR = 24


def print_evaluation(report: Mapping[str, Any], console: Console) -> None:
    """Three tables: the tiers, the routing beside length alone, and the cost-accuracy curve."""
    console.print(_tiers(report["tiers"]))
    routing = report["routing"]
    if routing["learned"]["apgr"]["value"] is None:
        console.print(
            f"{routing['strong']} does not beat {routing['weak']} on these rows: there is no gap to recover, so APGR and CPT"
            " are not defined."
        )
    else:
        console.print(_routing(routing))
    console.print(_curve(report["curve"]))


def _tiers(tiers: Mapping[str, Any]) -> Table:
    table = Table(title="Chance of success by tier", title_justify="left")
    for name in ("tier", "accuracy", "USD per 1000", "AUC", "AUC, length alone", "calibration error"):
        table.add_column(name, justify="left" if name == "tier" else "right")
    for tier, found in tiers.items():
        table.add_row(
            tier,
            f"{found['accuracy']:.1%}",
            f"{found['usd_per_1000']:.4f}",
            *(_number(found[name]) for name in ("auc", "length_auc", "calibration_error")),
        )
    return table


def _routing(routing: Mapping[str, Any]) -> Table:
    table = Table(
        title=f"Routing between {routing['weak']} and {routing['strong']} (95 % interval)", title_justify="left"
    )
    for name in ("", "APGR", "CPT50", "CPT80"):
        table.add_column(name, justify="right" if name else "left")
    for key, name in (("learned", "learned"), ("length", "length alone"), ("difference", "difference")):
        found = routing[key]
        table.add_row(name, _interval(found["apgr"], 3), _interval(found["cpt50"], 1), _interval(found["cpt80"], 1))
    table.caption = (
        "APGR: random 0.5, higher is better. CPT: % of calls to the top tier for that part of the gap, lower is better."
    )
    return table


def _curve(curve: list[Mapping[str, Any]]) -> Table:
    table = Table(title="Cost and accuracy by threshold", title_justify="left")
    for name in ("threshold", *(f"to {tier}" for tier in curve[0]["shares"]), "USD per 1000", "accuracy", ""):
        table.add_column(name, justify="right" if name else "left")
    low = min(point["accuracy"] for point in curve)
    high = max(point["accuracy"] for point in curve)
    for point in curve:
        filled = round(_BAR * (point["accuracy"] - low) / (high - low)) if high > low else 0
        table.add_row(
            "all to the top" if point["threshold"] is None else f"{point['threshold']:.4f}",
            *(f"{share:.1%}" for share in point["shares"].values()),
            f"{point['usd_per_1000']:.4f}",
            f"{point['accuracy']:.1%}",
            "█" * filled,
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(figure: Mapping[str, float | None], places: int) -> str:
    """A figure with its interval; shares (one decimal) in percent."""
    times = 100 if places == 1 else 1
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "-"
    text = f"{times * value:.{places}f}"
    return text if low is None or high is None else f"{text} ({times * low:.{places}f} to {times * high:.{places}f})"
