"""One role in one process: `python -m shadow.role router|intake|worker|scheduler --config FILE`. The supervisor starts these.

Imports are made per role: the router must load neither the judges nor the store.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from shadow.errors import ConfigError, ShadowError
from shadow.logs import configure_logs
from shadow.process import die_with_parent, yield_to_clients
from shadow.settings import Settings, load

ROLES = ("router", "intake", "worker", "scheduler")


@click.command()
@click.argument("role", type=click.Choice(ROLES))
@click.option("--config", type=click.Path(path_type=Path), required=True)
@click.option("--keep-on", is_flag=True, help="Do not stop when the parent process dies.")
def main(role: str, config: Path, *, keep_on: bool) -> None:
    """Run one role until it is told to stop."""
    if not keep_on:
        die_with_parent()
    configure_logs(role)
    try:
        run_role(role, load(config))
    except ShadowError as exc:
        click.echo(f"shadow {role}: {exc}", err=True)
        sys.exit(2)


def run_role(role: str, settings: Settings) -> None:
    """Run a role in this process until SIGINT or SIGTERM. Raises: ShadowError for what a person has to put right."""
    if role == "router":
        _run_router(settings)
        return
    yield_to_clients(19 if role == "worker" else 5)
    if role == "worker":
        # Two spinning threads collapse when a core is busy; and nothing is ever downloaded at run time.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from shadow.worker import run_worker as runner
    elif role == "intake":
        from shadow.intake.role import run_intake as runner
    else:
        from shadow.scheduler import run_scheduler as runner
    asyncio.run(runner(settings, database_url(settings)))


def _run_router(settings: Settings) -> None:
    from router.errors import RouterError
    from router.serve import run

    try:
        run(settings, settings.directory)
    except RouterError as exc:
        raise ConfigError(str(exc)) from exc


def database_url(settings: Settings) -> str:
    """Where the store is: as configured, else the embedded server that runs on the data directory.

    Raises: ConfigError if there is neither.
    """
    if settings.database.url:
        return settings.database.url
    from shadow.store.embedded import attach

    url = attach(settings.directory)
    if url is None:
        raise ConfigError(
            "database.url is not set and no embedded PostgreSQL runs on the data directory: "
            "set it, or start `shadow up`, which runs one"
        )
    return url


if __name__ == "__main__":
    main()
