"""`shadow grafana`: provision a running Grafana, and check that panels and alert rules find their rows in the database."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.options import config_option, json_option
from shadow.errors import ConfigError
from shadow.role import database_url as store_url
from shadow.settings import load

if TYPE_CHECKING:
    from shadow.grafana.check import PanelCheck


@click.group()
def grafana() -> None:
    """Provision Grafana; check the query of every panel and alert rule."""


@grafana.command()
@config_option
@click.option("--url", envvar="GRAFANA_URL", required=True, help="Address of Grafana.  [env: GRAFANA_URL]")
@click.option("--token", envvar="GRAFANA_TOKEN", help="Service account token.  [env: GRAFANA_TOKEN]")
@click.option("--user", envvar="GRAFANA_USER", help="User, where there is no token.  [env: GRAFANA_USER]")
@click.option("--password", envvar="GRAFANA_PASSWORD", help="The user's password.  [env: GRAFANA_PASSWORD]")
@click.option(
    "--database-url",
    envvar="GRAFANA_DATABASE_URL",
    help="The store as Grafana reaches it; default: database.url.  [env: GRAFANA_DATABASE_URL]",
)
def push(
    config: Path, url: str, token: str | None, user: str | None, password: str | None, database_url: str | None
) -> None:
    """Create or replace the datasource, the folder, the dashboard and the alert rules. Safe to run again."""
    from shadow.grafana.push import database_of
    from shadow.grafana.push import push as provision

    credential: str | tuple[str, str]
    if token:
        credential = token
    elif user and password:
        credential = (user, password)
    else:
        raise ConfigError("grafana push: give a --token, or a --user and a --password")
    settings = load(config)
    target = database_of(database_url or settings.database.url or "")
    runbooks = settings.alerts.runbook_url
    for line in provision(url=url, credential=credential, database=target, runbook_url=runbooks):
        click.echo(line)


@grafana.command()
@config_option
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), default=24.0, show_default=True, help="Window.")
@json_option
def check(config: Path, hours: float, as_json: bool) -> None:
    """Run the query of every panel and alert rule on the configured database; exit code 1 if one fails, or a panel is empty."""
    import json
    from dataclasses import asdict

    checks = asyncio.run(_checked(store_url(load(config)), hours))
    bad = [one for one in checks if one.problem is not None]
    if as_json:
        click.echo(json.dumps({"panels": [asdict(one) for one in checks], "failed": len(bad)}))
    else:
        _print(checks)
    raise click.exceptions.Exit(1 if bad else 0)


async def _checked(url: str, hours: float) -> list[PanelCheck]:
    from shadow.grafana.check import check_dashboard, check_rules
    from shadow.grafana.files import read_dashboard
    from shadow.grafana.rules import rules
    from shadow.store.engine import engine_for, utc_now

    engine, now = engine_for(url), utc_now()
    try:
        panels = await check_dashboard(engine, read_dashboard(), since=now - timedelta(hours=hours), until=now)
        return [*panels, *await check_rules(engine, rules())]
    finally:
        await engine.dispose()


def _print(checks: Sequence[PanelCheck]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("panel", box=None, pad_edge=False)
    table.add_column("rows", justify="right")
    table.add_column("ms", justify="right")
    table.add_column("")
    for one in checks:
        style = "red" if one.problem else None
        table.add_row(one.panel, str(one.rows), f"{1000 * one.seconds:.1f}", one.problem or "ok", style=style)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
