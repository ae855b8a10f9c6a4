"""`shadow db`: bring the store's schema up to date, say where it is, and delete what is older than it may be."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.database import any_database, store_url
from shadow.cli.options import config_option
from shadow.settings import Settings, load

if TYPE_CHECKING:
    from shadow.retention import Due


@click.group()
def db() -> None:
    """Migrations of the store, and retention."""


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


@db.command()
@config_option
@click.option("--dry-run", is_flag=True, help="Only say how many rows of what would be deleted.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def retention(config: Path, dry_run: bool, as_json: bool) -> None:
    """Delete what is older than `retention` allows, texts first; the leader does so, too. Figures stay."""
    settings = load(config)
    with store_url(settings) as url:
        found, now = asyncio.run(_retention(settings, url, dry_run=dry_run))
    if as_json:
        rows = [{"what": one.what, "before": one.before.isoformat(), "rows": one.rows} for one in found]
        click.echo(json.dumps({"dry_run": dry_run, "at": now.isoformat(), "rows": rows}))
        return
    click.echo("would be deleted:" if dry_run else "deleted:")
    for one in found:
        click.echo(f"  {one.what:<28}{one.rows:>14,}   before {one.before:%Y-%m-%d}")


async def _retention(settings: Settings, url: str, *, dry_run: bool) -> tuple[list[Due], datetime]:
    from shadow import retention as policy
    from shadow.access.acting import os_user
    from shadow.store.engine import engine_for, utc_now

    engine, now = engine_for(url, pool_size=1), utc_now()
    try:
        if dry_run:
            return await policy.count_due(engine, settings, now=now), now
        return await policy.delete_due(engine, settings, now=now, by=os_user() or "shadow db retention"), now
    finally:
        await engine.dispose()
