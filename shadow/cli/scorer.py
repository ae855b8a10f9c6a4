"""`shadow scorer`: which scorers were trained to replace the one in force, do they route better, and may one take its place?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shadow.cli.database import as_decider, in_one_transaction, store_url
from shadow.cli.options import config_option, json_option, report_console
from shadow.cli.policy_options import author_option, reason_option
from shadow.errors import ConfigError
from shadow.settings import Settings, load

if TYPE_CHECKING:
    from shadow.store.challengers import ChallengerRow
    from shadow.store.engine import AsyncConnection

challenger_argument = click.argument("challenger_id", metavar="ID", type=click.IntRange(1, 2**31 - 1))


@click.group()
def scorer() -> None:
    """Scorers trained anew by the scheduler (`challenger.every_hours`); a person decides on what it proposes."""


@scorer.command("list")
@config_option
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Newest first.")
@json_option
def list_challengers(config: Path, limit: int, *, as_json: bool) -> None:
    """All challengers, newest first."""
    from shadow.store import challengers

    settings = load(config)
    with store_url(settings) as url:
        rows = in_one_transaction(url, lambda connection: challengers.listed(connection, limit=limit))
    if as_json:
        click.echo(json.dumps({"challengers": [_plain(row, settings) for row in rows]}))
        return
    if not rows:
        every = settings.challenger.every_hours
        due = "the scheduler trains the first one soon" if every else "challenger.every_hours is not set"
        click.echo(f"no challenger was trained yet: {due}")
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(pad_edge=False)
    for column in ("id", "trained (UTC)", "state", "against", "points saved", "why"):
        table.add_column(column, overflow="fold")
    for row in rows:
        saved = row.comparison["difference"] if row.comparison else None
        points = f"{saved['value']:+.2%} ({saved['low']:+.2%} to {saved['high']:+.2%})" if saved else "-"
        cells = f"{row.created_at:%Y-%m-%d %H:%M}", row.state, row.champion, points, row.reason or ""
        table.add_row(str(row.id), *map(escape, cells))
    report_console().print(table)


@scorer.command()
@challenger_argument
@config_option
@json_option
def show(challenger_id: int, config: Path, *, as_json: bool) -> None:
    """One challenger: what it learned from, and what later requests say."""
    from shadow.challenger.findings_text import challenger_lines

    settings = load(config)
    with store_url(settings) as url:
        row = in_one_transaction(url, lambda connection: _found(connection, challenger_id))
    if as_json:
        click.echo(json.dumps(_plain(row, settings)))
        return
    for line in challenger_lines(row, _directory(row, settings)):
        click.echo(line)


@scorer.command()
@challenger_argument
@reason_option
@author_option
@config_option
@json_option
def adopt(challenger_id: int, reason: str, author: str | None, config: Path, *, as_json: bool) -> None:
    """Note that a proposed challenger is to be used, and say what to change: the router takes nothing up by itself."""
    from shadow.challenger.findings_text import adoption_lines

    settings = load(config)
    with store_url(settings) as url:
        row, version = as_decider(
            url, settings, author, lambda connection, name: _adopt(connection, settings, challenger_id, name, reason)
        )
    directory = _directory(row, settings)
    assert directory is not None
    if as_json:
        change = {"routing": {"scorer": {"kind": "learned", "model_dir": str(directory)}}}
        click.echo(json.dumps({**_plain(row, settings), "state": "adopted", "configuration": change}))
        return
    click.echo(f"challenger {row.id} is noted as adopted. Nothing has changed yet:")
    for line in adoption_lines(row, directory, version):
        click.echo(line)


@scorer.command()
@challenger_argument
@reason_option
@author_option
@config_option
@json_option
def reject(challenger_id: int, reason: str, author: str | None, config: Path, *, as_json: bool) -> None:
    """Put a challenger away that is proposed or being compared; its model stays where it is."""
    from shadow.store import challengers

    settings = load(config)
    with store_url(settings) as url:
        as_decider(
            url,
            settings,
            author,
            lambda c, name: challengers.decide(c, challenger_id, state="rejected", by=name, reason=reason),
        )
    click.echo(json.dumps({"rejected": challenger_id}) if as_json else f"challenger {challenger_id} is rejected")


async def _found(connection: AsyncConnection, challenger_id: int) -> ChallengerRow:
    from shadow.store import challengers

    row = await challengers.by_id(connection, challenger_id)
    if row is None:
        raise ConfigError(f"there is no challenger {challenger_id}: `shadow scorer list` shows all")
    return row


async def _adopt(
    connection: AsyncConnection, settings: Settings, challenger_id: int, author: str, reason: str
) -> tuple[ChallengerRow, int]:
    """The row as it was, and the version of the policy in force."""
    from shadow.challenger.service import adoptable
    from shadow.store import challengers, policies

    row = adoptable(await challengers.by_id(connection, challenger_id), settings, challenger_id)
    await challengers.decide(connection, row.id, state="adopted", by=author, reason=reason)
    current = await policies.newest(connection)
    return row, current.policy.version if current else 0


def _directory(row: ChallengerRow, settings: Settings) -> Path | None:
    from shadow.challenger.learning import model_directory

    return model_directory(settings, row.version) if row.version is not None and row.state != "dropped" else None


def _plain(row: ChallengerRow, settings: Settings) -> dict[str, Any]:
    directory = _directory(row, settings)
    found = {**asdict(row), "model_dir": None if directory is None else str(directory)}
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in found.items()}
