"""Which upgrades were proposed, in which state is each, and what was decided? Every move is one locked, audited transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.errors import RefusedError
from shadow.store import audit
from shadow.store.schema_upgrades import upgrades
from shadow.upgrades.states import ACTIVE, WATCHED, State, check_move

_COLUMNS = (
    "id",
    "created_at",
    "tier",
    "pinned",
    "candidate",
    "design",
    "proposed_by",
    "reason",
    "state",
    "state_since",
    "state_reason",
    "progress",
    "evidence",
    "evidence_sha256",
    "evidence_at",
    "approved_by",
    "approved_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeRow:
    """An upgrade. pinned, candidate: model specifications, as `shadow.upgrades.pins` reads them; design: as
    `shadow.upgrades.design` does. progress: the newest figures, None before there are any. evidence: canonical JSON, frozen by
    the move to ready; evidence_sha256: of its UTF-8 bytes."""

    id: int
    created_at: datetime
    tier: str
    pinned: Mapping[str, Any]
    candidate: Mapping[str, Any]
    design: Mapping[str, Any]
    proposed_by: str
    reason: str
    state: State
    state_since: datetime
    state_reason: str
    progress: Mapping[str, Any] | None
    evidence: str | None
    evidence_sha256: str | None
    evidence_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None


async def insert_proposal(
    connection: AsyncConnection,
    *,
    tier: str,
    pinned: Mapping[str, Any],
    candidate: Mapping[str, Any],
    design: Mapping[str, Any],
    by: str,
    reason: str,
    now: datetime,
) -> int:
    """Store a proposal; its id. Raises: RefusedError where the tier has an upgrade under way."""
    # Two at once would meet at the unique index; a lock gives the second one a sentence instead.
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('propose upgrade'))"))
    running = await active_of(connection, tier)
    if running is not None:
        raise RefusedError(
            f"tier {tier!r} has upgrade {running.id} under way, it is {running.state}: decide on it first"
        )
    statement = sa.insert(upgrades).values(
        tier=tier,
        pinned=dict(pinned),
        candidate=dict(candidate),
        design=dict(design),
        proposed_by=by,
        reason=reason,
        created_at=now,
        state_since=now,
    )
    made = int((await connection.execute(statement.returning(upgrades.c.id))).scalar_one())
    details = {"tier": tier, "pinned": dict(pinned), "candidate": dict(candidate), "reason": reason}
    await audit.record(
        connection, actor=by, action="upgrade.proposed", subject=f"upgrade/{made}", details=details, now=now
    )
    return made


async def move(
    connection: AsyncConnection,
    upgrade_id: int,
    to: State,
    *,
    by: str,
    reason: str,
    now: datetime,
    evidence: tuple[str, str] | None = None,
    details: Mapping[str, Any] | None = None,
) -> UpgradeRow:
    """Move an upgrade on and write the audit row; returns it as it was. evidence: canonical JSON and its SHA-256, at `ready`.

    Raises: RefusedError where the move is illegal by now. The row stays locked until the transaction ends.
    """
    row = await locked(connection, upgrade_id)
    check_move(upgrade_id, row.state, to)
    values: dict[str, Any] = {"state": to, "state_since": now, "state_reason": reason}
    if evidence is not None:
        values |= {"evidence": evidence[0], "evidence_sha256": evidence[1], "evidence_at": now}
    if to == "approved":
        values |= {"approved_by": by.strip(), "approved_at": now}
    await connection.execute(sa.update(upgrades).where(upgrades.c.id == upgrade_id).values(**values))
    said = {"from": row.state, "to": to, "reason": reason, **(details or {})}
    if evidence is not None or row.evidence_sha256 is not None:
        said["evidence_sha256"] = row.evidence_sha256 if evidence is None else evidence[1]
    await audit.record(
        connection, actor=by, action=f"upgrade.{to}", subject=f"upgrade/{upgrade_id}", details=said, now=now
    )
    return row


async def locked(connection: AsyncConnection, upgrade_id: int) -> UpgradeRow:
    """The upgrade, locked until the transaction ends. Raises: RefusedError where there is none."""
    found = await _first(connection, _select().where(upgrades.c.id == upgrade_id).with_for_update())
    if found is None:
        raise RefusedError(f"there is no upgrade {upgrade_id}: `shadow upgrade status` shows all")
    return found


async def by_id(connection: AsyncConnection, upgrade_id: int) -> UpgradeRow | None:
    return await _first(connection, _select().where(upgrades.c.id == upgrade_id))


async def listed(connection: AsyncConnection, *, limit: int = 50) -> list[UpgradeRow]:
    """Newest first."""
    rows = await connection.execute(_select().order_by(upgrades.c.id.desc()).limit(limit))
    return [UpgradeRow(**row) for row in rows.mappings()]


async def active_of(connection: AsyncConnection, tier: str) -> UpgradeRow | None:
    """The one under way for a tier."""
    return await _first(connection, _select().where(upgrades.c.tier == tier, upgrades.c.state.in_(ACTIVE)))


async def in_states(connection: AsyncConnection, states: tuple[State, ...] = WATCHED) -> list[UpgradeRow]:
    """Those in one of these states, oldest first."""
    rows = await connection.execute(_select().where(upgrades.c.state.in_(states)).order_by(upgrades.c.id))
    return [UpgradeRow(**row) for row in rows.mappings()]


async def note_progress(connection: AsyncConnection, upgrade_id: int, progress: Mapping[str, Any]) -> None:
    """Keep the newest figures."""
    newest = sa.cast(dict(progress), JSONB)
    await connection.execute(sa.update(upgrades).where(upgrades.c.id == upgrade_id).values(progress=newest))


def _select() -> sa.Select[Any]:
    return sa.select(*(upgrades.c[name] for name in _COLUMNS))


async def _first(connection: AsyncConnection, query: sa.Select[Any]) -> UpgradeRow | None:
    row = (await connection.execute(query)).mappings().first()
    return UpgradeRow(**row) if row else None
