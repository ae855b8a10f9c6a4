"""`shadow lab`: the demo's world on a fast clock. How often do the intervals hold the known truth, and how wide are they?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from shadow.cli.options import json_option, report_console

SCENARIOS = {
    "steady": "the product's own judges",
    "erring-judge": "every seventh verdict is turned round",
    "useless-judge": "the panel says the same of every answer",
    "upgrade-better": "a candidate 3 points better than the pinned model",
    "upgrade-same": "a candidate as good as the pinned model",
    "upgrade-worse": "a candidate 10 points worse than the pinned model",
    "regression": "one cell loses five points in the second week",
}
#: Of a window, where the scenario has no number of its own.
REQUESTS = 50_000
#: Share of requests that the lab's reviewer sees, of the top tier's too; production defaults are lower, its windows longer.
LABEL_RATE, LABEL_RATE_TOP = 0.015, 0.025


@click.command()
@click.option(
    "--requests",
    type=click.IntRange(min=100),
    help=f"Requests in a window; default {REQUESTS:,}, in scenario regression 900,000 a week;"
    " in upgrade-... the most pairs, 5,000.",
)
@click.option("--repeat", type=click.IntRange(min=1), default=50, show_default=True, help="Windows to simulate.")
@click.option("--scenario", type=click.Choice(list(SCENARIOS)), default="steady", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--label-rate", type=click.FloatRange(0, 1, min_open=True), default=LABEL_RATE, show_default=True)
@click.option("--label-rate-top", type=click.FloatRange(0, 1, min_open=True), default=LABEL_RATE_TOP, show_default=True)
@json_option
def lab(
    requests: int | None,
    repeat: int,
    scenario: str,
    seed: int,
    label_rate: float,
    label_rate_top: float,
    *,
    as_json: bool,
) -> None:
    """Simulate windows of traffic and hold every estimate against the truth.

    Judging all comparisons of the world takes some seconds first; a window of 200,000 requests then takes milliseconds.
    Scenarios upgrade-...: where do proposed upgrades end, and how often is one ready that is worse by just the margin?
    Scenario regression: how often do the weekly report and the alarms between reports find a cell that got worse?
    """
    if scenario == "regression":
        from shadow.cli.lab_regression import regression

        regression(requests=requests, repeat=repeat, seed=seed, as_json=as_json)
        return
    if scenario.startswith("upgrade-"):
        from shadow.cli.lab_upgrade import upgrade

        upgrade(scenario, pairs=requests, repeat=repeat, seed=seed, as_json=as_json)
        return
    requests = REQUESTS if requests is None else requests
    import numpy as np

    from judges.registry import build_panel
    from router.contracts import Policy
    from shadow.lab.config import BAND, THRESHOLDS
    from shadow.lab.fast_clock import coverage_of, run_window, set_stage, with_judge
    from shadow.lab.reviewer import SimulatedReviewer
    from shadow.lab.world import World
    from shadow.sampling.draws import Rates

    world = World(seed=seed)
    panel = build_panel(("structured", "lexical", "markers"))
    reviewer = SimulatedReviewer(seed=seed)
    rates = Rates(label=label_rate, label_top=label_rate_top, control_top=label_rate_top)
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as progress:
        bar = progress.add_task("judging every comparison of the world")
        stage = set_stage(
            world,
            Policy(version=0, thresholds=THRESHOLDS, band=BAND),
            panel,
            lambda done, total: progress.update(bar, completed=done, total=total),
        )
        if scenario == "erring-judge":
            stage = with_judge(stage, flip=1 / 7, seed=seed)
        elif scenario == "useless-judge":
            stage = with_judge(stage, constant=True)
        bar = progress.add_task("simulating windows", total=repeat)
        runs = []
        for number in range(repeat):
            runs.append(
                run_window(stage, rates, np.random.default_rng([seed, number]), requests=requests, reviewer=reviewer)
            )
            progress.advance(bar)
    found = {tier or "all": coverage_of(runs, tier) for tier in (*stage.tiers, "")}
    if as_json:
        about = {"requests": requests, "repeat": repeat, "seed": seed, "scenario": scenario, "level": 0.95}
        click.echo(json.dumps({**about, "label_rate": label_rate, "label_rate_top": label_rate_top, "tiers": found}))
    else:
        report_console().print(
            _table(found, f"{repeat} windows of {requests:,} requests, seed {seed}: {SCENARIOS[scenario]}")
        )


def _table(found: Mapping[str, Mapping[str, Any]], title: str) -> Table:
    table = Table(title=title, title_justify="left", pad_edge=False)
    columns: Sequence[tuple[str, str]] = (
        ("truth", ".1%"),
        ("estimate", ".1%"),
        ("bias", "+.2%"),
        ("coverage", ".1%"),
        ("half_width", ".2%"),
        ("raw_estimate", ".1%"),
        ("raw_coverage", ".1%"),
        ("requests", ",.0f"),
        ("mirrored", ",.0f"),
        ("labelled", ",.0f"),
    )
    table.add_column("tier")
    for name, _ in columns:
        table.add_column(name.replace("_", " "), justify="right")
    for tier, figures in found.items():
        table.add_row(tier, *("-" if figures[name] is None else format(figures[name], form) for name, form in columns))
    return table
