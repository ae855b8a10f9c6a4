"""Can these roles start here? Asked before anything is started, so that a mistake is one line and leaves nothing behind.

Every role checks for itself as well: what is found here is only found earlier.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from router.auth import KeyRing
from router.errors import ConfigInvalid
from router.pool import build_pool
from router.serve import spool_directory
from shadow.errors import ConfigError, DataDirectoryError
from shadow.settings import Settings


def preflight(settings: Settings, roles: Collection[str], environ: Mapping[str, str] = os.environ) -> None:
    """Check what these roles need of the configuration and of the machine.

    Raises: ConfigError, one line per problem; DataDirectoryError.
    """
    problems: list[str] = []
    if "router" in roles:
        for check in (lambda: KeyRing.of(environ, host=settings.server.host), lambda: build_pool(settings, environ)):
            try:
                check()
            except ConfigInvalid as exc:
                problems += exc.problems
    problems += _port_problems(settings, roles)
    if problems:
        raise ConfigError("\n".join(problems))
    if "router" in roles:
        require_writable(spool_directory(settings.directory))


def ports_of(settings: Settings) -> dict[str, tuple[str, int]]:
    """role -> (key of the configuration, port) of the roles that listen."""
    server = settings.server
    return {"router": ("server.port", server.port), "scheduler": ("server.control_port", server.control_port)}


def port_problem(host: str, port: int) -> str | None:
    """Why nobody can listen there now; None if one can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)  # two sockets with SO_REUSEADDR may be bound to an address, but only one may listen
    except OSError as exc:
        return "is taken" if exc.errno == errno.EADDRINUSE else (exc.strerror or str(exc)).lower()
    return None


def require_writable(directory: Path) -> None:
    """Make the directory if it is missing, and write to it. Raises: DataDirectoryError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"x")
    except OSError as exc:
        why = (exc.strerror or str(exc)).lower()
        raise DataDirectoryError(
            f"cannot use the data directory {directory} ({why}): choose a writable data_dir"
        ) from exc


def _port_problems(settings: Settings, roles: Collection[str]) -> list[str]:
    server, ports = settings.server, ports_of(settings)
    wanted = [ports[role] for role in ports if role in roles]
    if len(wanted) > 1 and server.port == server.control_port:
        return [f"server.port and server.control_port are both {server.port}: choose another one for one of them"]
    return [
        f"{key}: {server.host}:{port} {problem}; choose another port or stop what listens there"
        for key, port in wanted
        if (problem := port_problem(server.host, port)) is not None
    ]
