"""One role in one process: `python -m shadow.role router|intake|worker|scheduler --config FILE`. The supervisor starts these.

Imports are made per role: the router must load neither the judges nor the store.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

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
        for line in str(exc).splitlines():
            click.echo(f"shadow {role}: {line}", err=True)
        sys.exit(2)


def run_role(role: str, settings: Settings) -> None:
    """Run a role in this process until SIGINT or SIGTERM. Raises: ShadowError for what a person has to put right."""
    if role == "router":
        _run_router(settings)
        return
    from judges.errors import JudgeError
    from router.errors import RouterError

    yield_to_clients(19 if role == "worker" else 5, idle=role == "worker")
    # Two spinning threads collapse when a core is busy; and nothing is ever downloaded at run time.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if role == "scheduler":
        from shadow.preflight import preflight

        preflight(settings, (role,))
    try:
        asyncio.run(runner_of(role)(settings, database_url(settings)))
    except (JudgeError, RouterError) as exc:
        raise ConfigError(str(exc)) from exc
    except ExceptionGroup as group:
        # A task group wraps what stops it; the reader needs the words of the one that gave up.
        refusals = group.subgroup(ShadowError)
        if refusals is None:
            raise
        raise ConfigError(str(_innermost(refusals))) from group


def runner_of(role: str) -> Callable[[Settings, str], Coroutine[Any, Any, None]]:
    """What runs a role beside the router. Imports all that the role loads before it works, and nothing of another role."""
    if role == "worker":
        from shadow.worker import run_worker as runner
    elif role == "intake":
        from shadow.intake.role import run_intake as runner
    elif role == "scheduler":
        from shadow.scheduler import run_scheduler as runner
    else:
        raise ConfigError(f"unknown role {role!r}; known are {', '.join(ROLES)}")
    return runner


def _innermost(error: BaseException) -> BaseException:
    """The first error in a group of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


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
