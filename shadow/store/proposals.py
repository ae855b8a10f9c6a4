"""Which thresholds does the tuner propose, on what evidence, and what became of it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.errors import StoreError
from shadow.store import audit
from shadow.store.engine import utc_now
from shadow.store.schema import proposals

State = Literal["open", "applied", "rejected", "superseded", "rolled_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRow:
    """A proposal. status: certified or uncertified. base_version: the policy that it changes. evidence: as it was then."""

    id: int
    created_at: datetime
    status: str
    state: State
    base_version: int
    thresholds: Mapping[str, float]
    by_query_type: Mapping[str, Mapping[str, float]]
    evidence: Mapping[str, Any]
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    applied_version: int | None


async def propose(
    connection: AsyncConnection,
    *,
    status: str,
    base_version: int,
    thresholds: Mapping[str, float],
    by_query_type: Mapping[str, Mapping[str, float]],
    evidence: Mapping[str, Any],
) -> int:
    """Store a proposal in place of the one that was open, if any; returns its id."""
    await connection.execute(
        sa.update(proposals)
        .where(proposals.c.state == "open")
        .values(state="superseded", decided_at=sa.func.now(), reason="a newer proposal took its place")
    )
    statement = sa.insert(proposals).values(
        status=status,
        base_version=base_version,
        thresholds=dict(thresholds),
        by_query_type={query_type: dict(own) for query_type, own in by_query_type.items()},
        evidence=dict(evidence),
    )
    return int((await connection.execute(statement.returning(proposals.c.id))).scalar_one())


async def listed(connection: AsyncConnection, *, limit: int = 50) -> list[ProposalRow]:
    """Newest first."""
    query = sa.select(proposals).order_by(proposals.c.id.desc()).limit(limit)
    return [ProposalRow(**row) for row in (await connection.execute(query)).mappings()]


async def waiting(connection: AsyncConnection) -> ProposalRow | None:
    """The open one, if any; locked until the transaction ends."""
    query = sa.select(proposals).where(proposals.c.state == "open").with_for_update()
    row = (await connection.execute(query)).mappings().first()
    return ProposalRow(**row) if row else None


async def made_since(connection: AsyncConnection, moment: datetime) -> int:
    """How many proposals were made from a moment on, whatever became of them."""
    query = sa.select(sa.func.count()).where(proposals.c.created_at >= moment)
    return int(await connection.scalar(query) or 0)


async def decide(
    connection: AsyncConnection, proposal_id: int, *, state: State, by: str, reason: str, version: int | None = None
) -> None:
    """What became of it. version: of the policy it became. Raises: StoreError if it is not open (applied) any more."""
    before = "applied" if state == "rolled_back" else "open"
    done = await connection.execute(
        sa.update(proposals)
        .where(proposals.c.id == proposal_id, proposals.c.state == before)
        .values(
            state=state,
            decided_at=sa.func.now(),
            decided_by=by,
            reason=reason,
            **({} if version is None else {"applied_version": version}),
        )
    )
    if done.rowcount != 1:
        raise StoreError(f"proposal {proposal_id} is not {before} any more: look at it again")
    details = {"reason": reason} if version is None else {"reason": reason, "policy_version": version}
    await audit.record(
        connection,
        actor=by,
        action=f"proposal.{state}",
        subject=f"proposal {proposal_id}",
        details=details,
        now=utc_now(),
    )


async def applied_as(connection: AsyncConnection, version: int) -> ProposalRow | None:
    """The proposal that a policy came from, if it came from one and was not taken back."""
    query = sa.select(proposals).where(proposals.c.applied_version == version, proposals.c.state == "applied")
    row = (await connection.execute(query)).mappings().first()
    return ProposalRow(**row) if row else None
