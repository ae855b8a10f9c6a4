"""`shadow db`: bring the store's schema up to date, and say where it is."""

from __future__ import annotations

from pathlib import Path

import click

from shadow.cli.database import any_database
from shadow.cli.options import config_option
from shadow.settings import load


@click.group()
def db() -> None:
    """Migrations of the store."""


@db.command()
@config_option
def upgrade(config: Path) -> None:
    """Apply the migrations that are missing. Safe to run again, and from several machines at once."""
    from shadow.store import migrate

    with any_database(load(config)) as url:
        before = migrate.current(url) or "empty"
        after = migrate.upgrade(url)
    click.echo(f"{before} -> {after}" if before != after else f"{after}, nothing to do")


@db.command()
@config_option
def current(config: Path) -> None:
    """Print the schema's revision; exit code 1 if it is not the newest."""
    from shadow.store import migrate

    with any_database(load(config)) as url:
        revision = migrate.current(url) or "empty"
    newest = migrate.head()
    click.echo(revision if revision == newest else f"{revision} (newest is {newest}: run `shadow db upgrade`)")
    raise click.exceptions.Exit(0 if revision == newest else 1)
