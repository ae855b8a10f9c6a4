"""`shadow lab --scenario upgrade-...`: do upgrades end as they should, and how often is a worse model called ready?"""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from shadow.cli.options import report_console


def upgrade(scenario: str, *, pairs: int | None, repeat: int, seed: int, as_json: bool) -> None:
    """Simulate proposals `repeat` times, at the scenario's truth and at the boundary; print each share with its interval."""
    from shadow.configuration.upgrades import UpgradeSettings
    from shadow.lab.upgrade import simulate
    from shadow.upgrades.design import Design

    configured = UpgradeSettings() if pairs is None else UpgradeSettings(cap_pairs=pairs)
    design = Design.of(configured)
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as progress:
        bar = progress.add_task("simulating proposals", total=2 * repeat)
        found = simulate(scenario, design, runs=repeat, seed=seed, advanced=lambda: progress.advance(bar))
    if as_json:
        rows = [
            {
                "name": row.name,
                "what": row.what,
                "share": row.share,
                "low": row.interval[0],
                "high": row.interval[1],
                "at_least": row.at_least,
                "at_most": row.at_most,
                "pairs": row.pairs,
                "met": row.met,
            }
            for row in found.rows
        ]
        about = {"scenario": scenario, "repeat": repeat, "seed": seed, "level": 0.95, "design": design.as_json()}
        click.echo(json.dumps({**about, "rows": rows, "ends": dict(found.ends), "example": found.example}))
        return
    ends = ", ".join(f"{state} {share:.1%}" for state, share in found.ends.items())
    title = (
        f"{repeat} proposals, seed {seed}, judges that err, a label on {design.label_share:.0%} of at most "
        f"{design.cap_pairs:,} pairs; ends: {ends}"
    )
    table = Table(title=title, title_justify="left", pad_edge=False)
    for name in ("truth", "what", "share of runs", "95 % interval", "bar", "pairs", ""):
        table.add_column(name, justify="left" if name in {"truth", "what"} else "right")
    for row in found.rows:
        bar_text = f">= {row.at_least:g}" if row.at_least is not None else f"<= {row.at_most:.3f}"
        low, high = row.interval
        table.add_row(
            row.name,
            row.what,
            f"{row.share:.3f}",
            f"{low:.3f} to {high:.3f}",
            bar_text,
            f"{row.pairs:,.0f}",
            "met" if row.met else "MISSED",
        )
    report_console().print(table)
