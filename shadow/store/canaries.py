"""What did models answer when they were asked canaries, at first and now? A row per run, and one per prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema_pins import canary_accepted, canary_answers, canary_runs
from shadow.store.storable import storable

State = Literal["first", "compared", "failed", "shed"]
#: Answers of runs that showed nothing are kept so long.
KEEP = timedelta(days=30)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryAnswer:
    """outcome: "ok" or what failed. log_probability: mean over the answer's tokens, where the provider gave it."""

    prompt_id: str
    outcome: str
    answer: str | None = None
    refused: bool = False
    log_probability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryRun:
    """state: first (part of what later runs are held against), compared, failed (too few answers) or shed (no money).

    looks: aspect by aspect, as `shadow.canaries.service` writes them; changed: whether any has.
    """

    id: int
    provider: str
    model: str
    version: str
    state: State
    ran_at: datetime
    cost_usd: Decimal
    answered: int
    looks: Sequence[Mapping[str, Any]]
    changed: bool


async def counts_since(connection: AsyncConnection, provider: str, model: str) -> datetime:
    """From when on runs of a model count: since its behaviour was last accepted."""
    own = canary_accepted.c
    return await connection.scalar(sa.select(own.since).where(own.provider == provider, own.model == model)) or _EVER


async def accept(connection: AsyncConnection, provider: str, model: str, *, by: str, now: datetime) -> None:
    """Let first runs be made anew from now on."""
    statement = insert(canary_accepted).values(provider=provider, model=model, since=now, accepted_by=by)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["provider", "model"],
            set_={"since": statement.excluded.since, "accepted_by": statement.excluded.accepted_by},
        )
    )


async def last_run_at(connection: AsyncConnection, provider: str, model: str) -> datetime | None:
    """When a model was asked last, whatever came of it."""
    own = canary_runs.c
    query = sa.select(sa.func.max(own.ran_at)).where(own.provider == provider, own.model == model)
    found: datetime | None = await connection.scalar(query)
    return found


async def lock_model(connection: AsyncConnection, provider: str, model: str) -> None:
    """Let nobody else store a run of the model until this transaction ends."""
    await connection.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended('canary ' || :name, 0))"),
        {"name": f"{provider} {model}"},
    )


async def first_answers(
    connection: AsyncConnection, provider: str, model: str, version: str
) -> dict[int, list[CanaryAnswer]]:
    """Run -> the answers of the first runs that count, oldest first."""
    since = await counts_since(connection, provider, model)
    runs, own = canary_runs.c, canary_answers.c
    query = (
        sa.select(runs.id, *(own[name] for name in CanaryAnswer.__dataclass_fields__))
        .join(canary_answers, own.run_id == runs.id)
        .where(
            runs.provider == provider,
            runs.model == model,
            runs.version == version,
            runs.state == "first",
            runs.ran_at >= since,
        )
        .order_by(runs.id, own.prompt_id)
    )
    found: dict[int, list[CanaryAnswer]] = {}
    for row in (await connection.execute(query)).mappings():
        values = dict(row)
        found.setdefault(values.pop("id"), []).append(CanaryAnswer(**values))
    return found


async def save_run(
    connection: AsyncConnection,
    provider: str,
    model: str,
    version: str,
    *,
    state: State,
    ran_at: datetime,
    cost_usd: Decimal,
    answers: Sequence[CanaryAnswer],
    looks: Sequence[Mapping[str, Any]] = (),
    changed: bool = False,
) -> int:
    """Store a run; returns its id."""
    values = {"provider": provider, "model": model, "version": version, "state": state, "ran_at": ran_at}
    more = {"cost_usd": cost_usd, "looks": list(looks), "changed": changed}
    answered = sum(answer.outcome == "ok" for answer in answers)
    made = sa.insert(canary_runs).values(**values, **more, answered=answered).returning(canary_runs.c.id)
    run_id = int(await connection.scalar(made) or 0)
    if answers:
        rows = [
            {name: getattr(answer, name) for name in CanaryAnswer.__dataclass_fields__}
            | {"run_id": run_id, "answer": storable(answer.answer)}
            for answer in answers
        ]
        await connection.execute(sa.insert(canary_answers), rows)
    return run_id


async def last_runs(connection: AsyncConnection, *, each: int = 1) -> list[CanaryRun]:
    """The newest runs of each model, newest first."""
    own = canary_runs.c
    place = sa.func.row_number().over(
        partition_by=[own.provider, own.model], order_by=[own.ran_at.desc(), own.id.desc()]
    )
    ranked = sa.select(canary_runs, place.label("place")).subquery()
    query = sa.select(ranked).where(ranked.c.place <= each).order_by(ranked.c.provider, ranked.c.model, ranked.c.place)
    names = tuple(CanaryRun.__dataclass_fields__)
    return [CanaryRun(**{name: row[name] for name in names}) for row in (await connection.execute(query)).mappings()]


async def answers_of(connection: AsyncConnection, run_id: int) -> dict[str, CanaryAnswer]:
    """prompt -> what a run was answered; empty where that was deleted."""
    own = canary_answers.c
    query = sa.select(*(own[name] for name in CanaryAnswer.__dataclass_fields__)).where(own.run_id == run_id)
    return {row["prompt_id"]: CanaryAnswer(**row) for row in (await connection.execute(query)).mappings()}


async def prune(connection: AsyncConnection, *, now: datetime) -> int:
    """Delete old answers of runs that showed nothing, and are none of the first; returns how many."""
    runs = sa.select(canary_runs.c.id).where(
        canary_runs.c.ran_at < now - KEEP, canary_runs.c.state != "first", ~canary_runs.c.changed
    )
    return int((await connection.execute(sa.delete(canary_answers).where(canary_answers.c.run_id.in_(runs)))).rowcount)
