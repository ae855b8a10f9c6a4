"""`shadow audit`: who decided what, and was any of it changed afterwards?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.database import in_one_transaction, store_url
from shadow.cli.options import config_option, json_option, report_console
from shadow.settings import load

if TYPE_CHECKING:
    from shadow.store.audit import Head, Verified
    from shadow.store.engine import AsyncConnection


def _heads(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[Head, ...]:
    from shadow.access.audit_heads import parse_head

    try:
        return tuple(parse_head(value) for value in values)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from None


@click.group()
def audit() -> None:
    """Decisions, append-only: policies, proposals, scorers, labels by file, gold sets, what retention deleted."""


@audit.command("list")
@config_option
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Newest first.")
@click.option("--before", type=click.IntRange(1), help="Only rows with a smaller number.")
@click.option("--actor", help="Only what this one did.")
@click.option("--action", help="Only these: `policy.applied`, or `policy` for all about policies.")
@json_option
def list_rows(
    config: Path, limit: int, before: int | None, actor: str | None, action: str | None, *, as_json: bool
) -> None:
    """What was decided, newest first."""
    from shadow.access.audit_text import audit_json, details_line
    from shadow.store import audit as store

    with store_url(load(config)) as url:
        rows = in_one_transaction(
            url, lambda c: store.listed(c, limit=limit, before=before, actor=actor, action=action)
        )
    if as_json:
        click.echo(json.dumps({"rows": [audit_json(row) for row in rows]}))
        return
    if not rows:
        click.echo("nothing was decided yet" if (before, actor, action) == (None, None, None) else "no such row")
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(pad_edge=False)
    for column in ("row", "at (UTC)", "who", "what", "on", "details"):
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = f"{row.at:%Y-%m-%d %H:%M:%S}", row.actor, row.action, row.subject, details_line(row.details)
        table.add_row(str(row.id), *map(escape, cells))
    report_console().print(table)


@audit.command("verify")
@config_option
@click.option("--head", "heads", multiple=True, callback=_heads, help="A head noted earlier, as 12:ab34…; repeatable.")
@json_option
def verify_rows(config: Path, heads: tuple[Head, ...], *, as_json: bool) -> None:
    """Read the whole chain; exit code 1 if a row was changed, is missing or was put in.

    Prints the head: note it elsewhere, and give it to --head later. Heads that the scheduler noted in the data directory are
    compared, too.
    """
    from shadow.access.audit_heads import heads_file, note, noted_heads, verify_noted
    from shadow.access.audit_text import verified_json, verified_sentence

    settings = load(config)

    async def look(connection: AsyncConnection) -> Verified:
        return await verify_noted(connection, settings, more=heads)

    known = len({*noted_heads(heads_file(settings)), *heads})
    with store_url(settings) as url:
        found = in_one_transaction(url, look, one_snapshot=True)
    if as_json:
        click.echo(json.dumps(verified_json(found, heads=known)))
    else:
        click.echo(verified_sentence(found, heads=known))
        if found.head is not None and found.problem is None:
            click.echo(f"head {found.head}")
    if found.problem is not None:
        raise click.exceptions.Exit(1)
    note(heads_file(settings), found.head)
