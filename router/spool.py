"""Where is an exchange safe before the last byte of its answer leaves?

`SpoolWriter` appends it to a segment on local disk (`router.segments` has the protocol) with a plain `write()` in the event
loop: some 10 microseconds, and it survives the death of the process. A disk can be slow or full, though, and the client
must not notice: after a write that took longer than 5 ms or failed, the spool is *degraded* for 10 seconds. Then writes go
through a bounded queue to a thread, and a request waits 5 ms at most for its own. Degraded ends once 10 seconds have passed
without another slow or failed write.

Counted, by reason: `exchanges_lost_total` (`write_failed`, `queue_full`, `shutdown`) and `exchanges_late_total` (written, but
not confirmed before the answer left).
"""

from __future__ import annotations

import asyncio
import os
import queue
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from router.contracts import Exchange
from router.errors import DataDirNotWritable
from router.feedback import Feedback
from router.segments import SegmentWriter
from router.wire import exchange_to_json, feedback_to_json

SLOW_SECONDS = 0.005
DEGRADED_SECONDS = 10.0
QUEUE_LENGTH = 2000
_TICK_SECONDS = 0.25
_CLOSE_SECONDS = 5.0

_Entry = tuple[bytes, "asyncio.Future[bool]"]


class SpoolWriter:
    """A `Recorder` on local disk. Call `start` and `close` in the event loop that records."""

    def __init__(
        self,
        directory: Path,
        *,
        max_segment_bytes: int = 8 * 1024 * 1024,
        max_segment_age_seconds: float = 2.0,
        fsync: bool = False,
        clock: Callable[[], float] = time.monotonic,
        write: Callable[[int, bytes], int] = os.write,
    ) -> None:
        """Raises: DataDirNotWritable."""
        _check_writable(directory)
        self._lost: Counter[str] = Counter()
        self._late = 0
        self._clock = clock
        self._segments = SegmentWriter(
            directory,
            clock=clock,
            max_bytes=max_segment_bytes,
            max_age_seconds=max_segment_age_seconds,
            fsync=fsync,
            write=write,
        )
        self._clock_degraded_until = 0.0
        self._degraded_reason: str | None = None
        self._lock = threading.Lock()  # held by whoever touches the segments
        self._queue: queue.Queue[_Entry | None] = queue.Queue(QUEUE_LENGTH)
        self._pending = 0  # entries queued or being written; changed in the event loop only
        self._thread: threading.Thread | None = None
        self._ticker: asyncio.Task[None] | None = None

    @property
    def lost(self) -> Mapping[str, int]:
        """reason -> exchanges that no disk has."""
        return self._lost

    @property
    def late(self) -> int:
        """Exchanges that were written after their answer had left."""
        return self._late

    async def start(self) -> None:
        """Begin to finish segments by age."""
        self._ticker = asyncio.create_task(self._tick(), name="spool-rotation")

    async def close(self) -> None:
        """Write what is queued, finish the open segment."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
            self._ticker = None
        if self._thread is not None:
            thread, self._thread = self._thread, None
            # A hanging disk must not hold the shutdown up for ever; the thread is a daemon.
            await asyncio.to_thread(_stop, self._queue, thread)
            await asyncio.sleep(0)  # let the confirmations that the thread posted arrive
            if thread.is_alive():
                self._lost["shutdown"] += self._pending
                return
        with self._lock:
            self._segments.finish()

    def degraded_reason(self) -> str | None:
        """Why exchanges may not be safe right now; None when all is well."""
        return self._degraded_reason if self._is_degraded() else None

    async def record(self, exchange: Exchange) -> bool:
        """Append an exchange. Waits 5 ms at the most once the disk is known to be slow."""
        return await self._append(exchange_to_json(exchange) + b"\n")

    async def record_feedback(self, feedback: Feedback) -> bool:
        """Append a client's word on an answer; otherwise as `record`."""
        return await self._append(feedback_to_json(feedback) + b"\n")

    async def _append(self, line: bytes) -> bool:
        if self._is_degraded() or self._pending or not self._lock.acquire(blocking=False):
            return await self._record_by_thread(line)
        try:
            self._judge(self._write(line))
        except OSError as error:
            self._failed(error)
            return False
        finally:
            self._lock.release()
        return True

    async def _record_by_thread(self, line: bytes) -> bool:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(asyncio.get_running_loop(),), daemon=True)
            self._thread.start()
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((line, written))
        except queue.Full:
            self._lost["queue_full"] += 1
            return False
        self._pending += 1
        done, _ = await asyncio.wait((written,), timeout=SLOW_SECONDS)
        if not done:
            self._late += 1
            return False
        return written.result()

    def _write(self, line: bytes) -> float:
        """Append a line: the seconds that the disk took. Raises: OSError."""
        waits, began = _waits(), self._clock()
        self._segments.append(line)
        took_seconds = self._clock() - began
        # Without a wait in between, it was the processor that was busy elsewhere, and the disk is not to blame.
        return took_seconds if took_seconds <= SLOW_SECONDS or _waits() != waits else 0.0

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """The writer thread: one entry at a time, until None."""
        while (entry := self._queue.get()) is not None:
            line, written = entry
            error: OSError | None = None
            took_seconds = 0.0
            with self._lock:
                try:
                    took_seconds = self._write(line)
                except OSError as raised:
                    error = raised
            loop.call_soon_threadsafe(self._confirm, written, took_seconds, error)

    def _confirm(self, written: asyncio.Future[bool], took_seconds: float, error: OSError | None) -> None:
        self._pending -= 1
        if error is None:
            self._judge(took_seconds)
        else:
            self._failed(error)
        if not written.done():
            written.set_result(error is None)

    def _judge(self, took_seconds: float) -> None:
        if took_seconds > SLOW_SECONDS:
            self._degrade(f"a write took {took_seconds * 1000:.0f} ms")

    def _failed(self, error: OSError) -> None:
        self._lost["write_failed"] += 1
        self._degrade(f"a write failed: {error.strerror or error}")

    def _degrade(self, reason: str) -> None:
        self._degraded_reason = reason
        self._clock_degraded_until = self._clock() + DEGRADED_SECONDS

    def _is_degraded(self) -> bool:
        return self._clock() < self._clock_degraded_until

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            if not self._lock.acquire(blocking=False):
                continue  # the thread is writing, possibly for long
            try:
                self._segments.finish_if_due()
            finally:
                self._lock.release()


def _waits() -> int:
    """How often this thread has waited for something (a disk, say) until now. Cost: half a microsecond."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def _stop(entries: queue.Queue[_Entry | None], thread: threading.Thread) -> None:
    try:
        entries.put(None, timeout=_CLOSE_SECONDS)
    except queue.Full:
        return
    thread.join(_CLOSE_SECONDS)


def _check_writable(directory: Path) -> None:
    probe = directory / f".probe-{os.getpid()}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise DataDirNotWritable(f"the spool directory {directory} cannot be written: {error.strerror}") from error
