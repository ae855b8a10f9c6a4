"""`shadow doctor`: what works, what does not, and what is to be done about it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.options import config_option, json_option, report_console

if TYPE_CHECKING:
    from rich.table import Table

    from shadow.doctor.examination import Examination

_MARKS = {"ok": "[green]ok[/green]", "warn": "[yellow]look[/yellow]", "bad": "[bold red]bad[/bold red]"}
_CLOSING = {
    "ok": "All is well.",
    "warn": "It will run; what is marked `look` deserves one.",
    "bad": "What is marked `bad` has to be put right before it can run as it should.",
}


@click.command()
@config_option
@json_option
def doctor(config: Path, *, as_json: bool) -> None:
    """Look at configuration, prices, keys, machine, database, providers, judges, policy, and the memory of each role.

    Changes nothing and starts no role. Exit code 1 if anything is bad.
    """
    from shadow.doctor.examination import examine

    progress = report_console(stderr=True)
    if progress.is_terminal:
        with progress.status("looking") as status:
            found = asyncio.run(examine(config, show=lambda what: status.update(f"looking at {what}")))
    else:
        found = asyncio.run(examine(config))
    if as_json:
        click.echo(json.dumps(_plain(config, found)))
    else:
        console = report_console()
        console.print(_table(found))
        console.print(_CLOSING[found.state])
    raise click.exceptions.Exit(1 if found.state == "bad" else 0)


def _plain(config: Path, found: Examination) -> dict[str, object]:
    return {
        "config": str(config),
        "state": found.state,
        "findings": [asdict(finding) for finding in found.findings],
        "memory": [asdict(figure) for figure in found.memory],
    }


def _table(found: Examination) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("state", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("finding", overflow="fold")
    for finding in found.findings:
        remedy = f"\n[dim]-> {escape(finding.remedy)}[/dim]" if finding.remedy else ""
        table.add_row(_MARKS[finding.state], escape(finding.name), escape(finding.detail) + remedy)
    return table
