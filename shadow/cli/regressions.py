"""`shadow regressions`: did anything get worse, and what would have been seen if it had?"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shadow.cli.database import store_url
from shadow.cli.options import config_option, json_option
from shadow.settings import Settings, load

if TYPE_CHECKING:
    from shadow.regressions.findings import Period


class _Week(click.ParamType):  # type: ignore[type-arg]
    """A Monday: of an ISO week, or the one of a date."""

    name = "week"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            if match := re.fullmatch(r"(\d{4})-?[Ww](\d{1,2})", value):
                return date.fromisocalendar(int(match[1]), int(match[2]), 1)
            day = date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no week: give 2026-W47, or a day of it as 2026-11-18", param, ctx)
        return day - timedelta(days=day.weekday())


@click.command()
@config_option
@click.option("--week", type=_Week(), help="An ISO week (2026-W47) or a day of it; default: the days up to now.")
@click.option("--stored", type=click.IntRange(min=1), help="The stored report of this number, as it was made.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html"]),
    default="text",
    show_default=True,
    help="html: a page of its own, plots in it.",
)
@json_option
def regressions(config: Path, week: date | None, stored: int | None, form: str, *, as_json: bool) -> None:
    """Which cells (tier, query type, feature) the judges accept less often than in the weeks before, and what a quiet cell could
    have shown. Computed now, and not stored: reports are stored by the schedule, `alerts.weekly`.
    """
    from shadow.regressions.page import standalone
    from shadow.regressions.text import markdown, text_lines

    if week is not None and stored is not None:
        raise click.UsageError("--week and --stored exclude each other")
    settings = load(config)
    with store_url(settings) as url:
        found = asyncio.run(_found(settings, url, week, stored))
    address = settings.alerts.public_url or ""
    if as_json:
        click.echo(json.dumps(found))
    elif form == "markdown":
        click.echo(markdown(found, address=address), nl=False)
    elif form == "html":
        click.echo(standalone(found, address=address))
    else:
        for line in text_lines(found, address=address):
            click.echo(line)


async def _found(settings: Settings, url: str, week: date | None, stored: int | None) -> dict[str, Any]:
    from shadow import rollup
    from shadow.regressions.building import build
    from shadow.store import regression_reports
    from shadow.store.engine import engine_for

    engine = engine_for(url)
    try:
        if stored is not None:
            async with engine.connect() as connection:
                known = await regression_reports.load(connection, stored)
            if known is None:
                raise click.UsageError(f"--stored: there is no report {stored}")
            return known[1]
        # The scheduler may be down or between two runs: what is asked now is answered with all that is known now.
        await rollup.compute(engine, settings)
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            return await build(connection, _period(settings, week), tiers=settings.tier_names)
    finally:
        await engine.dispose()


def _period(settings: Settings, week: date | None) -> Period:
    from shadow.regressions.building import period_up_to, week_of
    from shadow.store.engine import utc_now

    weekly = settings.alerts.weekly
    if week is not None:
        return week_of(week, weeks_before=weekly.weeks_before)
    return period_up_to(utc_now(), days=weekly.days, weeks_before=weekly.weeks_before)
