"""Which requests did both models of an upgrade answer, what do judges and reviewers say of them, and which have entered?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema_upgrades import upgrade_pairs, upgrades
from shadow.store.storable import storable
from shadow.upgrades.pairs import Pair

Phase = str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """A pair when it is drawn. phase: shadow or canary; eta: chance that a reviewer is asked, 0 in the canary's time."""

    request_id: str
    upgrade_id: int
    phase: Phase
    started_at: datetime
    query_type: str
    feature: str
    pi: float
    eta: float
    label_drawn: bool
    served_candidate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two answers. obtained: False where it was asked for in vain; probability: None where the panel is undecided.

    label: the first reviewer's; skips: of reviewers who could not tell.
    """

    obtained: bool
    probability: float | None
    label: int | None
    skips: int
    cost_usd: float
    seconds: float | None
    markers: int
    panel: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A drawn pair that has not entered. state: of its sample; None where the sample is gone. A side is None where nobody knows
    anything of it: not asked yet, or the day's money was spent."""

    row: PairRow
    state: str | None
    candidate: Side | None
    pinned: Side | None


_WAITING = sa.text(
    """
    SELECT p.request_id::text AS request_id, p.upgrade_id, p.phase, p.started_at, p.query_type, p.feature, p.pi, p.eta,
           p.label_drawn, p.served_candidate, s.state, s.served_tier, a.sides
    FROM upgrade_pairs p
    LEFT JOIN samples s ON s.request_id = p.request_id
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(a.tier, jsonb_build_object(
            'obtained', a.outcome = 'ok', 'probability', a.probability, 'cost_usd', a.cost_usd,
            'seconds', a.latency_seconds, 'panel', a.panel,
            'markers', (SELECT coalesce(sum(jsonb_array_length(j.markers)), 0) FROM judgments j
                        WHERE j.request_id = a.request_id AND j.tier = a.tier AND j.repeat = 0),
            'label', (SELECT l.label FROM labels l WHERE l.request_id = a.request_id AND l.tier = a.tier AND l.repeat = 0
                      ORDER BY l.labelled_at, l.reviewer LIMIT 1),
            'skips', (SELECT count(*) FROM label_skips k WHERE k.item_id = a.request_id AND k.tier = a.tier))) AS sides
        FROM answers a WHERE a.request_id = p.request_id AND a.repeat = 0
    ) a ON true
    WHERE p.upgrade_id = :upgrade AND p.phase = :phase AND p.entered_at IS NULL
    ORDER BY p.started_at, p.request_id LIMIT :most
    """
)
_NOT_ASKED = Side(
    obtained=False, probability=None, label=None, skips=0, cost_usd=0.0, seconds=None, markers=0, panel=None
)


async def insert_pairs(connection: AsyncConnection, drawn: Sequence[PairRow]) -> None:
    """Idempotent."""
    if drawn:
        rows = [
            asdict(row) | {"query_type": storable(row.query_type), "feature": storable(row.feature)} for row in drawn
        ]
        await connection.execute(insert(upgrade_pairs).on_conflict_do_nothing(), rows)


async def counts(connection: AsyncConnection, upgrade_id: int) -> dict[tuple[str, bool], int]:
    """(phase, whether entered) -> pairs."""
    entered = upgrade_pairs.c.entered_at.is_not(None)
    query = sa.select(upgrade_pairs.c.phase, entered, sa.func.count()).where(upgrade_pairs.c.upgrade_id == upgrade_id)
    found = await connection.execute(query.group_by(upgrade_pairs.c.phase, entered))
    return {(phase, is_entered): n for phase, is_entered, n in found}


async def waiting(connection: AsyncConnection, upgrade_id: int, phase: Phase, *, most: int = 2_000) -> list[Waiting]:
    """Those that have not entered, in request order."""
    found = await connection.execute(_WAITING, {"upgrade": upgrade_id, "phase": phase, "most": most})
    return [_waiting(row) for row in found.mappings()]


async def enter(connection: AsyncConnection, pairs: Sequence[Pair], *, now: datetime) -> None:
    """Freeze pairs as they are now. Raises what the database raises for one that has entered already."""
    for pair in pairs:
        await connection.execute(
            sa.update(upgrade_pairs)
            .where(upgrade_pairs.c.request_id == pair.request_id, upgrade_pairs.c.entered_at.is_(None))
            .values(
                entered_at=now,
                missing=pair.missing,
                judged=pair.judged,
                label=pair.label,
                z=pair.z,
                costs_usd=sa.null() if pair.costs_usd is None else list(pair.costs_usd),
                seconds=sa.null() if pair.seconds is None else list(pair.seconds),
                markers=sa.null() if pair.markers is None else list(pair.markers),
                panel=pair.panel,
            )
        )


async def entered(connection: AsyncConnection, upgrade_id: int, phase: Phase) -> list[Pair]:
    """Those that have entered, in the order in which they did."""
    order = (upgrade_pairs.c.entered_at, upgrade_pairs.c.started_at, upgrade_pairs.c.request_id)
    query = sa.select(upgrade_pairs).where(
        upgrade_pairs.c.upgrade_id == upgrade_id,
        upgrade_pairs.c.phase == phase,
        upgrade_pairs.c.entered_at.is_not(None),
    )
    return [_pair(row) for row in (await connection.execute(query.order_by(*order))).mappings()]


async def judges_of(connection: AsyncConnection, upgrade_id: int) -> list[str]:
    """Each judge@version that had a say on a pair."""
    query = sa.text(
        "SELECT DISTINCT j.judge FROM upgrade_pairs p JOIN judgments j ON j.request_id = p.request_id "
        "WHERE p.upgrade_id = :upgrade ORDER BY 1"
    )
    return list(await connection.scalars(query, {"upgrade": upgrade_id}))


async def models_of(connection: AsyncConnection, request_id: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """(candidate, pinned) as their upgrade names them; None where the request is no pair."""
    query = (
        sa.select(upgrades.c.candidate, upgrades.c.pinned)
        .join(upgrade_pairs, upgrade_pairs.c.upgrade_id == upgrades.c.id)
        .where(upgrade_pairs.c.request_id == request_id)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else (row.candidate, row.pinned)


def _waiting(row: sa.RowMapping) -> Waiting:
    known = PairRow(**{name: row[name] for name in PairRow.__dataclass_fields__})
    sides = {tier: Side(**side) for tier, side in (row["sides"] or {}).items()}
    served = sides.get(row["served_tier"] or "")
    if known.served_candidate:
        candidate, pinned = served, sides.get("(pinned)")
    elif known.phase == "canary":  # the candidate was asked by the client's request itself, and failed
        candidate, pinned = _NOT_ASKED, served
    else:
        candidate, pinned = sides.get("(candidate)"), served
    return Waiting(row=known, state=row["state"], candidate=candidate, pinned=pinned)


def _pair(row: sa.RowMapping) -> Pair:
    def two(name: str) -> Any:
        return None if row[name] is None else (row[name][0], row[name][1])

    return Pair(
        request_id=str(row["request_id"]),
        started_at=row["started_at"],
        query_type=row["query_type"],
        feature=row["feature"],
        eta=row["eta"],
        label_drawn=row["label_drawn"],
        judged=row["judged"],
        label=row["label"],
        z=row["z"],
        missing=row["missing"],
        costs_usd=two("costs_usd"),
        seconds=two("seconds"),
        markers=two("markers"),
        panel=row["panel"],
    )
