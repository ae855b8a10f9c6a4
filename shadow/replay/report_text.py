"""How does a replay read on a terminal of 80 to 100 columns?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from shadow.replay.frontier_plot import frontier_plot
from shadow.replay.summary import Json

_NAMES = {
    "corrected": "corrected by labels",
    "raw": "judges alone",
    "labels_only": "labels alone",
    "uniform": "uniform sampling",
}
_WHY = {
    "no_requests": "no requests",
    "no_samples": "no samples",
    "tier_without_samples": "a tier without samples",
    "no_verdicts": "no verdicts",
    "tier_without_verdicts": "a tier without verdicts",
}


def print_replay(report: Json, console: Console) -> None:
    """What was run, estimates against truth, tuning against its promise, and the policies there are."""
    console.print(_heading(report))
    console.print(_accuracy(report))
    console.print(_widths(report))
    console.print(_money(report["money"], report["repeat"]))
    console.print(_tuning(report))
    console.print(_policies(report))
    console.print(frontier_plot(report))
    for note in report["notes"]:
        console.print(f"Note: {note}")


def _heading(report: Json) -> str:
    rates, scorer = report["rates"], report["scorer"]
    limits = ", ".join(f"{tier} from {limit:.3f}" for tier, limit in report["starting_policy"]["thresholds"].items())
    judged = "verdicts are the truth"
    if report["judge"] == "panel":
        judged = f"verdicts by {report['panel']}, {_labels(report)} labels a run"
    return (
        f"{report['rows']:,} rows, tiers {', '.join(report['tiers'])}. {report['repeat']:,} runs of {report['requests']:,}"
        f" requests drawn with replacement, seed {report['seed']}.\n"
        f"Scorer: {scorer['said']}. Starting policy: equal shares ({limits}).\n"
        f"Mirrored: {rates['up']:.2%} up, {rates['down']:.2%} down, {rates['control_top']:.2%} of the top tier's twice;"
        f" {judged}.\n"
    )


def _labels(report: Json) -> str:
    asked = report["labels"]["asked"]
    return f"{asked:,}" if asked else "no"


def _accuracy(report: Json) -> Table:
    table = _table("Accuracy: do the 95 % intervals hold the truth?")
    for name in ("tier", "estimate by", "truth %", "mean %", "width", "holds it in % of runs", ""):
        table.add_column(name, justify="left" if name in {"tier", "estimate by", ""} else "right")
    shown = ("corrected", "uniform") if report["judge"] == "truth" else ("corrected", "raw", "uniform")
    for part in (*report["accuracy"]["tiers"], report["accuracy"]["overall"]):
        name = part["tier"] or "all"
        for figure in shown:
            found = part[figure]
            by = "all samples known" if figure == "corrected" and report["judge"] == "truth" else _NAMES[figure]
            truth = percent(part["truth"])
            if part["truth"] is None:
                table.add_row(name, by, "-", "-", "-", "serves no row", "")
            elif found["runs"] == 0:
                table.add_row(name, by, truth, "-", "-", _WHY.get(found["undefined"], "needs labels"), "")
            else:
                cover = found["coverage"]
                finding = _finding(figure, cover)
                cells = (percent(found["estimate"]["value"]), percent(found["width"]["value"]), _share(cover), finding)
                table.add_row(name, by, truth, *cells)
            name = ""
    said = "In brackets: 99 % Monte Carlo interval; it has to touch 93-97 %."
    if report["judge"] == "panel":
        said += f" Judges alone take {report['tiers'][-1]} to be always right: they hold answers against its own."
    table.caption = said
    return table


def _finding(figure: str, cover: Json) -> str:
    if cover["finding"] == "undecided":
        return "too few runs"
    if figure == "raw" and cover["finding"] == "holds":
        return "misses" if cover["high"] < 0.95 else "holds here"
    return cover["finding"] or ""


def _widths(report: Json) -> Table:
    table = _table("Counts in a run, and width of the interval against others (1: as wide)")
    for name in ("tier", "requests", "mirrored", "judged", "labelled", "uniform sampling", "labels alone"):
        table.add_column(name, justify="left" if name == "tier" else "right")
    for part in (*report["accuracy"]["tiers"], report["accuracy"]["overall"]):
        counted = [f"{part[count]['value']:,.0f}" for count in ("requests", "mirrored", "judged", "labelled")]
        widths = [_ratio(part[f"width_against_{name}"]) for name in ("uniform", "labels_only")]
        table.add_row(part["tier"] or "all", *counted, *widths)
    return table


def _ratio(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    text = f"{found['value']:.2f}"
    return text if found["low"] is None else f"{text} ({found['low']:.2f}-{found['high']:.2f})"


def _money(money: Mapping[str, Any], repeat: int) -> Table:
    table = _table("Money in a run under the starting policy", header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    net = money["net_saving_usd"]
    table.add_row("always-top, USD", f"{money['always_top_usd']:.4g}")
    table.add_row("spent, USD", _spread(money["starting_policy_usd"], 1, 2))
    table.add_row("mirrors, % of always-top", _spread(money["shadow_share_of_always_top"], 100, 2))
    table.add_row("saved, USD, mirrors deducted", _spread(net["truth"], 1, 2))
    table.add_row("  as estimated", _spread(net["estimate"], 1, 2))
    if repeat > 1 and net["coverage"]["value"] is not None:
        table.add_row("  its interval holds the truth", f"in {_share(net['coverage'])} of the runs")
    table.add_row("cost per success, USD per 1000", _spread(money["cost_per_success_usd"], 1000, 4))
    return table


def _table(title: str, *, header: bool = True) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_header=header,
    )


def _tuning(report: Json) -> Table:
    tuning = report["tuning"]
    epsilon, delta = tuning["epsilon"], tuning["delta"]
    table = _table(
        f"Tuning: loss at most {points(epsilon)} points, more in at most {delta:.0%} of the runs", header=False
    )
    table.add_column(no_wrap=True)
    table.add_column()
    outcomes, policy, cost = tuning["outcomes"], tuning["policy"], tuning["cost"]
    counted = ", ".join(f"{number} {name}" for name, number in outcomes.items() if number)
    table.add_row("runs", f"{counted}; {tuning['pairs']['value']:,.0f} pairs in the half that tests")
    table.add_row("certified, cheaper than the top", f"{_share(tuning['certified_cheaper'])} of the runs")
    broken = policy["loss_above_epsilon"]
    table.add_row("true loss, points", _spread(policy["loss"], 100, 2))
    table.add_row(
        "true loss above epsilon",
        f"{_share(broken)} of the runs, allowed {broken['allowed']:.1%}: {'kept' if broken['kept'] else 'BROKEN'}",
    )
    table.add_row("USD per 1000", _spread(policy["usd_per_1000"], 1, 4))
    table.add_row("saved against always-top, %", f"{_spread(cost['saved_share'], 100, 1)}, mirrors deducted")
    table.add_row("costs no more, mirrors included", f"{_share(cost['within_always_top'])} of the runs")
    for name, said in (("best_fixed_policy", "best fixed"), ("oracle", "oracle")):
        found = tuning["regret"][name]
        table.add_row(f"regret, USD per 1000, to {said}", _spread(found["usd_per_1000"], 1, 4))
        table.add_row(f"regret, points, to {said}", _spread(found["accuracy"], 100, 2))
    _add_uncertified(table, tuning)
    if tuning["more_pairs"]["value"] is not None:
        table.add_row("pairs missing, where kept", f"{tuning['more_pairs']['value']:,.0f} more, in the mean")
    table.caption = "Mean over the runs, 95 % interval of the mean; then where 95 % of single runs lie."
    return table


def _add_uncertified(table: Table, tuning: Mapping[str, Any]) -> None:
    found = tuning["uncertified_proposals"]
    if found is None:
        return
    broken = found["loss_above_epsilon"]
    table.add_row("uncertified, not applied", f"{found['runs']} proposals from verdicts alone")
    table.add_row("  their true loss, points", _spread(found["loss"], 100, 2))
    table.add_row("  above epsilon", f"{_share(broken)} of them; no promise was made")
    table.add_row("  USD per 1000", _spread(found["usd_per_1000"], 1, 4))


def _policies(report: Json) -> Table:
    table = _table("Policies, on all rows of the file (exact)")
    for name in ("policy", "accuracy %", "USD per 1000", "loss, points", ""):
        table.add_column(name, justify="left" if name in {"policy", ""} else "right")
    frontier = report["frontier"]
    named = [(f"always {name}", at) for name, at in frontier["always"].items()]
    named += [
        ("starting policy", frontier["starting_policy"]),
        ("best fixed policy in hindsight", frontier["best_fixed_policy"]),
        ("oracle", frontier["oracle"]),
    ]
    for name, at in named:
        by = frontier["dominated"].get(name.removeprefix("always "))
        said = f"dominated by {by}" if by else ""
        table.add_row(name, percent(at["accuracy"]), f"{at['usd_per_1000']:.4f}", f"{100 * at['loss']:.2f}", said)
    policy = report["tuning"]["policy"]
    cells = (policy["accuracy"]["value"], policy["usd_per_1000"]["value"], policy["loss"]["value"])
    table.add_row("tuned, mean of the runs", percent(cells[0]), f"{cells[1]:.4f}", f"{100 * cells[2]:.2f}", "")
    return table


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def points(value: float) -> str:
    return f"{100 * value:g}"


def _share(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    return f"{100 * found['value']:.1f} % ({100 * found['low']:.1f}-{100 * found['high']:.1f})"


def _spread(found: Mapping[str, Any], times: float, places: int) -> str:
    """`1.36 (1.30…1.42; runs -0.10…2.90)`; `0.00 in all runs`."""
    if found["value"] is None:
        return "-"
    text = f"{times * found['value']:.{places}f}"
    if found["low"] is None:
        return text
    if found["run_low"] == found["run_high"]:
        return f"{text} in all runs"
    ends = [f"{times * found[name]:.{places}f}" for name in ("low", "high", "run_low", "run_high")]
    return f"{text} ({ends[0]}…{ends[1]}; runs {ends[2]}…{ends[3]})"
