"""How does a router process start, and how does it stop?"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from router.app import RouterApp, create_app
from router.errors import PortTaken, StartFailed
from router.policy_file import FilePolicySource
from router.settings import RouterSettings
from router.spool import SpoolWriter

DRAIN_SECONDS = 30
# Longer than the pools of usual clients keep a connection, so that it is never us who closes under a request.
KEEP_ALIVE_SECONDS = 75
_BACKLOG = 2048
# Requests leave hardly any cycles behind, so looking for them every 700 allocations is wasted time.
_GC_THRESHOLDS = (20_000, 20, 20)


def spool_directory(data_dir: Path) -> Path:
    """Where the router of a data directory writes its exchanges, and the shipper reads them."""
    return data_dir / "spool"


def policy_path(data_dir: Path) -> Path:
    """Where the shadow side puts the thresholds in force, for the router to read."""
    return data_dir / "policy.json"


def run(
    settings: RouterSettings, data_dir: Path, *, environ: Mapping[str, str] = os.environ, fsync: bool = False
) -> None:
    """Serve until SIGINT or SIGTERM, then let running requests end (for 30 seconds at most) and return.

    Raises: ConfigInvalid or StartFailed (PortTaken, DataDirNotWritable), before anything listens. The message is for the
    operator; exit code 2.
    """
    _log_to_stderr()
    app = build(settings, data_dir, environ=environ, fsync=fsync)
    listener = bind(settings.server.host, settings.server.port)
    server = _Server(server_config(app))
    host, port = listener.getsockname()[:2]
    structlog.get_logger("router.serve").info("router.listening", host=host, port=port, tiers=len(settings.tiers))
    # What was loaded until now lives for ever: keep the collector from looking through it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    with contextlib.closing(listener):
        server.run(sockets=[listener])
    if not server.started:
        raise StartFailed("the router could not start; the log says why")


def server_config(app: Any) -> uvicorn.Config:
    """How the server runs: the fastest event loop and parser, nothing that is not needed."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def build(
    settings: RouterSettings, data_dir: Path, *, environ: Mapping[str, str] = os.environ, fsync: bool = False
) -> RouterApp:
    """The application with its spool and its policy file, not yet listening. Raises: as `run`."""
    spool = SpoolWriter(spool_directory(data_dir), fsync=fsync)
    policy = FilePolicySource(
        policy_path(data_dir),
        tiers=[tier.name for tier in settings.tiers],
        thresholds=settings.routing.thresholds,
        band=settings.routing.band,
    )
    return create_app(
        settings, policy=policy, recorder=spool, environ=environ, spool=spool, feedback=spool, resources=(spool, policy)
    )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises: PortTaken, StartFailed."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"{message}; set server.port to another one") from error
        raise StartFailed(message) from error
    return listener


class _Server(uvicorn.Server):
    """Stops on a signal without raising it again, so that the process can end in an orderly way with exit code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        # The second signal means it: do not wait for running requests.
        self.force_exit = self.should_exit
        self.should_exit = True


def _log_to_stderr() -> None:
    """One JSON object a line. Ids and counts, never the text of a message."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
