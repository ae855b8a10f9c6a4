"""How does an evaluation of a scorer read on a terminal?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

_BAR = 24


def print_evaluation(report: Mapping[str, Any], console: Console) -> None:
    """Four tables: the tiers, the routing beside length alone, the cost-accuracy curve, and thresholds for some targets."""
    console.print(_tiers(report["tiers"]))
    routing = report["routing"]
    scorer = report["model"]["kind"]
    if routing["learned"]["apgr"]["value"] is None:
        console.print(
            f"{routing['strong']} does not beat {routing['weak']} on these rows: there is no gap to recover, so APGR and CPT"
            " are not defined."
        )
    else:
        title = f"Routing between {routing['weak']} and {routing['strong']} (95 % interval)"
        console.print(_routing(routing, title, scorer))
    console.print(_curve(report["curve"]))
    console.print(_thresholds(report["thresholds"], routing["strong"], scorer))


def print_halves(report: Mapping[str, Any], console: Console) -> None:
    """Means over seeded halves."""
    title = (
        f"Trained on one half, measured on the other: mean of {report['repeat']} halves of {report['rows']} requests"
    )
    console.print(_routing(report, f"{title}, embedding {report['embedding']}", "learned"))
    errors = ", ".join(f"{tier} {_interval(found, 3)}" for tier, found in report["calibration_error"].items())
    console.print(f"Calibration error: {errors}")


def _tiers(tiers: Mapping[str, Any]) -> Table:
    table = Table(title="Chance of success by tier (95 % interval)", title_justify="left")
    for name in ("tier", "accuracy %", "USD per 1000", "AUC", "AUC, length alone", "calibration error"):
        table.add_column(name, justify="left" if name == "tier" else "right")
    for tier, found in tiers.items():
        table.add_row(
            tier,
            _interval(found["accuracy"], 1),
            _interval(found["usd_per_1000"], 4),
            *(_interval(found[name], 3) for name in ("auc", "length_auc", "calibration_error")),
        )
    return table


def _routing(routing: Mapping[str, Any], title: str, scorer: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("", "APGR", "CPT50", "CPT80"):
        table.add_column(name, justify="right" if name else "left")
    for key, name in (("learned", scorer), ("length", "length alone"), ("difference", "difference")):
        found = routing[key]
        table.add_row(name, _interval(found["apgr"], 3), _interval(found["cpt50"], 1), _interval(found["cpt80"], 1))
    table.caption = (
        "APGR: random 0.5, higher is better. CPT: % of calls to the top tier for that part of the gap, lower is better."
    )
    return table


def _curve(curve: list[Mapping[str, Any]]) -> Table:
    table = Table(title="Cost and accuracy by threshold (95 % interval)", title_justify="left")
    for name in ("threshold", *(f"to {tier}" for tier in curve[0]["shares"]), "USD per 1000", "accuracy %", ""):
        table.add_column(name, justify="right" if name else "left")
    accuracies = [point["accuracy"]["value"] for point in curve]
    low, high = min(accuracies), max(accuracies)
    for point, accuracy in zip(curve, accuracies, strict=True):
        filled = round(_BAR * (accuracy - low) / (high - low)) if high > low else 0
        table.add_row(
            "all to the top" if point["threshold"] is None else f"{point['threshold']:.4f}",
            *(f"{share:.1%}" for share in point["shares"].values()),
            _interval(point["usd_per_1000"], 4),
            _interval(point["accuracy"], 1),
            "█" * filled,
        )
    return table


def _thresholds(advice: list[Mapping[str, Any]], top: str, scorer: str) -> Table:
    table = Table(title=f"Which threshold for which target, with the {scorer} scorer", title_justify="left")
    for name in (
        "at most",
        "threshold",
        *(f"to {tier}" for tier in advice[0]["shares"]),
        "USD per 1000",
        "points lost",
    ):
        table.add_column(name, justify="left" if name == "at most" else "right")
    for found in advice:
        said = (
            f"{100 * found['at_most']:g} points lost"
            if found["target"] == "loss"
            else f"{found['at_most']:.0%} of the cost"
        )
        threshold = found["threshold"]
        table.add_row(
            said,
            f"none: all to {top}" if threshold["value"] is None else _interval(threshold, 3),
            *(f"{share:.1%}" for share in found["shares"].values()),
            _interval(found["usd_per_1000"], 4),
            _interval(found["loss"], 1),
        )
    table.caption = (
        f"Against all on {top}. One threshold for all tiers, chosen on these rows, so a little flattered: look at the upper"
        " end of the points lost. Subtract routing.band, if it is not 0. Set thresholds anew after each training or change of"
        " scorer."
    )
    return table


def _interval(figure: Mapping[str, float | None], places: int) -> str:
    """A figure with its interval; shares (one decimal) in percent."""
    times = 100 if places == 1 else 1
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "-"
    text = f"{times * value:.{places}f}"
    return text if low is None or high is None else f"{text} ({times * low:.{places}f} to {times * high:.{places}f})"
