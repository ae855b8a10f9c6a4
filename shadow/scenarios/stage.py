"""What do all scenarios stand on? Providers, a webhook, the product's own processes, and people with tokens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from shadow.access.audit_heads import verify_noted
from shadow.access.audit_text import verified_json
from shadow.access.identity import Role
from shadow.demo.files import fresh_directory
from shadow.errors import ConfigError, StoreError
from shadow.lab.config import demo_yaml
from shadow.lab.processes import start_child
from shadow.scenarios.webhook import Webhook
from shadow.settings import Settings, load
from shadow.store import migrate, tokens
from shadow.store.engine import AsyncEngine, engine_for, utc_now
from shadow.supervisor import Supervisor

T = TypeVar("T")
Show = Callable[[str], None]
#: Who takes part. The one who proposes may approve, too: just not what she proposed herself.
PEOPLE: Mapping[str, Role] = {"root": "admin", "mira": "approver", "noa": "approver"}
POLL_SECONDS, MIGRATED_SECONDS = 0.5, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which scenario, where. seed: of the world, the traffic and the draws."""

    scenario: str
    seed: int
    port: int
    control_port: int
    directory: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The running product. tokens: name -> token of `PEOPLE`. start: starts roles by name."""

    plan: Plan
    settings: Settings
    config: Path
    engine: AsyncEngine
    webhook: Webhook
    provider_url: str
    show: Show
    stop: asyncio.Event
    tokens: Mapping[str, str] = field(repr=False)
    start: Callable[..., Awaitable[None]]

    @property
    def router_url(self) -> str:
        return f"http://{self.settings.server.host}:{self.settings.server.port}/v1"

    @property
    def console_url(self) -> str:
        return f"http://{self.settings.server.host}:{self.settings.server.control_port}"

    async def command(self, who: str, *words: str) -> tuple[int, dict[str, Any], str]:
        """Run `shadow ... --json` as one of them: (exit code, what it printed, its first line on stderr)."""
        environ = {**os.environ, "SHADOW_TOKEN": self.tokens[who], "SHADOW_CONFIG": str(self.config)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "shadow.cli.main",
            *words,
            "--json",
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complaint = await process.communicate()
        first = complaint.decode().strip().splitlines()[:1]
        return process.returncode or 0, json.loads(said) if said.strip() else {}, first[0] if first else ""

    async def must(self, who: str, *words: str) -> dict[str, Any]:
        """As `command`. Raises: StoreError where it is refused."""
        code, said, complaint = await self.command(who, *words)
        if code != 0:
            raise StoreError(f"`shadow {' '.join(words[:2])}` as {who}: {complaint}")
        return said

    async def until(self, look: Callable[[], Awaitable[T | None]], *, seconds: float) -> T | None:
        """What `look` finds, asked again and again; None where it has not by then, or somebody wants an end."""
        deadline = time.monotonic() + seconds
        while not self.stop.is_set():
            found = await look()
            if found is not None or time.monotonic() >= deadline:
                return found
            await asyncio.sleep(POLL_SECONDS)
        return None

    async def message(self, *words: str, seconds: float = 30.0) -> dict[str, Any] | None:
        """The message that tells of it."""

        async def look() -> dict[str, Any] | None:
            return self.webhook.mentioning(*words)

        return await self.until(look, seconds=seconds)

    async def audit(self) -> dict[str, Any]:
        """What verifying the chain of decisions says."""
        async with self.engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            found = await verify_noted(connection, self.settings)
        return verified_json(found, heads=0)


@contextlib.asynccontextmanager
async def on_stage(
    plan: Plan,
    stop: asyncio.Event,
    show: Show,
    configure: Callable[[str, str, Path], dict[str, Any]],
    *,
    provider: Sequence[str] = (),
) -> AsyncIterator[Stage]:
    """Start PostgreSQL, router and intake; other roles when the scenario wants them.

    configure: (provider's URL, webhook's, data directory) -> the configuration. Raises: ShadowError where something can't start.
    """
    async with contextlib.AsyncExitStack() as stack:
        directory = fresh_directory(plan.directory)
        show(f"data and logs are kept in {directory}")
        webhook = stack.enter_context(Webhook())
        providers = start_child(["shadow.lab.provider", "--seed", str(plan.seed), *provider])
        stack.callback(providers.stop)
        config = directory / "shadow.yaml"
        config.write_text(demo_yaml(configure(providers.base_url, webhook.address, directory)), encoding="utf-8")
        settings = load(config, environ={})
        show("starting the embedded PostgreSQL, the router and the intake")
        logs = directory / "logs"
        base = await stack.enter_async_context(Supervisor(settings, config, roles=("router", "intake"), log_dir=logs))
        engine = engine_for(base.database_url)
        stack.push_async_callback(engine.dispose)
        await _migrated(base.database_url)
        known = await _tokens(engine)

        async def start(*roles: str) -> None:
            show(f"starting the {' and the '.join(roles)}")
            await stack.enter_async_context(
                Supervisor(settings, config, roles=roles, database_url=base.database_url, log_dir=logs)
            )

        yield Stage(
            plan=plan,
            settings=settings,
            config=config,
            engine=engine,
            webhook=webhook,
            provider_url=providers.base_url.removesuffix("/v1"),
            show=show,
            stop=stop,
            tokens=known,
            start=start,
        )


async def _migrated(url: str) -> None:
    """Wait for the supervisor's migrations: beside a router alone they run in the background. Raises: StoreError."""
    deadline = time.monotonic() + MIGRATED_SECONDS
    while await asyncio.to_thread(migrate.current, url) != migrate.head():
        if time.monotonic() >= deadline:
            raise StoreError(f"the schema was not there within {MIGRATED_SECONDS:g} s; see the logs")
        await asyncio.sleep(POLL_SECONDS)


async def _tokens(engine: AsyncEngine) -> dict[str, str]:
    now, found = utc_now(), {}
    async with engine.begin() as connection:
        for name, role in PEOPLE.items():
            _, found[name] = await tokens.create(
                connection, name=name, role=role, by="shadow demo", expires_at=now + timedelta(days=1), now=now
            )
    return found


def not_stopped(stage: Stage) -> None:
    """Raises: ConfigError where somebody wants an end."""
    if stage.stop.is_set():
        raise ConfigError("stopped before the scenario was over")
