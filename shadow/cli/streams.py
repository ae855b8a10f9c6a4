"""`shadow streams`: has the judged accuracy of a model fallen since its baseline, and what do you say to it?"""

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
    from shadow.statistics.stream_watch import Stream
    from shadow.store.engine import AsyncConnection


@click.group(invoke_without_command=True)
@config_option
@json_option
@click.pass_context
def streams(ctx: click.Context, config: Path, *, as_json: bool) -> None:
    """Streams of judged pairs (tier, model, query type): baseline, evidence of a fall, and what is still needed."""
    if ctx.invoked_subcommand is not None:
        return
    from shadow.store.engine import utc_now
    from shadow.store.watch_streams import all_streams
    from shadow.streams.text import p_text, state_text, stream_json, stream_rows

    settings = load(config)
    with store_url(settings) as url:
        found = in_one_transaction(url, all_streams)
    own = settings.alerts.watch
    rows = stream_rows(list(found.values()), baseline_pairs=own.baseline_pairs, now=utc_now())
    if as_json:
        click.echo(json.dumps({"streams": [stream_json(row) for row in rows]}))
        return
    if not rows:
        click.echo(f"no judged pairs yet; one is looked at {own.watermark_minutes:g} min after its request")
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(pad_edge=False)
    for column in ("tier", "model", "query type", "baseline", "since", "n", "p", "fires at", "state"):
        table.add_column(column, overflow="fold")
    for row in rows:
        seen = row.accuracy
        cells = (
            row.tier,
            row.model,
            row.query_type,
            "" if row.baseline is None else f"{row.baseline:.1%}",
            "" if seen is None else f"{seen.value:.1%} ({seen.low:.1%} to {seen.high:.1%})",
            "0" if seen is None else str(seen.n),
            p_text(row.p),
            p_text(row.bar),
            state_text(row),
        )
        table.add_row(*map(escape, cells))
    report_console().print(table)


@streams.command()
@click.argument("tier")
@click.argument("model")
@click.argument("query_type")
@reason_option
@author_option
@config_option
@json_option
def accept(
    tier: str, model: str, query_type: str, reason: str, author: str | None, config: Path, *, as_json: bool
) -> None:
    """Accept the level that a stream has now: its alert closes and another baseline is collected."""
    settings = load(config)

    async def accepted(connection: AsyncConnection, name: str) -> Stream:
        from shadow.store.engine import utc_now
        from shadow.streams.watch import begin_anew

        key = tier, model, query_type
        found = await begin_anew(connection, settings, key, by=name, why=reason, now=utc_now())
        if found is None:
            raise ConfigError(f"there is no stream {'/'.join(key)}: `shadow streams` shows all")
        return found

    with store_url(settings) as url:
        anew = as_decider(url, settings, author, accepted)
    if as_json:
        click.echo(json.dumps({"accepted": [tier, model, query_type], "epoch": anew.epoch}))
        return
    click.echo(
        f"{tier}/{model}/{query_type}: accepted; {settings.alerts.watch.baseline_pairs} judged pairs make the new baseline"
    )
