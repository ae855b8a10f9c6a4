"""How does a role of ours behave as a process? It yields to client traffic, dies with its parent, and stops when asked."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import platform
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

log = structlog.get_logger()

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.5


def yield_to_clients(niceness: int = 19, *, idle: bool = False) -> None:
    """Give the processor to client traffic first: at least this nice. Lowering one's own priority is always allowed.

    idle: run only while nobody else wants the processor. A merely nice process, once it runs, keeps it for a slice of some 3 ms
    even if a client's request has come in; an idle one leaves at once. For work that can wait for any length of time.
    """
    niceness = max(niceness, os.getpriority(os.PRIO_PROCESS, 0))  # raising it is not
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):  # not every container lets a process choose; niceness is what counts
            os.sched_setscheduler(0, os.SCHED_IDLE if idle else os.SCHED_BATCH, os.sched_param(0))
    if os.getsid(0) == os.getpid():
        # Linux may share the processor between sessions first, and by a niceness that belongs to the session.
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(niceness))


def die_with_parent() -> None:
    """End this process when its parent ends, even by SIGKILL. Call it first of all in the child.

    On Linux the kernel sends SIGTERM, when the *thread* that started us ends: start children from the main thread.
    Elsewhere a watching thread looks after the parent twice a second.
    """
    parent = os.getppid()
    if platform.system() == "Linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the signal was arranged
            os.kill(os.getpid(), signal.SIGTERM)
        return
    threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def stop_event() -> asyncio.Event:
    """An event that SIGINT or SIGTERM sets. Call it on the running loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def keep_running(
    name: str,
    work: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
    *,
    first_wait_seconds: float = 0.2,
    longest_wait_seconds: float = 5.0,
) -> None:
    """Run `work` until `stop` is set; when it fails (a database restart, say) wait and run it again, doubling the wait.

    `work` is expected to run for long; if it returns, it is run again after the first wait.
    """
    wait = first_wait_seconds
    while not stop.is_set():
        try:
            await until(stop, work())
            wait = first_wait_seconds
        except Exception as exc:  # noqa: BLE001 - a role outlives whatever its database or provider does; it is logged
            log.warning("work.failed", work=name, error=type(exc).__name__, detail=_first_line(exc), retry_seconds=wait)
            await pause(stop, wait)
            wait = min(wait * 2, longest_wait_seconds)
        else:
            await pause(stop, wait)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but no longer than until `stop` is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def until(stop: asyncio.Event, work: Awaitable[None]) -> None:
    """Run `work`, and cancel it when `stop` is set."""
    task = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=10)
    if task.done() and not task.cancelled():
        task.result()


def _first_line(exc: BaseException) -> str:
    return (str(exc).splitlines() or [""])[0][:200]
