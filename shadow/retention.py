"""What is older than the policy allows, and what becomes of it? Texts go first, rows later; sums, labels and the ledger stay.

Deleting is done in small batches, each followed by a pause as long as itself, so that the
database has half of its time for others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from shadow.settings import Settings
from shadow.store import audit
from shadow.store import retention as rows
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.retention import Rule, midnight
from shadow.store.retention import exchange_days as days_with_exchanges
from shadow.store.rollup_days import count_droppable, drop_buckets_of_one

log = structlog.get_logger()

#: Reservations only matter on their day; their sum stays in the ledger.
RESERVATION_DAYS = 7
BUCKETS, EXCHANGES = "sums by bucket", "exchanges"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Rows of one kind that are older than allowed, or were. before: the instant that they are older than."""

    what: str
    before: datetime
    rows: int


async def run_retention(engine: AsyncEngine, settings: Settings) -> None:
    """The leader's job."""
    for one in await delete_due(engine, settings, now=utc_now()):
        if one.rows:
            log.info("retention.deleted", what=one.what, rows=one.rows, before=one.before.isoformat())


async def count_due(engine: AsyncEngine, settings: Settings, *, now: datetime) -> list[Due]:
    """What a run would delete if every day's sums are complete. Deletes nothing."""
    found: list[Due] = []
    kept = settings.retention
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        for rule, before in _rules(settings, now.astimezone(UTC)):
            counted = await rows.count_due(connection, rule, before=before)
            found += [Due(what=what, before=before, rows=n) for what, n in counted.items()]
        if kept.rows_days is not None:
            before = midnight(now.astimezone(UTC), kept.rows_days)
            days = await days_with_exchanges(connection, before=before, sealed_only=False)
            total = sum([await rows.count_exchanges(connection, day) for day in days])
            found.append(Due(what=EXCHANGES, before=before, rows=total))
        before = midnight(now.astimezone(UTC), kept.buckets_days)
        found.append(Due(what=BUCKETS, before=before, rows=await count_droppable(connection, before=before)))
    return _added(found)


async def delete_due(engine: AsyncEngine, settings: Settings, *, now: datetime, by: str = "scheduler") -> list[Due]:
    """Delete what is due, a transaction per batch; returns what was deleted. Safe to stop and to run again.

    A run that deleted anything is in the audit. by: who asked for it.
    """
    now, kept, found = now.astimezone(UTC), settings.retention, list[Due]()
    if kept.rows_days is not None:
        async with engine.begin() as connection:
            await rows.seal(connection, before=midnight(now, kept.rows_days))
    for rule, before in _rules(settings, now):
        found += await _delete(engine, rule, before, batch=kept.batch_rows)
    if kept.rows_days is not None:
        found.append(await _drop_exchanges(engine, midnight(now, kept.rows_days)))
    found.append(await _drop_buckets(engine, midnight(now, kept.buckets_days)))
    deleted = _added(found)
    if any(one.rows for one in deleted):
        rows_of = [{"what": one.what, "before": one.before, "rows": one.rows} for one in deleted if one.rows]
        async with engine.begin() as connection:
            await audit.record(
                connection,
                actor=by,
                action="retention.deleted",
                subject="store",
                details={"rows": rows_of},
                now=utc_now(),
            )
    return deleted


def _rules(settings: Settings, now: datetime) -> Iterator[tuple[Rule, datetime]]:
    """Rules in force, in order, with the instant before which rows are due."""
    kept = settings.retention
    for days, rules in (
        (kept.texts_days, (rows.TEXTS, rows.COMMENTS)),
        (kept.rows_days, (rows.SAMPLES, rows.FEEDBACK, rows.CANARIES, rows.ALERTS, rows.MESSAGES)),
        (kept.labels_days, (rows.LABELLED_SAMPLES,)),
        (RESERVATION_DAYS, (rows.RESERVATIONS,)),
        (kept.spend_days, (rows.SPEND,)),
    ):
        if days is not None:
            for rule in rules:
                yield rule, midnight(now, days)


async def _delete(engine: AsyncEngine, rule: Rule, before: datetime, *, batch: int) -> list[Due]:
    total: dict[str, int] = {}
    while True:
        began = time.monotonic()
        async with engine.begin() as connection:
            deleted = await rows.delete_batch(connection, rule, before=before, batch=batch)
        for what, n in deleted.items():
            total[what] = total.get(what, 0) + n
        if not any(deleted.values()):
            return [Due(what=what, before=before, rows=n) for what, n in total.items() if what != "done"]
        await asyncio.sleep(time.monotonic() - began)


async def _drop_exchanges(engine: AsyncEngine, before: datetime) -> Due:
    async with engine.connect() as connection:
        days = await days_with_exchanges(connection, before=before, sealed_only=True)
    total = 0
    for day in days:
        async with engine.begin() as connection:
            dropped = await rows.drop_exchanges(connection, day)
        if dropped is None:
            log.warning(
                "retention.waits", day=day.isoformat(), detail="exchanges are in use; tried again with the next run"
            )
            break
        total += dropped
    return Due(what=EXCHANGES, before=before, rows=total)


async def _drop_buckets(engine: AsyncEngine, before: datetime) -> Due:
    total = 0
    while True:
        began = time.monotonic()
        async with engine.begin() as connection:
            dropped = await drop_buckets_of_one(connection, before=before)
        if dropped is None:
            return Due(what=BUCKETS, before=before, rows=total)
        total += dropped[1]
        await asyncio.sleep(time.monotonic() - began)


def _added(found: list[Due]) -> list[Due]:
    """One entry per kind of rows and cut-off."""
    total: dict[tuple[str, datetime], int] = {}
    for one in found:
        total[one.what, one.before] = total.get((one.what, one.before), 0) + one.rows
    # Labels are kept where no age is given for them: a line about none of them would only raise a question.
    return [Due(what=what, before=before, rows=n) for (what, before), n in total.items() if n or what != "labels"]
