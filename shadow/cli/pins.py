"""`shadow pins`: is what answers under a model's name still what was pinned, and what do you say to it?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.database import as_decider, in_one_transaction, store_url
from shadow.cli.options import config_option, json_option, report_console
from shadow.cli.policy_options import author_option, reason_option
from shadow.errors import ConfigError
from shadow.settings import load

if TYPE_CHECKING:
    from shadow.pins.text import PinRow
    from shadow.store.engine import AsyncConnection


@click.group(invoke_without_command=True)
@config_option
@json_option
@click.pass_context
def pins(ctx: click.Context, config: Path, *, as_json: bool) -> None:
    """Pinned models: what providers report has answered, price, window, first and last seen, retirement."""
    if ctx.invoked_subcommand is not None:
        return
    from shadow.canaries.shown import newest_by_model, run_json, run_text
    from shadow.pins.text import pin_json, state_text
    from shadow.store.canaries import last_runs

    settings = load(config)
    with store_url(settings) as url:
        rows = in_one_transaction(url, _rows)
        runs = newest_by_model(in_one_transaction(url, last_runs))
    if as_json:
        told = {key: run_json(run) for key, run in runs.items()}
        click.echo(
            json.dumps({"pins": [pin_json(row) | {"canary": told.get((row.provider, row.model))} for row in rows]})
        )
        return
    if not rows:
        click.echo("no model was seen yet: the scheduler notes what is configured, the intake what answers")
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(pad_edge=False)
    for column in (
        "provider",
        "model",
        "tiers",
        "pinned",
        "build",
        "answers",
        "last seen (UTC)",
        "retires",
        "state",
        "canaries",
    ):
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = (
            row.provider,
            row.model,
            ", ".join(row.tiers),
            row.pinned or "",
            row.fingerprint or "",
            str(row.answers),
            "" if row.last_at is None else f"{row.last_at:%Y-%m-%d %H:%M}",
            "" if row.retires is None else row.retires.isoformat(),
            state_text(row),
            run_text(runs.get((row.provider, row.model)), is_on=settings.pins.canary.every_minutes is not None),
        )
        table.add_row(*map(escape, cells))
    report_console().print(table)


@pins.command()
@click.argument("provider")
@click.argument("model")
@reason_option
@author_option
@config_option
@json_option
def accept(provider: str, model: str, reason: str, author: str | None, config: Path, *, as_json: bool) -> None:
    """Make all that a provider has reported of a model until now part of its pin; its alerts close."""
    settings = load(config)

    async def accepted(connection: AsyncConnection, name: str) -> int:
        from shadow.pins.checking import accept as take
        from shadow.store.engine import utc_now

        if not any((row.provider, row.model) == (provider, model) for row in await _rows(connection)):
            raise ConfigError(f"there is no pinned model {provider}/{model}: `shadow pins` shows all")
        return await take(connection, provider, model, by=name, why=reason, now=utc_now())

    with store_url(settings) as url:
        taken = as_decider(url, settings, author, accepted)
    said = f"{provider}/{model}: {taken} reports that were not pinned are now"
    click.echo(json.dumps({"accepted": [provider, model], "reports": taken}) if as_json else said)


async def _rows(connection: AsyncConnection) -> list[PinRow]:
    from shadow.pins.text import pin_rows
    from shadow.store.engine import utc_now
    from shadow.store.model_reports import all_pins, all_reports

    return pin_rows(await all_pins(connection), await all_reports(connection), today=utc_now().date())
