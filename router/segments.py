"""How do exchanges lie on disk between the router and the shipper?

Protocol, for readers as well:
- A segment is a file of lines, each one exchange as JSON (`router.wire`) ended by LF, appended by one `write()` each.
- Name: `<boot>-<sequence>.open.jsonl` while it is written, `<boot>-<sequence>.jsonl` once it is finished. `<boot>` is a
  UUIDv7 drawn when the writer starts, `<sequence>` eight digits from 00000000: by name is by age.
- The writer holds an exclusive `flock` on an open segment from before it has that name until after it is renamed. So an
  open segment whose lock can be had (LOCK_EX | LOCK_NB) was left behind by a writer that died; it is finished as it is.
- A finished segment never changes again. The reader deletes it once its lines are safely elsewhere; the writer never does.
- Only the last line of a segment may be torn (a crash, a full disk): a line without LF, or one that is not JSON. It belongs
  to an exchange that was never confirmed.
- Files that end in neither suffix (`.new`) are segments being born; they hold nothing, and may be deleted once unlocked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import uuid_utils

OPEN_SUFFIX = ".open.jsonl"
FINISHED_SUFFIX = ".jsonl"


class SegmentWriter:
    """Appends lines to segments. Not for two threads at once. `write` is `os.write` or a test's way to make it fail."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float],
        max_bytes: int,
        max_age_seconds: float,
        fsync: bool,
        write: Callable[[int, bytes], int] = os.write,
    ) -> None:
        self.boot = str(uuid_utils.uuid7())
        self._directory = directory
        self._clock = clock
        self._max_bytes = max_bytes
        self._max_age_seconds = max_age_seconds
        self._fsync = fsync
        self._write = write
        self._sequence = 0
        self._descriptor: int | None = None
        self._path = directory
        self._size = 0
        self._clock_opened = 0.0

    def append(self, line: bytes) -> None:
        """Hand one line, LF included, to the operating system. Raises: OSError; the segment is then as it was before."""
        if self._descriptor is None:
            self._open()
        descriptor = self._descriptor
        assert descriptor is not None
        written = 0
        try:
            while written < len(line):
                written += self._write(descriptor, line[written:] if written else line)
            if self._fsync:
                os.fsync(descriptor)
        except OSError:
            if written:
                self._undo(descriptor)
            raise
        self._size += len(line)
        if self._size >= self._max_bytes:
            self.finish()

    def finish_if_due(self) -> None:
        """Finish the open segment when it is old enough."""
        if self._descriptor is not None and self._clock() - self._clock_opened >= self._max_age_seconds:
            self.finish()

    def finish(self) -> None:
        """Finish the open segment, if there is one, so that the shipper may take and delete it."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        finished = self._path.name.removesuffix(OPEN_SUFFIX) + FINISHED_SUFFIX
        # Where even a rename fails, nothing is lost: an open segment without its lock counts as finished.
        with contextlib.suppress(OSError):
            self._path.rename(self._path.with_name(finished))
        os.close(descriptor)  # and with it the lock

    def _open(self) -> None:
        name = f"{self.boot}-{self._sequence:08d}"
        newborn = self._directory / f"{name}.new"
        # O_APPEND makes each write land at the end whatever else happens to the offset.
        descriptor = os.open(newborn, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._path = newborn.rename(self._directory / f"{name}{OPEN_SUFFIX}")
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        self._sequence += 1
        self._size = 0
        self._clock_opened = self._clock()

    def _undo(self, descriptor: int) -> None:
        """Take a half-written line back, or else leave the segment with its torn last line for good."""
        try:
            os.ftruncate(descriptor, self._size)
        except OSError:
            self._size = 0
            self.finish()
