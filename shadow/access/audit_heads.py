"""Where is it noted, outside the database, how the audit ended at some moment? In a file of the data directory, a line each.

The chain in the database can't show that its last rows are gone, or that all of it was written anew. A head noted elsewhere can:
whoever wants to hide a row would have to change this file, too, and every copy of it.
"""

from __future__ import annotations

import json
from pathlib import Path

from shadow.errors import ConfigError
from shadow.settings import Settings
from shadow.store.audit import Head, Verified, head, verify
from shadow.store.engine import AsyncConnection, AsyncEngine, utc_now

FILE = "audit-heads.jsonl"


def heads_file(settings: Settings) -> Path:
    """Where heads are noted; copy it to another machine if the database's administrator is not to be trusted alone."""
    return settings.directory / FILE


def noted_heads(path: Path) -> list[Head]:
    """All heads that were noted, oldest first; none where there is no such file. Raises: ConfigError for what can't be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: cannot be read: {getattr(exc, 'strerror', None) or exc}") from None
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line)
            found.append(Head(id=int(value["id"]), row_hash=str(value["row_hash"])))
        except (ValueError, KeyError, TypeError):
            if number < len(lines):  # the last one may be cut off by a crash
                raise ConfigError(f"{path}: line {number}: no head of the audit") from None
    return found


def parse_head(text: str) -> Head:
    """`12:ab34…`, as `shadow audit verify` prints it. Raises: ValueError."""
    number, colon, row_hash = text.strip().partition(":")
    if not colon or not number.isdigit() or len(row_hash) != 64:
        raise ValueError("a head looks like 12:<64 hexadecimal digits>, as `shadow audit verify` prints it")
    return Head(id=int(number), row_hash=row_hash)


async def note_head(engine: AsyncEngine, settings: Settings) -> None:
    """The scheduled job: append the head if it is another one than was noted last."""
    async with engine.connect() as connection:
        last = await head(connection)
    note(heads_file(settings), last)


def note(path: Path, last: Head | None) -> None:
    """Append a head, unless it is the last one noted."""
    if last is None:
        return
    before = noted_heads(path)
    if before and before[-1] == last:
        return
    line = json.dumps({"at": utc_now().isoformat(), "id": last.id, "row_hash": last.row_hash})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


async def verify_noted(connection: AsyncConnection, settings: Settings, *, more: tuple[Head, ...] = ()) -> Verified:
    """Verify the chain in the database against every head that was noted. Raises: ConfigError for a file that can't be read."""
    return await verify(connection, heads=[*noted_heads(heads_file(settings)), *more])
