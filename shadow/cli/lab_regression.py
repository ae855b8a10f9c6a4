"""`shadow lab --scenario regression`: is the cell that got worse named, only that one, and how soon?"""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from shadow.cli.options import report_console


def regression(*, requests: int | None, repeat: int, seed: int, as_json: bool) -> None:
    """Simulate two weeks `repeat` times and print each share with its Monte Carlo interval and bar."""
    from shadow.lab.regression import CELLS, RegressionWorld, simulate

    world = RegressionWorld() if requests is None else RegressionWorld(requests=requests)
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as progress:
        bar = progress.add_task("simulating pairs of weeks", total=repeat)
        try:
            found = simulate(world, runs=repeat, seed=seed, advanced=lambda: progress.advance(bar))
        except ValueError as exc:
            raise click.UsageError(f"--requests: {exc}") from None
    if as_json:
        figures = [
            {
                "name": share.name,
                "what": share.what,
                "share": share.value,
                "low": share.interval[0],
                "high": share.interval[1],
                "at_least": share.at_least,
                "at_most": share.at_most,
                "met": share.met,
            }
            for share in found.shares
        ]
        about = {"scenario": "regression", "requests": world.requests, "repeat": repeat, "seed": seed, "level": 0.95}
        world_json = {"cells": len(CELLS), "accuracy": world.accuracy, "drop": world.drop, "alpha": world.alpha}
        click.echo(json.dumps({**about, **world_json, "judged_least": found.judged_least, "figures": figures}))
        return
    title = (
        f"{repeat} times two weeks of {world.requests:,} requests, seed {seed}: {len(CELLS)} cells at judged accuracy "
        f"{world.accuracy:.0%}, one loses {100 * world.drop:g} points; at least {found.judged_least:,} verdicts a cell and week"
    )
    table = Table(title=title, title_justify="left", pad_edge=False)
    for name in ("what", "share of runs", "95 % interval", "bar", ""):
        table.add_column(name, justify="left" if name == "what" else "right")
    for share in found.shares:
        bar_text = f">= {share.at_least:g}" if share.at_least is not None else f"<= {share.at_most:g}"
        low, high = share.interval
        table.add_row(
            share.what, f"{share.value:.3f}", f"{low:.3f} to {high:.3f}", bar_text, "met" if share.met else "MISSED"
        )
    report_console().print(table)
