"""Which scorers were trained to replace the one in force, and what became of them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.errors import StoreError
from shadow.store import audit
from shadow.store.engine import utc_now
from shadow.store.schema import sample_texts
from shadow.store.schema_challengers import challengers

State = Literal["training", "comparing", "proposed", "dropped", "adopted", "rejected", "superseded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengerRow:
    """A challenger. It learned from `trained_from` up to `cut_off_at`, and is compared on later requests only.

    champion: the scorer in force when it was trained. version, data_sha256, training: None until it is trained. looks: how
    often it was compared so far. comparison: the last one, as `shadow.challenger.comparison` says it.
    """

    id: int
    created_at: datetime
    state: State
    champion: str
    trained_from: datetime
    cut_off_at: datetime
    version: str | None
    data_sha256: str | None
    training: Mapping[str, Any] | None
    looks: int
    comparison: Mapping[str, Any] | None
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


async def begin(
    connection: AsyncConnection, *, champion: str, trained_from: datetime, cut_off_at: datetime, now: datetime
) -> int:
    """A new one, in training; returns its id."""
    statement = sa.insert(challengers).values(
        champion=champion, trained_from=trained_from, cut_off_at=cut_off_at, created_at=now
    )
    return int((await connection.execute(statement.returning(challengers.c.id))).scalar_one())


async def trained(
    connection: AsyncConnection, challenger_id: int, *, version: str, data_sha256: str, training: Mapping[str, Any]
) -> bool:
    """From training to comparing; False where it was given up meanwhile."""
    done = await connection.execute(
        sa.update(challengers)
        .where(challengers.c.id == challenger_id, challengers.c.state == "training")
        .values(state="comparing", version=version, data_sha256=data_sha256, training=dict(training))
    )
    return done.rowcount == 1


async def looked(connection: AsyncConnection, challenger_id: int, *, looks: int, comparison: Mapping[str, Any]) -> None:
    """Keep the newest comparison."""
    await connection.execute(
        sa.update(challengers)
        .where(challengers.c.id == challenger_id, challengers.c.state == "comparing")
        .values(looks=looks, comparison=dict(comparison))
    )


async def propose(connection: AsyncConnection, challenger_id: int, *, reason: str) -> None:
    """It waits for a person, in place of the one that waited, if any. Raises: StoreError if it is not comparing."""
    await connection.execute(
        sa.update(challengers)
        .where(challengers.c.state == "proposed")
        .values(state="superseded", decided_at=sa.func.now(), reason="a newer challenger took its place")
    )
    await _move(connection, challenger_id, ("comparing",), state="proposed", reason=reason)


async def drop(connection: AsyncConnection, challenger_id: int, *, reason: str) -> None:
    """It is given up by the scheduler. Raises: StoreError if it is neither training nor comparing any more."""
    await _move(
        connection, challenger_id, ("training", "comparing"), state="dropped", reason=reason, decided_at=sa.func.now()
    )


async def decide(
    connection: AsyncConnection, challenger_id: int, *, state: Literal["adopted", "rejected"], by: str, reason: str
) -> None:
    """A person's word. Raises: StoreError if it does not wait for one any more."""
    before: tuple[State, ...] = ("proposed",) if state == "adopted" else ("proposed", "comparing")
    await _move(connection, challenger_id, before, state=state, decided_by=by, reason=reason, decided_at=sa.func.now())
    row = await by_id(connection, challenger_id)
    await audit.record(
        connection,
        actor=by,
        action=f"scorer.{state}",
        subject=f"challenger {challenger_id}",
        details={
            "reason": reason,
            "version": row.version if row else None,
            "data_sha256": row.data_sha256 if row else None,
        },
        now=utc_now(),
    )


async def listed(connection: AsyncConnection, *, limit: int = 50) -> list[ChallengerRow]:
    """Newest first."""
    query = sa.select(challengers).order_by(challengers.c.id.desc()).limit(limit)
    return [ChallengerRow(**row) for row in (await connection.execute(query)).mappings()]


async def by_id(connection: AsyncConnection, challenger_id: int) -> ChallengerRow | None:
    query = sa.select(challengers).where(challengers.c.id == challenger_id)
    row = (await connection.execute(query)).mappings().first()
    return ChallengerRow(**row) if row else None


async def in_state(connection: AsyncConnection, state: State) -> ChallengerRow | None:
    """The newest one in that state."""
    query = sa.select(challengers).where(challengers.c.state == state).order_by(challengers.c.id.desc()).limit(1)
    row = (await connection.execute(query)).mappings().first()
    return ChallengerRow(**row) if row else None


async def kept_texts(connection: AsyncConnection, request_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """request id -> (body as it was kept, dialect), of those samples that have one."""
    wanted = sa.cast(list(request_ids), sa.ARRAY(sa.Text))
    query = sa.select(sample_texts.c.request_id, sample_texts.c.request_body, sample_texts.c.dialect).where(
        sample_texts.c.request_id == sa.any_(sa.cast(wanted, sa.ARRAY(sa.UUID(as_uuid=False))))
    )
    found = await connection.execute(query)
    return {str(row.request_id): (row.request_body, row.dialect) for row in found if row.request_body}


async def _move(connection: AsyncConnection, challenger_id: int, before: Sequence[State], **values: Any) -> None:
    done = await connection.execute(
        sa.update(challengers)
        .where(challengers.c.id == challenger_id, challengers.c.state.in_(before))
        .values(**values)
    )
    if done.rowcount != 1:
        raise StoreError(f"challenger {challenger_id} is not {' or '.join(before)}: look at it again")
