"""What has a reviewer said so far, what is taken back, and what could not be told? Beside the labels themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.rollup_queue import mark
from shadow.store.schema import estimates, gold_checks, labels, samples
from shadow.store.schema_labels import label_skips

#: How long a reviewer may take a word back by the undo.
UNDO_WITHIN = timedelta(hours=1)
#: A gold check is named by the item's key, a slash, and which of its answers it was.
GOLD_SEPARATOR = "/"

_ACTS = """
    SELECT request_id::text AS item, labelled_at AS at FROM labels WHERE reviewer = :reviewer
    UNION ALL SELECT item_id::text, skipped_at FROM label_skips WHERE reviewer = :reviewer
    UNION ALL SELECT split_part(item_id, '/', 1), checked_at FROM gold_checks
    WHERE reviewer = :reviewer AND strpos(item_id, '/') > 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A reviewer's acts. items: how many were looked at; last: the newest one, when, and whether it was outside the draw."""

    items: int
    today: int
    last: str | None
    last_at: datetime | None
    last_was_extra: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A published figure: value with its interval, and how many labels it rests on."""

    value: float
    low: float
    high: float
    labelled: int


async def record_of(connection: AsyncConnection, reviewer: str, *, now: datetime) -> Record:
    """What this reviewer has done; gold items count like all others."""
    counts = (
        await connection.execute(
            sa.text(
                f"SELECT count(DISTINCT item) AS items, count(DISTINCT item) FILTER (WHERE at >= :midnight) AS today "  # noqa: S608
                f"FROM ({_ACTS}) acts"
            ),
            {"reviewer": reviewer, "midnight": now.replace(hour=0, minute=0, second=0, microsecond=0)},
        )
    ).one()
    last = await _last(connection, reviewer)
    extra = False
    if last is not None:
        drawn = await connection.scalar(
            sa.select(samples.c.label_drawn | samples.c.decided_label_drawn).where(samples.c.request_id == last[0])
        )
        extra = drawn is False
    return Record(
        items=counts.items,
        today=counts.today,
        last=last[0] if last else None,
        last_at=last[1] if last else None,
        last_was_extra=extra,
    )


async def _last(connection: AsyncConnection, reviewer: str) -> tuple[str, datetime] | None:
    query = sa.text(f"SELECT item, at FROM ({_ACTS}) acts ORDER BY at DESC, item LIMIT 1")  # noqa: S608
    row = (await connection.execute(query, {"reviewer": reviewer})).first()
    return None if row is None else (row.item, row.at)


async def has_spoken(connection: AsyncConnection, reviewer: str, item_id: str) -> bool:
    """Whether the reviewer has already said something about this item."""
    query = sa.text(f"SELECT EXISTS (SELECT FROM ({_ACTS}) acts WHERE item = :item)")  # noqa: S608
    return bool(await connection.scalar(query, {"reviewer": reviewer, "item": item_id}))


async def take_back_last(connection: AsyncConnection, reviewer: str, *, now: datetime) -> str | None:
    """Forget what the reviewer said of the item they spoke about last; the item, or None.

    Words older than `UNDO_WITHIN` stay. The sample's bucket is reopened.
    """
    last, since = await _last(connection, reviewer), now - UNDO_WITHIN
    if last is None or last[1] < since:
        return None
    item = last[0]
    own = labels.delete().where(labels.c.reviewer == reviewer, labels.c.labelled_at >= since)
    await connection.execute(own.where(labels.c.request_id == item))
    await connection.execute(
        label_skips.delete().where(
            label_skips.c.reviewer == reviewer, label_skips.c.item_id == item, label_skips.c.skipped_at >= since
        )
    )
    await connection.execute(
        gold_checks.delete().where(
            gold_checks.c.reviewer == reviewer,
            gold_checks.c.item_id.startswith(item + GOLD_SEPARATOR, autoescape=True),
            gold_checks.c.checked_at >= since,
        )
    )
    started_at = await connection.scalar(sa.select(samples.c.started_at).where(samples.c.request_id == item))
    if started_at is not None:
        await mark(connection, [started_at])
    return item


async def save_skips(
    connection: AsyncConnection, item_id: str, reviewer: str, reasons: Mapping[str, str], *, now: datetime
) -> None:
    """Note of which answers a reviewer could not tell. reasons: tier (or part of a gold item) -> why."""
    if reasons:
        statement = insert(label_skips)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["item_id", "tier", "reviewer"],
                set_={"reason": statement.excluded.reason, "skipped_at": statement.excluded.skipped_at},
                where=label_skips.c.reason != statement.excluded.reason,
            ),
            [
                {"item_id": item_id, "tier": tier, "reviewer": reviewer, "reason": reason, "skipped_at": now}
                for tier, reason in reasons.items()
            ],
        )


async def drop_words(connection: AsyncConnection, item_id: str, reviewer: str, tiers: Collection[str]) -> None:
    """Forget the reviewer's skips of these answers: a label takes their place."""
    await connection.execute(
        label_skips.delete().where(
            label_skips.c.item_id == item_id, label_skips.c.reviewer == reviewer, label_skips.c.tier.in_(tiers)
        )
    )


async def latest_accuracy(connection: AsyncConnection) -> Shown | None:
    """The overall corrected accuracy that was published last; None where it was not identified."""
    row = (
        await connection.execute(
            sa.select(estimates.c.value, estimates.c.low, estimates.c.high, estimates.c.n_labelled)
            .where(estimates.c.metric == "accuracy", estimates.c.tier == "", estimates.c.reason == "")
            .order_by(estimates.c.computed_at.desc())
            .limit(1)
        )
    ).first()
    if row is None or row.value is None or row.low is None or row.high is None:
        return None
    return Shown(value=row.value, low=row.low, high=row.high, labelled=round(row.n_labelled))
