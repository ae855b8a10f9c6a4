"""`shadow token`: who may use the console and decide?

Whoever can run these commands on the store's machine is trusted with it: they need no token themselves, and each is in the audit.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shadow.access.identity import ROLES, Role
from shadow.cli.database import in_one_transaction, store_url
from shadow.cli.options import config_option, json_option, report_console
from shadow.settings import load

if TYPE_CHECKING:
    from shadow.store.tokens import TokenRow


class Expiry(click.ParamType):  # type: ignore[type-arg]
    """`never`, a number of days, or a date."""

    name = "DAYS|DATE|never"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from shadow.store.engine import utc_now

        if not isinstance(value, str) or value == "never":
            return value
        now = utc_now()
        try:
            expires = now + timedelta(days=float(value)) if _is_number(value) else datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither `never`, nor a number of days, nor a date such as 2027-01-31", param, ctx)
        if expires.tzinfo is None:
            expires = expires.replace(tzinfo=UTC)
        if expires <= now:
            self.fail(f"{value!r} is over already", param, ctx)
        return expires


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).isdigit()


def _name(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    from shadow.labels.file import checked_name

    try:
        return checked_name(value, "the name")
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from None


@click.group()
def token() -> None:
    """Tokens for people and programs: viewer, reviewer, approver or admin. Stored as hashes only."""


@token.command()
@click.option("--name", required=True, callback=_name, help="The person or program; decisions are kept under it.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What it may do; each may what those before may.")
@click.option("--expires", type=Expiry(), help="Default: after auth.token_days.")
@config_option
@json_option
def create(name: str, role: Role, expires: datetime | str | None, config: Path, *, as_json: bool) -> None:
    """Make a token and print it, this once."""
    from shadow.access.acting import os_user
    from shadow.store import tokens
    from shadow.store.engine import utc_now

    settings, now = load(config), utc_now()
    until = expires if isinstance(expires, datetime) else None
    if expires is None:
        until = now + timedelta(days=settings.auth.token_days)
    by = os_user() or "shadow token"
    with store_url(settings) as url:
        row, secret = in_one_transaction(
            url, lambda c: tokens.create(c, name=name, role=role, by=by, expires_at=until, now=now)
        )
    if as_json:
        click.echo(json.dumps({**_plain(row, now), "token": secret}))
        return
    click.echo(secret)
    ends = f"until {row.expires_at:%Y-%m-%d %H:%M} UTC" if row.expires_at else "until it is revoked"
    click.echo(f"token {row.id} of {name}, {role}, {ends}. It is shown only now: only its hash is kept.", err=True)
    if not settings.asks_for_tokens:
        click.echo("nobody is asked for it yet: set auth.required, or server.host beyond loopback", err=True)


@token.command("list")
@config_option
@json_option
def list_tokens(config: Path, *, as_json: bool) -> None:
    """All tokens, newest first, without their secrets."""
    from shadow.store import tokens
    from shadow.store.engine import utc_now

    now = utc_now()
    with store_url(load(config)) as url:
        rows = in_one_transaction(url, tokens.listed)
    if as_json:
        click.echo(json.dumps({"tokens": [_plain(row, now) for row in rows]}))
        return
    if not rows:
        click.echo("no tokens yet: make one with `shadow token create --name NAME --role ROLE`")
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(pad_edge=False)
    for column in ("id", "name", "role", "begins with", "state", "expires (UTC)", "last used (UTC)", "made by"):
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = row.name, row.role, f"shadow_{row.prefix}", _state(row, now), _when(row.expires_at, "never")
        table.add_row(str(row.id), *map(escape, cells), _when(row.last_used_at, "not yet"), escape(row.created_by))
    report_console().print(table)


@token.command()
@click.argument("token_id", metavar="ID", type=click.IntRange(1, 2**31 - 1))
@config_option
@json_option
def revoke(token_id: int, config: Path, *, as_json: bool) -> None:
    """End a token and its logins, from the next request on."""
    from shadow.access.acting import os_user
    from shadow.store import tokens
    from shadow.store.engine import utc_now

    now, by = utc_now(), os_user() or "shadow token"
    with store_url(load(config)) as url:
        row = in_one_transaction(url, lambda c: tokens.revoke(c, token_id, by=by, now=now))
    click.echo(json.dumps(_plain(row, now)) if as_json else f"token {row.id} of {row.name} is revoked")


def _state(row: TokenRow, now: datetime) -> str:
    return "revoked" if row.revoked_at else "valid" if row.valid(now) else "expired"


def _when(moment: datetime | None, otherwise: str) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else otherwise


def _plain(row: TokenRow, now: datetime) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in type(row).__dataclass_fields__}
    said = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in found.items()}
    return {**said, "state": _state(row, now)}
