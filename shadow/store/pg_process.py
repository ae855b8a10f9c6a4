"""How is a PostgreSQL program started so that it never outlives us, and how do we see that it serves?

The kernel sends a tied child SIGINT, PostgreSQL's fast and clean shutdown, when the thread that started it is gone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from shadow.store.pg_account import PgAccount

_PR_SET_PDEATHSIG = 1
_LOG_BYTES_KEPT = 10_000_000
_READY_LINE = 7


def spawn_tied(command: list[str], account: PgAccount, *, log: Path, niceness: int) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL's as the account, tied to this thread's life. Its words go to the log file."""
    keep = log.exists() and log.stat().st_size < _LOG_BYTES_KEPT
    with log.open("ab" if keep else "wb") as output:
        log.chmod(0o600)
        account.take_over(log)
        return subprocess.Popen(  # noqa: S603 - programs that we found ourselves
            [*account.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_clean_environment(),
            start_new_session=True,  # Ctrl-C is for the parent, which then stops the server in order
            user=account.uid if account.drops else None,
            group=account.gid if account.drops else None,
            extra_groups=[] if account.drops else None,
            preexec_fn=_tie_to_parent(niceness),  # noqa: PLW1509 - only a main thread gets here
        )


def server_pid(cluster: Path) -> int | None:
    """The live server of this cluster. A stale pid file, its number taken by some other program, does not count."""
    lines = _pid_file(cluster)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return pid if os.fsencode(cluster) in command else None


def is_ready(cluster: Path, pid: int) -> bool:
    """Whether this very server accepts connections, by its own pid file."""
    lines = _pid_file(cluster)
    return len(lines) > _READY_LINE and lines[0].strip() == str(pid) and lines[_READY_LINE].strip() == "ready"


def _pid_file(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _tie_to_parent(niceness: int) -> Callable[[], None]:
    """What the child does before it becomes the program. After the change of user, which would undo the tie."""
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        os.nice(niceness)
        if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(1)

    return prepare


def _clean_environment() -> dict[str, str]:
    """No PG* variable of the caller's may reach the server."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}
