"""`shadow up`, `shadow router`, `shadow worker`, `shadow scheduler`: run roles until Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from shadow.cli.options import config_option
from shadow.logs import configure_logs
from shadow.process import stop_event
from shadow.role import database_url, run_role
from shadow.settings import load
from shadow.supervisor import Supervisor

ALL_ROLES = ("router", "intake", "worker", "scheduler")


@click.command()
@config_option
def up(config: Path) -> None:
    """Run the router, its intake, a worker and a scheduler, with the embedded PostgreSQL unless a database is configured."""
    _supervise(config, ALL_ROLES, url=load(config).database.url)


@click.command()
@config_option
def router(config: Path) -> None:
    """Run the inline router and the intake that ships its spool. Needs database.url or a running `shadow up`."""
    _supervise(config, ("router", "intake"), url=database_url(load(config)))


@click.command()
@config_option
def worker(config: Path) -> None:
    """Run one worker in this process."""
    configure_logs("worker")
    run_role("worker", load(config))


@click.command()
@config_option
def scheduler(config: Path) -> None:
    """Run one scheduler with the console in this process."""
    configure_logs("scheduler")
    run_role("scheduler", load(config))


def _supervise(config: Path, roles: Sequence[str], *, url: str | None) -> None:
    configure_logs("supervisor")
    settings = load(config)
    server = settings.server

    async def run() -> None:
        stop = stop_event()
        async with Supervisor(settings, config, roles=roles, database_url=url) as supervisor:
            click.echo(f"router   http://{server.host}:{server.port}/v1", err=True)
            if "scheduler" in roles:
                click.echo(f"console  http://{server.host}:{server.control_port}/", err=True)
            await supervisor.wait(stop)

    asyncio.run(run())
