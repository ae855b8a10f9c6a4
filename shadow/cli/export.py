"""`shadow export`: savings and costs as files that a spreadsheet or a program reads, with an interval beside every estimate."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.database import store_url
from shadow.cli.options import config_option, json_option
from shadow.settings import Settings, load

if TYPE_CHECKING:
    from shadow.money.tables import Table


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@config_option
@click.option("--days", type=click.FloatRange(min=0, min_open=True, max=400), help="Default: rollup.window_days.")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@json_option
def export(directory: Path, config: Path, days: float | None, *, force: bool, as_json: bool) -> None:
    """Write tables about money into DIRECTORY, each as CSV and as JSON: tiers; query types with what moving each to a cheaper
    tier would lose and save; heavy users; cost per success and savings by day; spend by user, feature and query type.

    Of whole UTC days, today included. Files that are there already stay as they are without --force.
    """
    from shadow.money.table_files import check_free, write_tables
    from shadow.money.tables import TABLE_NAMES

    settings = load(config)
    wanted = [directory / f"{name}.{kind}" for name in TABLE_NAMES for kind in ("csv", "json")]
    check_free(directory, wanted, force=force)  # before the database is asked
    with store_url(settings) as url:
        tables = asyncio.run(_load(settings, url, days or settings.rollup.window_days))
    written = write_tables(directory, tables, force=force)
    if as_json:
        files = [str(path) for path in written]
        click.echo(
            json.dumps({"directory": str(directory), "files": files, "rows": {t.name: len(t.rows) for t in tables}})
        )
        return
    for table in tables:
        click.echo(f"{directory / table.name}.csv and .json: {len(table.rows):,} rows")


async def _load(settings: Settings, url: str, days: float) -> list[Table]:
    from shadow import rollup
    from shadow.money.tables import TABLE_NAMES, load_table
    from shadow.store.engine import engine_for, utc_now

    engine = engine_for(url)
    try:
        # The scheduler may be down or between two runs: what is asked now is answered with all that is known now.
        await rollup.compute(engine, settings)
        now = utc_now()
        return [await load_table(engine, settings, name, days=days, now=now) for name in TABLE_NAMES]
    finally:
        await engine.dispose()
