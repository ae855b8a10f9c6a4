"""`shadow tune`: may the thresholds go down, how far, and what would that save?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.database import as_decider, in_one_transaction, store_url
from shadow.cli.options import config_option, json_option
from shadow.settings import Settings, load

if TYPE_CHECKING:
    from shadow.store.engine import AsyncConnection
    from shadow.tuning.service import Found


@click.command()
@config_option
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="Window; default: tuning.window_days.")
@click.option("--epsilon", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="Default: tuning.epsilon.")
@click.option("--delta", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="Default: tuning.delta.")
@click.option(
    "--apply", "put", is_flag=True, help="Put the proposal in force; only a certified one, unless --uncertified."
)
@click.option("--uncertified", is_flag=True, help="With --apply: also what rests on judges alone.")
@click.option("--reject", is_flag=True, help="Reject the proposal that waits.")
@click.option("--by", "--author", "author", help="Who decides; default: $USER, or the name of SHADOW_TOKEN's holder.")
@click.option("--reason", default="", help="Why; kept in the history. Needed for --reject.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def tune(
    config: Path,
    days: float | None,
    epsilon: float | None,
    delta: float | None,
    author: str | None,
    reason: str,
    *,
    put: bool,
    uncertified: bool,
    reject: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Look for cheaper thresholds whose loss is shown to stay below epsilon, and keep the finding as the open proposal."""
    from shadow.tuning.findings_json import tuned_json

    settings = load(config)
    if reject and put:
        raise click.UsageError("--apply and --reject exclude each other")
    if reject and not reason.strip():
        raise click.UsageError("--reject needs a --reason: whoever looks at the history wants to know")
    if reject:
        with store_url(settings) as url:
            done = as_decider(url, settings, author, lambda c, name: _reject(c, name, reason.strip()))
        click.echo(json.dumps({"rejected": done}) if as_json else f"proposal {done} is rejected")
        return
    with store_url(settings) as url:
        found, proposal = in_one_transaction(
            url,
            lambda connection: _look(
                connection, settings, days=days or settings.tuning.window_days, epsilon=epsilon, delta=delta
            ),
        )
        said = tuned_json(found.tuned, found.evidence, since=found.since, until=found.until)
        version = None
        if not as_json:
            _print(found, said, proposal)
        if put and proposal is not None and _may(said["status"], uncertified=uncertified, yes=yes):
            version = as_decider(
                url, settings, author, lambda c, name: _apply(c, settings, proposal, name, reason.strip())
            )
        if as_json:
            click.echo(json.dumps({**said, "proposal": proposal, "applied_version": version}))
        elif version is not None:
            click.echo(f"version {version} is in force; take it back with `shadow policy rollback --reason ...`")


async def _look(
    connection: AsyncConnection, settings: Settings, *, days: float, epsilon: float | None, delta: float | None
) -> tuple[Found, int | None]:
    from shadow.tuning import service

    found = await service.look(connection, settings, days=days, epsilon=epsilon, delta=delta)
    return found, await service.propose(connection, found)


async def _apply(connection: AsyncConnection, settings: Settings, proposal: int, author: str, reason: str) -> int:
    from shadow.tuning import service

    waiting = await service.open_proposal(connection, proposal)
    return await service.apply(
        connection, settings, waiting, by=author, reason=reason or f"proposal {proposal}, {waiting.status}"
    )


async def _reject(connection: AsyncConnection, author: str, reason: str) -> int:
    from shadow.tuning import service

    waiting = await service.open_proposal(connection, None)
    await service.reject(connection, waiting.id, by=author, reason=reason)
    return waiting.id


def _may(status: str, *, uncertified: bool, yes: bool) -> bool:
    """Asks where somebody is there to answer. Raises: UsageError for an uncertified proposal without the option."""
    if status != "certified" and not uncertified:
        raise click.UsageError("the proposal is not certified: have labels given, or add --uncertified")
    if yes:
        return True
    try:
        agreed = click.confirm("Put this in force?", err=True)
    except click.Abort:
        raise click.UsageError("nobody answered, nothing was changed: add --yes") from None
    if not agreed:
        click.echo("nothing was changed", err=True)
    return agreed


def _print(found: Found, said: dict[str, object], proposal: int | None) -> None:
    from shadow.tuning.findings_text import tuned_lines

    for line in tuned_lines(said, found.current.thresholds):
        click.echo(line)
    if proposal is not None:
        click.echo(f"Proposal {proposal} waits: `shadow tune --apply`, or `shadow tune --reject --reason ...`.")
