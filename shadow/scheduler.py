"""The scheduler role: the leader runs the jobs of `shadow.jobs`; every scheduler serves the console and the control API."""

from __future__ import annotations

import asyncio

import uvicorn

from shadow.console.app import create_console
from shadow.errors import ConfigError
from shadow.leader import lead
from shadow.process import keep_running, stop_event
from shadow.settings import Settings
from shadow.store import tokens
from shadow.store.engine import AsyncEngine, engine_for, utc_now


async def run_scheduler(settings: Settings, database_url: str) -> None:
    """Serve until SIGINT or SIGTERM. Raises: ConfigError if the control port is taken, or nobody could log in."""
    stop = stop_event()
    engine = engine_for(database_url)
    await open_or_guarded(engine, settings)
    server = _console_server(settings, engine)
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_running("leader", lambda: lead(engine, settings), stop))
        serving = group.create_task(_serve(server, settings))
        await stop.wait()
        server.should_exit = True
        await serving
    await engine.dispose()


def _console_server(settings: Settings, engine: AsyncEngine) -> uvicorn.Server:
    class Server(uvicorn.Server):
        def install_signal_handlers(self) -> None:
            """Signals are handled by the role."""

    config = uvicorn.Config(
        create_console(settings, engine),
        host=settings.server.host,
        port=settings.server.control_port,
        log_config=None,
        access_log=False,
        lifespan="off",
    )
    return Server(config)


async def open_or_guarded(engine: AsyncEngine, settings: Settings) -> None:
    """Tell the store whether tokens are asked for. Raises: ConfigError where they are, and no admin has one."""
    now = utc_now()
    async with engine.begin() as connection:
        if settings.asks_for_tokens and not await tokens.any_admin(connection, now=now):
            why = (
                "auth.required is set"
                if settings.auth.required
                else f"{settings.server.host} is reachable from other machines"
            )
            raise ConfigError(
                f"server.host: {why}, and no admin has a token yet: run `shadow token create --name NAME --role admin`"
                + ("" if settings.auth.required else ", or listen on 127.0.0.1")
            )
        await tokens.declare(connection, required=settings.asks_for_tokens, now=now)


async def _serve(server: uvicorn.Server, settings: Settings) -> None:
    try:
        await server.serve()
    except SystemExit:  # how uvicorn reports that it can't bind
        address = f"{settings.server.host}:{settings.server.control_port}"
        raise ConfigError(
            f"server.control_port: {address} is taken; choose another port or stop what listens there"
        ) from None
