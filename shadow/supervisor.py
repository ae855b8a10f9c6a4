"""How do the roles live together on one machine? One supervisor, a child process per role, one command, one Ctrl-C.

The supervisor starts the embedded PostgreSQL (unless a database is configured), migrates, starts the roles, and starts again
what dies: a role that was killed, or the database. A role that refuses its configuration (exit code 2) ends everything, with
its own words.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import structlog

from shadow.errors import ConfigError, StoreError
from shadow.preflight import preflight
from shadow.process import pause
from shadow.settings import Settings
from shadow.store import migrate
from shadow.store.embedded import EmbeddedPostgres

log = structlog.get_logger()

#: Roles that are of no use before the store has its schema.
NEED_A_SCHEMA = {"worker", "scheduler"}
READY_SECONDS = 60.0
STOP_SECONDS = 15.0
HEALTHY_SECONDS = 2.0


@dataclass(slots=True)
class Child:
    """A role's process. last_words: its latest lines on stderr, for when it fails."""

    role: str
    process: asyncio.subprocess.Process | None = None
    early_deaths: int = 0  # in a row
    last_words: deque[str] = field(default_factory=lambda: deque(maxlen=20))


class Supervisor:
    """Runs roles until told to stop. Use as an async context manager from the main thread."""

    def __init__(
        self,
        settings: Settings,
        config: Path,
        *,
        roles: Sequence[str],
        database_url: str | None = None,
        log_dir: Path | None = None,
    ) -> None:
        """database_url: None starts the embedded PostgreSQL on the data directory, stops it at the end, and migrates.

        log_dir: where the roles' logs go, a file each; None: to this process's stderr.
        """
        self._settings = settings
        self._config = config
        self._log_dir = log_dir
        self._children = [Child(role) for role in roles]
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: ConfigError | None = None
        self._database_url = database_url
        self._postgres = EmbeddedPostgres(settings.directory) if database_url is None else None

    @property
    def database_url(self) -> str:
        """Where the store is, once started."""
        if self._database_url is None:
            raise StoreError("the database has not been started yet")
        return self._database_url

    def pid(self, role: str) -> int | None:
        """Process id of a role, None while it is down."""
        process = next(child.process for child in self._children if child.role == role)
        return process.pid if process is not None and process.returncode is None else None

    async def __aenter__(self) -> Supervisor:
        """Start everything and wait until it can serve. Raises: ConfigError, StoreError with what a role or the database said."""
        preflight(self._settings, [child.role for child in self._children])
        try:
            if self._postgres is not None:
                self._database_url = self._postgres.start().url
            if any(child.role in NEED_A_SCHEMA for child in self._children):
                await asyncio.to_thread(migrate.upgrade, self.database_url)
            else:
                self._tasks.append(asyncio.create_task(self._migrate_if_reachable()))
            for child in self._children:
                self._tasks.append(asyncio.create_task(self._look_after(child)))
            if self._postgres is not None:
                self._tasks.append(asyncio.create_task(self._look_after_postgres(self._postgres)))
            await self._await_ready()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def wait(self, stop: asyncio.Event) -> None:
        """Until `stop` is set or a role refuses to run. Raises: ConfigError in the latter case."""
        while not stop.is_set() and self._failure is None:
            await pause(stop, 0.2)
        if self._failure is not None:
            raise self._failure

    async def stop(self) -> None:
        """Stop the roles, router first so that its last exchanges are shipped, then the database."""
        self._stop.set()
        order = {"router": 0, "worker": 1, "scheduler": 1, "intake": 2}
        for rank in sorted({order.get(child.role, 1) for child in self._children}):
            ranked = [child for child in self._children if order.get(child.role, 1) == rank]
            await asyncio.gather(*(_terminate(child.process) for child in ranked))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._postgres is not None:
            self._postgres.stop()

    async def _migrate_if_reachable(self) -> None:
        """A router beside a database that is down must serve: its spool keeps what the intake ships later."""
        try:
            await asyncio.to_thread(migrate.upgrade, self.database_url)
        except StoreError as exc:
            log.warning("database.down", detail=str(exc))

    async def _look_after(self, child: Child) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            await self._run(child)
            code = child.process.returncode if child.process else None
            if self._stop.is_set():
                return
            if code == 2 and self._failure is None:
                words = [line for line in child.last_words if line.startswith("shadow ")] or list(child.last_words)[-3:]
                self._failure = ConfigError("\n".join(words))
                return
            # At once after a healthy life, with growing patience for one that dies at every start.
            child.early_deaths = 0 if time.monotonic() - began > HEALTHY_SECONDS else child.early_deaths + 1
            log.warning("role.died", role=child.role, exit_code=code, early_deaths=child.early_deaths)
            await pause(self._stop, min(0.05 + 0.2 * child.early_deaths, 2.0))

    async def _run(self, child: Child) -> None:
        environment = dict(os.environ)
        if child.role != "router":
            environment["SHADOW__DATABASE__URL"] = self.database_url
        child.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "shadow.role",
            child.role,
            "--config",
            str(self._config),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            # Ctrl-C reaches the supervisor only, which stops the roles in order. A group of their own, and not a session: Linux
            # shares the processor between sessions first, so that niceness means nothing to a process in another one.
            process_group=0,
        )
        await self._relay(child)
        await child.process.wait()

    async def _relay(self, child: Child) -> None:
        if child.process is None or child.process.stderr is None:
            return
        file = (self._log_dir / f"{child.role}.log").open("a") if self._log_dir else None
        with file or contextlib.nullcontext(sys.stderr) as out:
            while line := await _next_line(child.process.stderr):
                text = line.decode(errors="replace").rstrip("\n")
                child.last_words.append(text)
                print(text if file else f"{child.role:9} | {text}", file=out, flush=True)

    async def _look_after_postgres(self, postgres: EmbeddedPostgres) -> None:
        while not self._stop.is_set():
            await pause(self._stop, 0.5)
            if not postgres.alive and not self._stop.is_set():
                log.warning("database.died")
                try:
                    postgres.stop()
                    postgres.start()
                except StoreError as exc:
                    log.warning("database.down", detail=str(exc))
                    await pause(self._stop, 2.0)

    async def _await_ready(self) -> None:
        server = self._settings.server
        addresses = {
            "router": f"http://{server.host}:{server.port}/readyz",
            "scheduler": f"http://{server.host}:{server.control_port}/healthz",
        }
        waiting = {child.role: addresses[child.role] for child in self._children if child.role in addresses}
        deadline = time.monotonic() + READY_SECONDS
        async with httpx.AsyncClient(timeout=1.0, trust_env=False) as client:
            while waiting:
                if self._failure is not None:
                    raise self._failure
                for role, address in list(waiting.items()):
                    with contextlib.suppress(httpx.HTTPError):
                        if (await client.get(address)).status_code == 200 and self.pid(role) is not None:
                            del waiting[role]
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"{', '.join(waiting)} did not become ready within {READY_SECONDS:g} s; see the logs"
                    )
                await pause(self._stop, 0.05)


async def _next_line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # a line longer than the buffer: what follows it is still read
        return b"(a line too long to relay)\n"


async def _terminate(process: asyncio.subprocess.Process | None) -> None:
    if process is None or process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
