"""`shadow upgrade`: may this model take the place of that one? Proposed, shadowed, approved by a second person, switched."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shadow.cli.database import as_decider, in_one_transaction, store_url
from shadow.cli.options import config_option, json_option, report_console
from shadow.errors import ConfigError
from shadow.settings import load

if TYPE_CHECKING:
    from router.settings import ModelSettings
    from shadow.store.engine import AsyncConnection
    from shadow.store.upgrades import UpgradeRow

_upgrade_argument = click.argument("upgrade_id", metavar="ID", type=click.IntRange(1, 2**31 - 1))
_by_option = click.option("--by", help="Who does it; default: $USER, or the name of SHADOW_TOKEN's holder.")
_reason_option = click.option("--reason", default="", help="Why; kept in the audit.")


@click.group()
def upgrade() -> None:
    """Upgrades of pinned models: a candidate is shadowed on the same requests, and switched once a second person agrees."""


@upgrade.command()
@click.option("--tier", required=True, help="The tier whose first model is to be replaced.")
@click.option(
    "--to", "wanted", required=True, metavar="PROVIDER:MODEL", help="The candidate; its provider is configured."
)
@click.option("--from", "pinned", default="pinned", show_default=True, help="The pin; PROVIDER:MODEL to be sure of it.")
@click.option(
    "--rate", type=click.FloatRange(0, 1, min_open=True), help="Share of the tier's requests; default: upgrades.rate."
)
@click.option(
    "--labels",
    type=click.FloatRange(0.25, 1),
    help="Share of the pairs put before reviewers; default: upgrades.label_share.",
)
@click.option("--price", metavar="INPUT,OUTPUT", help="USD per million tokens; default: from the price table.")
@click.option("--context-tokens", type=click.IntRange(256), help="The candidate's window.")
@_by_option
@_reason_option
@config_option
@json_option
def propose(
    tier: str,
    wanted: str,
    pinned: str,
    rate: float | None,
    labels: float | None,
    price: str | None,
    context_tokens: int | None,
    by: str | None,
    reason: str,
    config: Path,
    *,
    as_json: bool,
) -> None:
    """Propose a candidate for a tier's pinned model; the scheduler takes it up, and nothing is served by it."""
    from shadow.store.engine import utc_now
    from shadow.upgrades.proposing import propose as proposed

    settings, candidate = load(config), _model(wanted, price, context_tokens)
    with store_url(settings) as url:
        made = as_decider(
            url,
            settings,
            by,
            lambda connection, name: proposed(
                connection,
                settings,
                tier=tier,
                candidate=candidate,
                pinned=pinned,
                rate=rate,
                label_share=labels,
                by=name,
                reason=reason,
                now=utc_now(),
            ),
            needs="reviewer",
        )
    said = f"upgrade {made} is proposed: the scheduler takes it up, `shadow upgrade status {made}` shows what is known"
    click.echo(json.dumps({"upgrade": made}) if as_json else said)


@upgrade.command()
@click.argument("upgrade_id", metavar="[ID]", type=click.IntRange(1, 2**31 - 1), required=False)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Newest first, without an ID.")
@config_option
@json_option
def status(upgrade_id: int | None, limit: int, config: Path, *, as_json: bool) -> None:
    """All upgrades, or one with its evidence."""
    from shadow.store import upgrades
    from shadow.upgrades.upgrade_text import plain, upgrade_lines

    with store_url(load(config)) as url:
        if upgrade_id is not None:
            row = in_one_transaction(url, lambda connection: _found(connection, upgrade_id))
            click.echo(json.dumps(plain(row)) if as_json else "\n".join(upgrade_lines(row)))
            return
        rows = in_one_transaction(url, lambda connection: upgrades.listed(connection, limit=limit))
    if as_json:
        click.echo(json.dumps({"upgrades": [plain(row) for row in rows]}))
    elif not rows:
        click.echo("nothing was proposed yet: `shadow upgrade propose --tier TIER --to PROVIDER:MODEL`")
    else:
        _print(rows)


@upgrade.command()
@_upgrade_argument
@_by_option
@_reason_option
@config_option
@json_option
def approve(upgrade_id: int, by: str | None, reason: str, config: Path, *, as_json: bool) -> None:
    """Approve one that is ready; not the proposer. The evidence is checked again; nothing is switched yet."""
    from shadow.store.engine import utc_now
    from shadow.upgrades import decisions

    settings = load(config)

    async def approved(connection: AsyncConnection, name: str) -> str:
        await decisions.approve(connection, settings, upgrade_id, by=name, reason=reason, now=utc_now())
        return name

    with store_url(settings) as url:
        name = as_decider(url, settings, by, approved)
    said = f"upgrade {upgrade_id} is approved by {name}; switch it with `shadow upgrade promote {upgrade_id}`"
    click.echo(json.dumps({"upgrade": upgrade_id, "state": "approved"}) if as_json else said)


@upgrade.command()
@_upgrade_argument
@_by_option
@click.option("--reason", required=True, help="Why; kept in the audit.")
@config_option
@json_option
def reject(upgrade_id: int, by: str | None, reason: str, config: Path, *, as_json: bool) -> None:
    """Put one away before its candidate serves anything."""
    from shadow.store.engine import utc_now
    from shadow.upgrades import decisions

    settings = load(config)
    with store_url(settings) as url:
        as_decider(
            url,
            settings,
            by,
            lambda c, name: decisions.reject(c, upgrade_id, by=name, reason=reason, now=utc_now()),
        )
    said = f"upgrade {upgrade_id} is rejected"
    click.echo(json.dumps({"upgrade": upgrade_id, "state": "rejected"}) if as_json else said)


@upgrade.command()
@_upgrade_argument
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    help="Of the tier's requests; default: upgrades.canary_share.",
)
@click.option("--full", is_flag=True, help="All requests, of one that serves its canary share.")
@_by_option
@_reason_option
@config_option
@json_option
def promote(
    upgrade_id: int, share: float | None, by: str | None, reason: str, config: Path, *, full: bool, as_json: bool
) -> None:
    """Switch an approved one: a canary share first, watched and taken back by itself if it does worse."""
    from shadow.store.engine import utc_now
    from shadow.upgrades import decisions

    settings = load(config)
    with store_url(settings) as url:
        said = as_decider(
            url,
            settings,
            by,
            lambda c, name: decisions.promote(
                c, settings, upgrade_id, by=name, reason=reason, now=utc_now(), share=share, full=full
            ),
        )
    state = "promoted" if full else "canary"
    click.echo(
        json.dumps({"upgrade": upgrade_id, "state": state, "in_force": said})
        if as_json
        else f"{said}; running routers take it up within seconds; back with `shadow upgrade rollback {upgrade_id}`"
    )


@upgrade.command()
@_upgrade_argument
@_by_option
@click.option("--reason", required=True, help="Why; kept in the audit.")
@config_option
@json_option
def rollback(upgrade_id: int, by: str | None, reason: str, config: Path, *, as_json: bool) -> None:
    """Have the model from before serve the tier again, in one step."""
    from shadow.store.engine import utc_now
    from shadow.upgrades import decisions

    settings = load(config)
    with store_url(settings) as url:
        version = as_decider(
            url,
            settings,
            by,
            lambda c, name: decisions.rollback(c, settings, upgrade_id, by=name, reason=reason, now=utc_now()),
        )
    said = f"pin {version}: the model from before serves the tier again; running routers take it up within seconds"
    click.echo(json.dumps({"upgrade": upgrade_id, "state": "rolled_back", "pin": version}) if as_json else said)


def _model(wanted: str, price: str | None, context_tokens: int | None) -> ModelSettings:
    """Raises: BadParameter."""
    from pydantic import ValidationError

    from router.settings import ModelSettings

    provider, sign, model = wanted.partition(":")
    if not sign or not provider or not model:
        raise click.BadParameter(f"--to: {wanted!r} is not PROVIDER:MODEL")
    content: dict[str, Any] = {"provider": provider, "model": model}
    if context_tokens is not None:
        content["context_tokens"] = context_tokens
    if price is not None:
        parts = price.split(",")
        try:
            rates = [Decimal(part.strip()) for part in parts]
        except InvalidOperation:
            rates = []
        if len(rates) != 2 or any(not rate.is_finite() or rate < 0 for rate in rates):
            raise click.BadParameter(f"--price: {price!r} is not INPUT,OUTPUT in USD per million tokens, like 0.5,1.5")
        content["price"] = {"input_usd_per_mtok": str(rates[0]), "output_usd_per_mtok": str(rates[1])}
    try:
        return ModelSettings.model_validate(content)
    except ValidationError as exc:
        raise click.BadParameter(f"--to: {exc.errors()[0]['msg']}") from None


async def _found(connection: AsyncConnection, upgrade_id: int) -> UpgradeRow:
    from shadow.store import upgrades

    row = await upgrades.by_id(connection, upgrade_id)
    if row is None:
        raise ConfigError(f"there is no upgrade {upgrade_id}: `shadow upgrade status` shows all")
    return row


def _print(rows: list[UpgradeRow]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from shadow.upgrades.states import spoken
    from shadow.upgrades.upgrade_text import figures_of, interval

    table = Table(pad_edge=False)
    for column in ("id", "tier", "from", "to", "state", "since (UTC)", "accepted more often", "why"):
        table.add_column(column, overflow="fold")
    for row in rows:
        found = figures_of(row)
        cells = (
            row.tier,
            row.pinned["model"],
            row.candidate["model"],
            spoken(row.state),
            f"{row.state_since:%Y-%m-%d %H:%M}",
            interval(found["difference"]) if found else "-",
            row.state_reason or row.reason,
        )
        table.add_row(str(row.id), *map(escape, cells))
    report_console().print(table)
