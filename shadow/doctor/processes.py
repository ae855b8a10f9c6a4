"""Which processes of ours run with this configuration?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROLES = ("router", "intake", "worker", "scheduler")
_DIRECT = ("worker", "scheduler")  # `shadow worker` is the role itself; `shadow router` supervises
_DEFAULT = "shadow.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A role's process, or "supervisor" for the one that looks after them."""

    role: str
    process: psutil.Process

    def listens_on(self, port: int) -> bool:
        """Whether it is this process that holds the port; False where the system does not tell us."""
        try:
            connections = self.process.net_connections(kind="tcp")
        except psutil.Error:
            return False
        return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)


def running_roles(config: Path) -> list[Running]:
    """Processes on this machine that run a role with this configuration file, and who supervises them."""
    wanted = config.absolute().resolve()
    found = [running for running in _all_roles() if _config_of(running.process) == wanted]
    supervisors: dict[int, psutil.Process] = {}
    for running in found:
        parent = _parent(running.process)
        if parent is not None and _is_ours(_command(parent)):
            supervisors[parent.pid] = parent
    return [*found, *(Running(role="supervisor", process=process) for process in supervisors.values())]


def role_of(command: Sequence[str]) -> str | None:
    """The role that a command line runs, None if it runs none."""
    for position, word in enumerate(command[:-1]):
        after = command[position + 1]
        if word == "shadow.role" and after in ROLES:
            return after
        if (word == "shadow.cli.main" or Path(word).name == "shadow") and after in _DIRECT:
            return after
    return None


def _is_ours(command: Sequence[str]) -> bool:
    return any(word == "shadow.cli.main" or Path(word).name == "shadow" for word in command[:4])


def _all_roles() -> Iterator[Running]:
    for process in psutil.process_iter():
        role = role_of(_command(process))
        if role is not None:
            yield Running(role=role, process=process)


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:  # gone, or of somebody who does not let us look
        return []


def _parent(process: psutil.Process) -> psutil.Process | None:
    try:
        return process.parent()
    except psutil.Error:
        return None


def _config_of(process: psutil.Process) -> Path | None:
    try:
        command, directory = process.cmdline(), Path(process.cwd())
        given = _option(command) or process.environ().get("SHADOW_CONFIG") or _DEFAULT
    except psutil.Error:
        return None
    return (directory / given).resolve()


def _option(command: Sequence[str]) -> str | None:
    for position, word in enumerate(command):
        if word == "--config" and position + 1 < len(command):
            return command[position + 1]
        if word.startswith("--config="):
            return word.partition("=")[2]
    return None
