"""`shadow alerts`: what is wrong, who looks after it, and do messages about it arrive?"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.database import as_decider, in_one_transaction, store_url
from shadow.cli.options import config_option, json_option
from shadow.cli.policy_options import author_option
from shadow.errors import ConfigError
from shadow.settings import load

if TYPE_CHECKING:
    from shadow.store.engine import AsyncConnection

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
note_option = click.option("--note", default="", help="Why; kept with the alert.")
alert_argument = click.argument("alert_id", metavar="ALERT", type=click.IntRange(1))


def _length(_ctx: click.Context, _param: click.Parameter, value: str) -> timedelta:
    try:
        length = timedelta(**{_UNITS[value[-1:]]: float(value[:-1])})
    except (KeyError, ValueError, OverflowError):
        length = timedelta(0)
    if length <= timedelta(0):
        raise click.BadParameter("give a length of time such as 30m, 4h or 2d")
    return length


@click.group()
def alerts() -> None:
    """What somebody should look at: list, acknowledge, snooze, close, and test the channels of messages."""


@alerts.command("list")
@config_option
@click.option("--all", "with_closed", is_flag=True, help="The closed ones, too.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Newest first.")
@json_option
def list_alerts(config: Path, limit: int, *, with_closed: bool, as_json: bool) -> None:
    """Open alerts, newest first. What to do about each kind: docs/runbooks.md."""
    from shadow.alerting.text import alert_json, alert_lines
    from shadow.store.alerts import last_alerts

    with store_url(load(config)) as url:
        is_open = None if with_closed else True
        found = in_one_transaction(url, lambda connection: last_alerts(connection, is_open=is_open, limit=limit))
    if as_json:
        click.echo(json.dumps({"alerts": [alert_json(alert) for alert in found]}))
        return
    for line in alert_lines(found):
        click.echo(line)
    if not found:
        click.echo("no alert" if with_closed else "no open alert")


@alerts.command()
@alert_argument
@author_option
@note_option
@config_option
def ack(alert_id: int, author: str | None, note: str, config: Path) -> None:
    """Say that you look after an alert. It stays open."""
    from shadow.store.alert_actions import acknowledge

    _do(
        config,
        alert_id,
        author,
        lambda connection, name, now: acknowledge(connection, alert_id, by=name, now=now, text=note),
        f"alert {alert_id}: acknowledged by {{name}}",
    )


@alerts.command()
@alert_argument
@click.option("--for", "length", required=True, callback=_length, help="How long, as 30m, 4h or 2d; at most 90d.")
@author_option
@note_option
@config_option
def snooze(alert_id: int, length: timedelta, author: str | None, note: str, config: Path) -> None:
    """Send nothing about an alert for some time, unless it becomes more severe."""
    from shadow.store.alert_actions import snooze as put_off

    _do(
        config,
        alert_id,
        author,
        lambda connection, name, now: put_off(connection, alert_id, until=now + length, by=name, now=now, text=note),
        f"alert {alert_id}: nothing is sent about it for {length}",
    )


@alerts.command()
@alert_argument
@author_option
@note_option
@config_option
def unsnooze(alert_id: int, author: str | None, note: str, config: Path) -> None:
    """Send messages about an alert again."""
    from shadow.store.alert_actions import unsnooze as resume

    _do(
        config,
        alert_id,
        author,
        lambda connection, name, now: resume(connection, alert_id, by=name, now=now, text=note),
        f"alert {alert_id}: messages about it are sent again",
    )


@alerts.command()
@alert_argument
@author_option
@note_option
@config_option
def close(alert_id: int, author: str | None, note: str, config: Path) -> None:
    """Close an alert. What is still wrong opens a new one at the next look."""
    from shadow.store.alert_actions import close_alert

    _do(
        config,
        alert_id,
        author,
        lambda connection, name, now: close_alert(connection, alert_id, by=name, now=now, text=note),
        f"alert {alert_id}: closed by {{name}}",
    )


@alerts.command()
@config_option
@json_option
def test(config: Path, *, as_json: bool) -> None:
    """Send a test message through each channel, and say what became of it. Exit code 1 if one did not take it."""
    from shadow.notifying.trial import try_channels

    settings = load(config).alerts
    if not settings.notify:
        raise ConfigError("alerts.notify: no channel is configured; docs/alerts.md shows how")
    tried = asyncio.run(try_channels(settings, os.environ))
    if as_json:
        rows = [{"channel": name, "accepted": error is None, "error": error} for name, error in tried.items()]
        click.echo(json.dumps({"channels": rows}))
    else:
        for name, error in tried.items():
            click.echo(f"{name}: {'accepted' if error is None else f'not accepted: {error}'}")
    raise click.exceptions.Exit(1 if any(tried.values()) else 0)


def _do(
    config: Path,
    alert_id: int,
    author: str | None,
    work: Callable[[AsyncConnection, str, datetime], Awaitable[bool]],
    said: str,
) -> None:
    """said: {name} stands for whoever does it."""
    from shadow.store.engine import utc_now

    async def done_by(connection: AsyncConnection, name: str) -> tuple[bool, str]:
        return await work(connection, name, utc_now()), name

    settings = load(config)
    with store_url(settings) as url:
        done, name = as_decider(url, settings, author, done_by, needs="reviewer")
    if not done:
        raise ConfigError(f"there is no open alert {alert_id} for that; `shadow alerts list --all` shows all")
    click.echo(said.replace("{name}", name))
