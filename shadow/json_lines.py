"""Which objects does a JSON Lines file hold, plain or gzip, and which of its lines is wrong, and why?

Nothing is dropped: a line that can't be used comes out as a `BadLine` with its number and the reason.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from shadow.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that could not be used, and why. id: as far as one could be read."""

    line: int
    reason: str
    id: str | int | None = None


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]] | BadLine]:
    """Line numbers from 1 with their objects, in order. Raises: ConfigError where the file cannot be opened."""
    try:
        with _opened(path) as file:
            number = 0
            while True:
                number += 1
                try:
                    raw = file.readline()
                except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
                    yield BadLine(line=number, reason=f"the compressed file is damaged from here on: {exc}")
                    return
                if not raw:
                    return
                found = parse_object(raw, number)
                yield found if isinstance(found, BadLine) else (number, found)
    except FileNotFoundError as exc:
        raise ConfigError(f"{path}: no such file") from exc
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror or exc}") from exc


def parse_object(raw: bytes, number: int) -> dict[str, Any] | BadLine:
    """One line as an object, or what is wrong with it."""
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as exc:
        return BadLine(line=number, reason=f"not UTF-8 at byte {exc.start}")
    except json.JSONDecodeError as exc:
        reason = f"not JSON: {exc.msg} at column {exc.colno}" if raw.strip() else "empty line"
        return BadLine(line=number, reason=reason)
    except (ValueError, RecursionError) as exc:
        return BadLine(line=number, reason=f"not JSON: {exc}")
    return value if isinstance(value, dict) else BadLine(line=number, reason="not a JSON object")


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
