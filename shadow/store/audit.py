"""Who decided what, when, and has nobody changed that since? A chain of rows, each with the hash of the one before.

What the chain shows: a row that was changed, one that is missing, one that was put in between. What it can't show by itself: that
the last rows are gone, or that somebody who may switch triggers off wrote the whole chain anew. Against that, hold it against a
head that was noted elsewhere: `verify(connection, heads=...)`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema_audit import audit
from shadow.store.storable import storable

#: What stands in place of a hash before the first row.
GENESIS = "0" * 64
_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtext('append to audit'))")
_BATCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """actor: who, or the part of the system that did it. action: noun.verb. subject: what it was done to. details: JSON."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]
    previous_hash: str
    row_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last row of a chain as it was at some moment: enough to see later that nothing up to it has changed or gone."""

    id: int
    row_hash: str

    def __str__(self) -> str:
        return f"{self.id}:{self.row_hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """rows: how many were looked at, up to the first bad one. head: None where there are no rows. broken_at: the number of the
    first row that is wrong or missing, None where all is well; problem: what is wrong with it."""

    rows: int
    head: Head | None
    broken_at: int | None = None
    problem: str | None = None


async def record(
    connection: AsyncConnection,
    *,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any],
    now: datetime,
) -> AuditRow:
    """Append a row in the caller's transaction: it is there exactly if what it tells of is.

    Other writers wait until this transaction ends, so do it last and commit soon. details: what json.dumps takes, dates and
    Decimals too; never a prompt, a completion or a secret. Raises: ValueError where details hold what JSON can't.
    """
    await connection.execute(_ONE_AT_A_TIME)
    last = await head(connection)
    row = sealed(
        id=last.id + 1 if last else 1,
        at=now,
        actor=_text(actor),
        action=_text(action),
        subject=_text(subject),
        details=_plain(details),
        previous_hash=last.row_hash if last else GENESIS,
    )
    await connection.execute(
        sa.insert(audit).values({name: getattr(row, name) for name in AuditRow.__dataclass_fields__})
    )
    return row


def sealed(**content: Any) -> AuditRow:
    """The row with its hash: SHA-256 over the canonical JSON of all else, the hash of the row before included."""
    said = {**content, "at": content["at"].astimezone(UTC).isoformat(timespec="microseconds")}
    text = json.dumps(_canonical(said), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return AuditRow(**content, row_hash=hashlib.sha256(text.encode()).hexdigest())


async def head(connection: AsyncConnection) -> Head | None:
    """The last row; None before the first."""
    query = sa.select(audit.c.id, audit.c.row_hash).order_by(audit.c.id.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return Head(id=row.id, row_hash=row.row_hash) if row else None


async def verify(connection: AsyncConnection, *, heads: Sequence[Head] = ()) -> Verified:
    """Read the whole chain and name the first row that is wrong. heads: noted earlier, elsewhere; each must be in it.

    Cost: one pass, some 50 microseconds a row. Give it one snapshot (REPEATABLE READ) where others write.
    """
    before, noted = Head(id=0, row_hash=GENESIS), {one.id: one.row_hash for one in heads}
    clash = next((one for one in heads if noted[one.id] != one.row_hash), None)
    if clash is not None:
        return Verified(rows=0, head=None, broken_at=clash.id, problem="two of the noted heads contradict each other")
    stream = await connection.stream(sa.select(audit).order_by(audit.c.id).execution_options(yield_per=_BATCH))
    count = 0
    try:
        async for found in stream.mappings():
            row, count = AuditRow(**found), count + 1
            problem = _problem(row, before, noted)
            if problem is not None:
                last = before if before.id else None
                return Verified(rows=count, head=last, broken_at=before.id + 1, problem=problem)
            before = Head(id=row.id, row_hash=row.row_hash)
    finally:
        await stream.close()
    last = before if before.id else None
    missing = [number for number in noted if number > before.id]
    if missing:
        problem = f"the chain ends at row {before.id}, but row {max(missing)} was noted: the last rows are gone"
        return Verified(rows=count, head=last, broken_at=before.id + 1, problem=problem)
    return Verified(rows=count, head=last)


def _problem(row: AuditRow, before: Head, noted: Mapping[int, str]) -> str | None:
    if row.id != before.id + 1:
        return f"row {before.id + 1} is missing: {row.id} follows {before.id}"
    if row.previous_hash != before.row_hash:
        return "it does not follow the row before: that one was replaced, or this one was put in its place"
    content = {name: getattr(row, name) for name in AuditRow.__dataclass_fields__ if name != "row_hash"}
    if sealed(**content).row_hash != row.row_hash:
        return "its content does not fit its hash: it was changed after it was written"
    if noted.get(row.id, row.row_hash) != row.row_hash:
        return "it is not the row whose hash was noted: the chain was written anew from here or before"
    return None


async def listed(
    connection: AsyncConnection,
    *,
    limit: int = 50,
    before: int | None = None,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
) -> list[AuditRow]:
    """Newest first. before: only rows with a smaller number. action: a whole one, or a noun with all its verbs."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    if actor is not None:
        query = query.where(audit.c.actor == actor)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    if action is not None:
        query = query.where((audit.c.action == action) | (sa.func.split_part(audit.c.action, ".", 1) == action))
    return [AuditRow(**row) for row in (await connection.execute(query)).mappings()]


def _text(text: str) -> str:
    return (storable(text) or "").strip()


def _plain(details: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes back from the database."""
    found: dict[str, Any] = json.loads(json.dumps(dict(details), default=_said, allow_nan=False))
    return {name: _stored(value) for name, value in found.items()}


def _stored(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_stored(one) for one in value]
    if isinstance(value, dict):
        return {storable(name): _stored(one) for name, one in value.items()}
    return value


def _said(value: Any) -> Any:
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise ValueError(f"details of an audit row hold a {type(value).__name__}, which JSON has no word for")


def _canonical(value: Any) -> Any:
    """Numbers as JSONB gives them back: 1e16 comes back as an integer, so whole numbers are hashed as integers."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_canonical(one) for one in value]
    if isinstance(value, dict):
        return {name: _canonical(one) for name, one in value.items()}
    return value
