"""`shadow policy`: which thresholds are in force, how did they get there, and how are they changed or taken back?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shadow.cli.database import as_decider, in_one_transaction, store_url
from shadow.cli.options import config_option, json_option, report_console
from shadow.cli.policy_options import Threshold, author_option, reason_option, yes_option
from shadow.errors import ConfigError
from shadow.settings import Settings, load

if TYPE_CHECKING:
    from router.contracts import Policy
    from shadow.store.engine import AsyncConnection
    from shadow.store.policies import PolicyRow


@click.group()
def policy() -> None:
    """Threshold policies: append-only, the newest is in force, and routers take it up within seconds."""


@policy.command("list")
@config_option
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Newest first.")
@json_option
def list_policies(config: Path, limit: int, *, as_json: bool) -> None:
    """The history, newest first; the first one is in force."""
    from shadow.store import policies

    with store_url(load(config)) as url:
        rows = in_one_transaction(url, lambda connection: policies.history(connection, limit + 1))
    shown = rows[:limit]
    if as_json:
        click.echo(json.dumps({"policies": [_plain(row, in_force=row is rows[0]) for row in shown]}))
        return
    if not rows:
        click.echo("no policy yet: the first start of a scheduler stores the configuration's thresholds")
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(pad_edge=False)
    for column in ("version", "since (UTC)", "by", "what changed", "why"):
        table.add_column(column, overflow="fold")
    for row, before in zip(shown, [*rows[1:], None], strict=False):
        changes = _changes(before.policy, row.policy) if before else _content(row.policy)
        who = row.author if row.author == row.origin else f"{row.author} ({row.origin})"
        since = f"{row.created_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(str(row.policy.version), since, escape(who), escape(changes), escape(row.reason))
    report_console().print(table)


@policy.command()
@click.argument("version", type=click.IntRange(1), required=False)
@config_option
@json_option
def show(version: int | None, config: Path, *, as_json: bool) -> None:
    """One policy, by default the one in force; its --json can be given to `apply`."""
    settings = load(config)
    with store_url(settings) as url:
        row, last = in_one_transaction(url, lambda connection: _found(connection, version))
    if row is None:
        raise ConfigError(f"there is no policy version {version}" if version else _NONE_YET)
    in_force = last is not None and row.policy.version == last.policy.version
    if as_json:
        click.echo(json.dumps(_plain(row, in_force=in_force)))
        return
    click.echo(f"version {row.policy.version}, {'in force' if in_force else 'not in force'}")
    click.echo(f"since   {row.created_at:%Y-%m-%d %H:%M:%S} UTC, by {row.author} ({row.origin}): {row.reason}")
    for tier, value in row.policy.thresholds.items():
        click.echo(f"  {tier:12} {value:g}" + ("" if tier in settings.tier_names[:-1] else "   (no tier any more)"))
    click.echo(f"  {'band':12} {row.policy.band:g}")
    for query_type, own in row.policy.by_query_type.items():
        click.echo(f"  {query_type}: " + ", ".join(f"{tier} {value:g}" for tier, value in own.items()))


@policy.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--threshold", "pairs", type=Threshold(), multiple=True, help="May be repeated; others stay.")
@click.option("--band", type=click.FloatRange(0, 1), help="Width of the band above each threshold.")
@reason_option
@author_option
@yes_option
@config_option
@json_option
def apply(
    file: Path | None,
    pairs: Sequence[tuple[str, float]],
    band: float | None,
    reason: str,
    author: str | None,
    config: Path,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Put new thresholds in force: from FILE (YAML or JSON), from --threshold and --band, or both; the options win."""
    from shadow.policy_change import Change, changed, read_change

    if file is None and not pairs and band is None:
        raise click.UsageError("name a FILE, a --threshold or a --band")
    change = read_change(file) if file else Change()
    change = replace(
        change,
        thresholds={**change.thresholds, **dict(pairs)},
        band=change.band if band is None else band,
    )
    settings = load(config)
    with store_url(settings) as url:
        _, last = in_one_transaction(url, lambda connection: _found(connection, None))
        current = _current(settings, last)
        wanted = changed(current, settings.tier_names, change)
        _put(settings, url, last, wanted, (author, "user", reason), yes=yes, as_json=as_json)


@policy.command()
@click.option("--to", "version", type=click.IntRange(1), help="Default: the one before the one in force.")
@reason_option
@author_option
@yes_option
@config_option
@json_option
def rollback(version: int | None, reason: str, author: str | None, config: Path, *, yes: bool, as_json: bool) -> None:
    """Put an earlier policy in force again, as a new version with the old content. Twice in a row is back where it was."""
    from shadow.policy_change import Change, changed
    from shadow.store import policies

    settings = load(config)
    with store_url(settings) as url:
        row, last = in_one_transaction(url, lambda connection: _found(connection, version))
        if last is None:
            raise ConfigError(_NONE_YET)
        if version is None:
            rows = in_one_transaction(url, lambda connection: policies.history(connection, 1000))
            row = next((r for r in rows if _changes(r.policy, last.policy)), None)
            if row is None:
                raise ConfigError("there is nothing to go back to: no earlier policy differs from the one in force")
        if row is None:
            raise ConfigError(f"there is no policy version {version}")
        wanted = changed(row.policy, settings.tier_names, Change())
        _put(settings, url, last, wanted, (author, "rollback", reason), yes=yes, as_json=as_json)


_NONE_YET = "no policy is stored yet: the first start of a scheduler stores the configuration's thresholds"


def _put(
    settings: Settings,
    url: str,
    last: PolicyRow | None,
    wanted: Policy,
    said: tuple[str | None, str, str],
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Show the difference, ask, and write the row."""
    from shadow.policy_change import difference
    from shadow.store import policies

    typed, origin, reason = said
    author = as_decider(url, settings, typed, _name)  # before anybody is asked anything
    current = _current(settings, last)
    changes = difference(current, wanted)
    if not changes:
        if as_json:
            click.echo(json.dumps({"version": current.version, "changes": [], "applied": False}))
        else:
            click.echo(f"version {current.version} says just that: nothing to do")
        return
    click.echo(f"in place of version {current.version}:", err=as_json)
    for name, before, after in changes:
        click.echo(f"  {name:12} {_number(before)} -> {_number(after)}", err=as_json)
    if not yes:
        _ask()
    version = as_decider(
        url,
        settings,
        author,
        lambda connection, author: policies.replace(
            connection,
            expected=last.policy.version if last else None,
            configured=(settings.routing.thresholds, settings.routing.band),
            thresholds=wanted.thresholds,
            band=wanted.band,
            by_query_type=wanted.by_query_type,
            author=author,
            origin=origin,
            reason=reason,
        ),
    )
    if as_json:
        listed = [{"name": name, "from": before, "to": after} for name, before, after in changes]
        click.echo(json.dumps({"version": version, "changes": listed, "applied": True}))
    else:
        click.echo(f"version {version} is in force; running routers take it up within seconds")


async def _name(_connection: AsyncConnection, name: str) -> str:
    return name


def _ask() -> None:
    try:
        agreed = click.confirm("Put this in force?", err=True)
    except click.Abort:
        raise ConfigError(
            "nobody answered, nothing was changed: add --yes to put it in force without a question"
        ) from None
    if not agreed:
        click.echo("nothing was changed", err=True)
        raise click.exceptions.Exit(1)


def _current(settings: Settings, last: PolicyRow | None) -> Policy:
    from router.contracts import Policy

    if last is not None:
        return last.policy
    return Policy(version=0, thresholds=settings.routing.thresholds, band=settings.routing.band)


async def _found(connection: AsyncConnection, version: int | None) -> tuple[PolicyRow | None, PolicyRow | None]:
    """(the version asked for, else the one in force; the one in force)."""
    from shadow.store import policies

    last = await policies.newest(connection)
    return (last if version is None else await policies.by_version(connection, version)), last


def _changes(old: Policy, new: Policy) -> str:
    from shadow.policy_change import difference

    return ", ".join(f"{n} {_number(a)} -> {_number(b)}" for n, a, b in difference(old, new))


def _content(policy: Policy) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in (*policy.thresholds.items(), ("band", policy.band)))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _plain(row: PolicyRow, *, in_force: bool) -> dict[str, Any]:
    return {
        "version": row.policy.version,
        "thresholds": dict(row.policy.thresholds),
        "band": row.policy.band,
        "by_query_type": {query_type: dict(own) for query_type, own in row.policy.by_query_type.items()},
        "created_at": row.created_at.isoformat(),
        "author": row.author,
        "origin": row.origin,
        "reason": row.reason,
        "in_force": in_force,
    }
