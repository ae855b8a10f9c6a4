"""`shadow label agreement`: do two reviewers say the same of an answer?"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.database import store_url
from shadow.cli.options import config_option, json_option
from shadow.settings import load

if TYPE_CHECKING:
    from shadow.labels.agreement import AgreementReport


@click.command()
@config_option
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="Window; default: rollup.window_days.")
@json_option
def agreement(config: Path, days: float | None, *, as_json: bool) -> None:
    """How often two reviewers agree on an answer, and Cohen's kappa, by query type, with intervals; disputed answers.

    With the gold record of the reviewers beside it: where they disagree more often than their errors on gold items let
    expect, gold items are easier than the traffic.
    """
    from shadow.labels.agreement import agreement_json, agreement_lines, disputes_json

    settings = load(config)
    with store_url(settings) as url:
        found = asyncio.run(_load(url, days or settings.rollup.window_days))
    if as_json:
        click.echo(json.dumps({**agreement_json(found), "disputes": disputes_json(found)}))
    else:
        click.echo("\n".join(agreement_lines(found)))


async def _load(url: str, days: float) -> AgreementReport:
    from shadow.labels.agreement import load_agreement
    from shadow.store.engine import engine_for, utc_now

    engine = engine_for(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            return await load_agreement(connection, days=days, now=utc_now())
    finally:
        await engine.dispose()
