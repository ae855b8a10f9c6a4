"""Which spool segments can be shipped, and what is in them? The reader's side of the protocol in `router.segments`."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from router.contracts import Exchange
from router.errors import LineUnreadable
from router.feedback import Feedback
from router.segments import FINISHED_SUFFIX, OPEN_SUFFIX
from router.wire import entry_from_json

#: Lines that could not be read or stored are kept here, beside the segments, for a person to look at.
REJECTED = "rejected.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A line that is neither an exchange nor feedback. torn: it is the last one and was never confirmed to a client."""

    line: bytes
    reason: str
    torn: bool


def shippable(directory: Path) -> list[Path]:
    """Finished segments and those that a dead writer left behind, oldest first."""
    segments = sorted(path for path in directory.glob(f"*{FINISHED_SUFFIX}") if path.name != REJECTED)
    return [path for path in segments if not path.name.endswith(OPEN_SUFFIX) or _is_abandoned(path)]


def read_segment(path: Path) -> Iterator[Exchange | Feedback | Unreadable]:
    """The entries of a segment, and what is not one: a kind that a newer router writes, say."""
    content = path.read_bytes()
    lines = content.split(b"\n")
    complete, tail = lines[:-1], lines[-1]
    for number, line in enumerate(complete, start=1):
        try:
            yield entry_from_json(line)
        except LineUnreadable as exc:
            yield Unreadable(line=line, reason=f"{path.name}:{number}: {exc}", torn=False)
    if tail:
        yield Unreadable(line=tail, reason=f"{path.name}:{len(lines)}: line is not complete", torn=True)


def reject(directory: Path, line: bytes) -> None:
    """Keep a line that could not be stored."""
    with (directory / REJECTED).open("ab") as file:
        file.write(line.rstrip(b"\n") + b"\n")


def backlog(directory: Path) -> tuple[int, int]:
    """(segments, bytes) that are on disk, open ones included."""
    sizes = []
    for path in directory.glob(f"*{FINISHED_SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):  # shipped meanwhile
            if path.name != REJECTED:
                sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes)


def _is_abandoned(path: Path) -> bool:
    """Whether nobody holds the lock of an open segment any more."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # finished, and so renamed, meanwhile
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return path.exists()
