"""`shadow report`: what each tier is worth, from the roll-ups, with an interval next to every figure."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shadow.cli.database import store_url
from shadow.cli.options import config_option, json_option, report_console
from shadow.money.findings import Findings
from shadow.reports.window import Report, build_report
from shadow.settings import Settings, load

if TYPE_CHECKING:
    from shadow.going_live.certificates import GoingLive
    from shadow.store.alerts import Alert


@click.command()
@config_option
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="Window; default: rollup.window_days.")
@json_option
def report(config: Path, days: float | None, *, as_json: bool) -> None:
    """Accuracy raw and corrected, coverage, escalation rate, cost per success, savings, shadow spend; alerts, findings. After
    mode observe also which query types may go live, with which thresholds, and what is missing.
    """
    from shadow.alerting.text import alert_json, alert_lines
    from shadow.going_live.text import going_live_json, going_live_lines
    from shadow.money.findings import findings_json
    from shadow.money.findings_text import render_findings
    from shadow.reports.as_json import report_json
    from shadow.reports.text import render

    settings = load(config)
    with store_url(settings) as url:
        found, findings, alerts, ready = asyncio.run(_build(settings, url, days or settings.rollup.window_days))
    if as_json:
        going = None if ready is None else going_live_json(ready)
        more = {
            "going_live": going,
            "findings": findings_json(findings),
            "alerts": [alert_json(alert) for alert in alerts],
        }
        click.echo(json.dumps({**report_json(found), **more}))
    else:
        for line in alert_lines(alerts):
            click.echo(line)
        report_console().print(render(found))
        for line in going_live_lines(ready) if ready is not None else ():
            click.echo(line)
        report_console().print(render_findings(findings))


async def _build(settings: Settings, url: str, days: float) -> tuple[Report, Findings, list[Alert], GoingLive | None]:
    from shadow import rollup
    from shadow.going_live.reading import load_going_live
    from shadow.money.findings import load_findings
    from shadow.money.price_log import log_prices
    from shadow.store.alerts import last_alerts
    from shadow.store.engine import engine_for, utc_now

    engine = engine_for(url)
    try:
        # The scheduler may be down or between two runs: what is asked now is answered with all that is known now.
        await rollup.compute(engine, settings)
        await log_prices(engine, settings)
        now = utc_now()
        found = await build_report(engine, tiers=settings.tier_names, since=now - timedelta(days=days), until=now)
        async with engine.connect() as connection:
            alerts = await last_alerts(connection, is_open=True)
            ready = None if found.observed is None else await load_going_live(connection, settings)
        return found, await load_findings(engine, settings, days=days, now=now), alerts, ready
    finally:
        await engine.dispose()
