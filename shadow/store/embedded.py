"""Is there a PostgreSQL when nobody gave us one?

`EmbeddedPostgres(data_dir)` keeps a real server in `<data_dir>/postgres`: created on first use, reached over a Unix
socket only, stopped with the process that started it, even when that process is killed. Children and other commands
join a running one by `attach`.

    <data_dir>/postgres/cluster      what initdb made
                       /lock         held (flock) by the process that started the server
                       /url          the URL, there while the server runs
                       /log          what the server says
                       /.s.PGSQL.*   the socket, unless the path is too long for one
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from shadow.errors import DataDirectoryError, StoreError
from shadow.store.pg_account import PgAccount, choose_account
from shadow.store.pg_binaries import PgBinaries, find_binaries
from shadow.store.pg_process import is_ready, server_pid, spawn_tied
from shadow.store.pg_socket import PORT, choose_socket_dir, socket_url

_BUILTIN_LOCALE_SINCE = 17
_POLL_SECONDS = 0.01
_DYING_SECONDS = 60.0

#: A small sidecar beside client traffic: little memory, no parallel queries, nothing on a network.
SETTINGS: dict[str, str] = {
    "listen_addresses": "",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "synchronous_commit": "on",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
    # Details and statements of errors would carry what clients wrote into a log file.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
#: For tests only: twice the inserts, and a lost cluster when the machine (not the process) crashes.
NOT_DURABLE: dict[str, str] = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class EmbeddedPostgres:
    """A PostgreSQL server that lives as long as this process, with its data in a directory.

    Start it from the main thread: the server is told to stop when the *thread* that started it is gone.

    data_dir: made if missing. niceness: 0 to 19, so that client traffic wins the CPU. durable: False turns fsync off,
    for tests. settings: further server settings, winning over ours.
    Cost: 0.5 s and about 40 MB of disk on first use, 0.05 s later; longer after a crash, while the log is replayed.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        niceness: int = 5,
        durable: bool = True,
        settings: dict[str, str] | None = None,
        start_timeout_seconds: float = 120.0,
    ) -> None:
        self._home = _home(data_dir)
        self._cluster = self._home / "cluster"
        self._niceness = niceness
        self._durable = durable
        self._settings = {**SETTINGS, **({} if durable else NOT_DURABLE), **(settings or {})}
        self._start_timeout_seconds = start_timeout_seconds
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_dir: Path | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """The SQLAlchemy URL (`postgresql+psycopg://…`) of the running server. Raises: StoreError when none is."""
        if self._url is None:
            raise StoreError(f"the embedded PostgreSQL in {self._home} is not running: call start() first")
        return self._url

    @property
    def pid(self) -> int | None:
        """Process id of the server, None when it is not running."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the server's process runs. After a crash of it: stop(), then start()."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Create the cluster if needed, start the server and wait until it accepts connections.

        Raises: DataDirectoryError when the directory can't be used. StoreError when there are no binaries, when not
        called from the main thread, or when the server does not come up; the message then ends with its last words.
        """
        if self._process is not None:
            return self
        if not sys.platform.startswith("linux"):
            raise StoreError("the embedded PostgreSQL runs on Linux only: set database.url to a PostgreSQL server")
        if threading.current_thread() is not threading.main_thread():
            raise StoreError(
                "start the embedded PostgreSQL from the main thread: it stops with the thread that started it"
            )
        try:
            with _directory_errors(self._home):
                self._take_lock()
                binaries = self._binaries()
                account = choose_account(binaries, self._home)
                account.take_over(self._home)
                self._await_predecessor()
                self._create_cluster(binaries, account)
                self._socket_dir = choose_socket_dir(self._home, account)
                self._launch(binaries, account, self._socket_dir)
                self._await_ready()
                self._url = socket_url(self._socket_dir)
                _publish(self._home / "url", self._url, account)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server cleanly and give the directory free. Safe to call twice."""
        self._url = None
        if self._process is not None:
            (self._home / "url").unlink(missing_ok=True)
            for how, patience_seconds in ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                self._process.send_signal(how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(patience_seconds)
                    break
            self._process = None
        if self._socket_dir not in {None, self._home}:
            with contextlib.suppress(
                OSError
            ):  # not empty after a server that had to be killed; the next start reuses it
                self._socket_dir.rmdir()
        self._socket_dir = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take_lock(self) -> None:
        if self._home.parent.exists() and not self._home.parent.is_dir():
            raise DataDirectoryError(f"{self._home.parent} is not a directory: choose another data_dir")
        # As root, others need to pass through, and no more, so that the server's own user reaches its directory.
        self._home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        lock = os.fdopen(descriptor, "r+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise DataDirectoryError(
                f"{self._home} is in use by process {owner}: stop that one, or choose another data_dir"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _binaries(self) -> PgBinaries:
        try:
            major = int((self._cluster / "PG_VERSION").read_text().strip())
        except FileNotFoundError:
            return find_binaries()
        except ValueError:
            raise DataDirectoryError(f"{self._cluster} is damaged (PG_VERSION is no number): move it away") from None
        try:
            return find_binaries(major=major)
        except StoreError as error:
            raise DataDirectoryError(
                f"{self._cluster} holds data of PostgreSQL {major}, and {error}, or move it away"
            ) from error

    def _await_predecessor(self) -> None:
        """A server whose parent was killed needs a moment to shut down. Nobody else starts one: we hold the lock."""
        deadline = time.monotonic() + _DYING_SECONDS
        while (pid := server_pid(self._cluster)) is not None:
            if time.monotonic() > deadline:
                raise DataDirectoryError(f"process {pid} still serves {self._cluster}: stop it (kill -INT {pid})")
            time.sleep(_POLL_SECONDS)

    def _create_cluster(self, binaries: PgBinaries, account: PgAccount) -> None:
        if (self._cluster / "PG_VERSION").exists():
            self._cluster.chmod(0o700)
            account.take_over(self._cluster)
            return
        # Under another name until complete, so that being killed halfway leaves nothing that looks like a cluster.
        unfinished = self._home / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        if binaries.major >= _BUILTIN_LOCALE_SINCE:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        else:
            locale = ["--no-locale"]
        command = [binaries.initdb, "-D", str(unfinished), "-U", "postgres", "-A", "trust", "-E", "UTF8", *locale]
        if not self._durable:
            command.append("--no-sync")
        if self._spawn(command, account).wait() != 0:
            raise StoreError(f"initdb could not create {self._cluster}: {self._last_words()}")
        unfinished.rename(self._cluster)

    def _launch(self, binaries: PgBinaries, account: PgAccount, socket_dir: Path) -> None:
        settings = {**self._settings, "unix_socket_directories": str(socket_dir), "port": PORT}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = self._spawn([binaries.postgres, "-D", str(self._cluster), *options], account)

    def _await_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + self._start_timeout_seconds
        while not is_ready(self._cluster, self._process.pid):
            if self._process.poll() is not None:
                raise StoreError(f"PostgreSQL in {self._home} did not start: {self._last_words()}")
            if time.monotonic() > deadline:
                waited = f"{self._start_timeout_seconds:g} s"
                raise StoreError(f"PostgreSQL in {self._home} was not ready within {waited}: {self._last_words()}")
            time.sleep(_POLL_SECONDS)

    def _spawn(self, command: list[str], account: PgAccount) -> subprocess.Popen[bytes]:
        return spawn_tied(command, account, log=self._home / "log", niceness=self._niceness)

    def _last_words(self) -> str:
        lines = (self._home / "log").read_text(errors="replace").splitlines()
        telling = [line for line in lines if "FATAL" in line or "error:" in line or "HINT" in line]
        return " / ".join((telling or lines)[-2:]) or "no output"


def attach(data_dir: Path | str) -> str | None:
    """The URL of the server that another process runs on this data directory, None when none is running.

    Raises: DataDirectoryError when the directory may not be read.
    """
    home = _home(data_dir)
    with _directory_errors(home):
        try:
            url = (home / "url").read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        pid = server_pid(home / "cluster")
        return url if pid is not None and is_ready(home / "cluster", pid) else None


@contextlib.contextmanager
def attached_or_started(data_dir: Path | str) -> Iterator[str]:
    """The URL of the server on this data directory: the running one, else one started for the length of the block."""
    url = attach(data_dir)
    if url is not None:
        yield url
        return
    with EmbeddedPostgres(data_dir) as server:
        yield server.url


def _home(data_dir: Path | str) -> Path:
    return Path(data_dir).expanduser().absolute() / "postgres"


def _publish(path: Path, text: str, account: PgAccount) -> None:
    """Write whole or not at all: readers come at any time."""
    unfinished = path.with_suffix(".new")
    unfinished.write_text(text)
    unfinished.chmod(0o600)
    account.take_over(unfinished)
    unfinished.replace(path)


@contextlib.contextmanager
def _directory_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise DataDirectoryError(f"{error.filename or home} is not a directory: choose another data_dir") from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise DataDirectoryError(f"cannot use the data directory {home} ({why}): choose a writable data_dir") from error
