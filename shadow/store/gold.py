"""Which answers of known truth are there, in which frozen version, and what did the judges make of them, day by day?"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.errors import StoreError
from shadow.store import audit
from shadow.store.schema import gold_checks
from shadow.store.schema_labels import gold_figures, gold_items, gold_runs, gold_verdicts, gold_versions, label_skips

_KEYS = uuid.UUID("8f0f0f5e-7c0b-5a0e-9d38-6b1f4f0f6a11")  # any constant: keys of gold items are made in it
_CONTENT = ("item_id", "prompt", "answer", "reference", "context", "query_type", "label", "reference_label")
State = Literal["done", "shed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldItem:
    """An answer of known truth. label: 1 acceptable, 0 not; reference_label: the same of the reference, None where not known."""

    item_id: str
    prompt: str
    answer: str
    label: int
    reference: str | None = None
    context: str | None = None
    query_type: str | None = None
    reference_label: int | None = None

    @property
    def key(self) -> str:
        """What stands for its content where a sample's id would stand; the same in every version that holds it unchanged."""
        shown = [self.prompt, self.answer, self.reference, self.context, self.label, self.reference_label]
        return str(uuid.uuid5(_KEYS, json.dumps(shown)))


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldVersion:
    """A frozen set. content_hash: SHA-256 of its items, whatever their order."""

    version: int
    content_hash: str
    created_by: str
    created_at: datetime
    note: str
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldVerdict:
    """What one judge made of one item on one day. orders_agree: None where it is no judge of two orders, or was not heard."""

    judge: str
    item_id: str
    verdict: str
    score: float | None
    orders_agree: bool | None = None


def content_hash(items: Sequence[GoldItem]) -> str:
    """SHA-256 over all that makes up the items, in hexadecimal."""
    lines = sorted(json.dumps([getattr(item, name) for name in _CONTENT]) for item in items)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


async def freeze(
    connection: AsyncConnection, items: Sequence[GoldItem], *, by: str, note: str, now: datetime
) -> tuple[GoldVersion, bool]:
    """Store the items as the version in force; (version, whether it is new). The same content again makes no new version."""
    digest = content_hash(items)
    await connection.execute(sa.text("LOCK TABLE gold_versions IN SHARE ROW EXCLUSIVE MODE"))
    newest = await latest(connection)
    if newest is not None and newest.content_hash == digest:
        return newest, False
    if any(version.content_hash == digest for version in await versions(connection)):
        raise StoreError(
            "an earlier version of the gold set has exactly this content; a new version has to differ from all"
        )
    values: dict[str, Any] = {
        "content_hash": digest,
        "created_by": by,
        "created_at": now,
        "note": note,
        "items": len(items),
    }
    version = await connection.scalar(insert(gold_versions).values(**values).returning(gold_versions.c.version))
    await connection.execute(
        insert(gold_items),
        [{"version": version, "key": item.key, **{name: getattr(item, name) for name in _CONTENT}} for item in items],
    )
    details = {"content_hash": digest, "items": len(items), "note": note}
    await audit.record(
        connection, actor=by, action="gold.frozen", subject=f"gold version {version}", details=details, now=now
    )
    return GoldVersion(version=int(version or 0), **values), True


async def versions(connection: AsyncConnection) -> list[GoldVersion]:
    """All versions, newest first."""
    rows = await connection.execute(sa.select(gold_versions).order_by(gold_versions.c.version.desc()))
    return [GoldVersion(**row) for row in rows.mappings()]


async def latest(connection: AsyncConnection) -> GoldVersion | None:
    """The version in force, or None."""
    query = sa.select(gold_versions).order_by(gold_versions.c.version.desc()).limit(1)
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else GoldVersion(**row)


async def items_of(connection: AsyncConnection, version: GoldVersion) -> list[GoldItem]:
    """The items of a version. Raises: StoreError where they are not those that were frozen."""
    rows = await connection.execute(
        sa.select(*(gold_items.c[name] for name in _CONTENT))
        .where(gold_items.c.version == version.version)
        .order_by(gold_items.c.item_id)
    )
    found = [GoldItem(**row) for row in rows.mappings()]
    if content_hash(found) != version.content_hash:
        raise StoreError(
            f"gold set, version {version.version}: its items are not those that were frozen; import them as a new version"
        )
    return found


async def item_with_key(connection: AsyncConnection, key: str) -> GoldItem | None:
    """The item that stands behind a key, in whichever version."""
    query = sa.select(*(gold_items.c[name] for name in _CONTENT)).where(gold_items.c.key == key)
    row = (await connection.execute(query.order_by(gold_items.c.version.desc()).limit(1))).mappings().first()
    return None if row is None else GoldItem(**row)


async def unseen_keys(connection: AsyncConnection, reviewer: str, *, limit: int) -> list[str]:
    """Items of the version in force that this reviewer has not looked at, in an order of the reviewer's own."""
    seen = sa.or_(
        sa.exists().where(
            gold_checks.c.reviewer == reviewer,
            sa.func.starts_with(gold_checks.c.item_id, sa.cast(gold_items.c.key, sa.Text) + "/"),
        ),
        sa.exists().where(label_skips.c.reviewer == reviewer, label_skips.c.item_id == gold_items.c.key),
    )
    newest = sa.select(sa.func.max(gold_versions.c.version)).scalar_subquery()
    query = (
        sa.select(gold_items.c.key)
        .where(gold_items.c.version == newest, ~seen)
        .order_by(sa.func.md5(sa.cast(gold_items.c.key, sa.Text) + reviewer))
        .limit(limit)
    )
    return [str(found) for found in await connection.scalars(query)]


async def save_run(
    connection: AsyncConnection,
    version: int,
    day: date,
    *,
    state: State,
    cost_usd: Decimal,
    now: datetime,
    verdicts: Sequence[GoldVerdict] = (),
    figures: Mapping[str, Mapping[str, Any]] | None = None,
) -> bool:
    """Store a day's run; False where the day has one already. figures: judge -> {items, decided, figures}.

    A day that was shed is run again when there is money.
    """
    await connection.execute(
        gold_runs.delete().where(gold_runs.c.day == day, gold_runs.c.version == version, gold_runs.c.state == "shed")
    )
    row = {"day": day, "version": version, "state": state, "ran_at": now, "cost_usd": cost_usd}
    made = await connection.execute(insert(gold_runs).values(**row).on_conflict_do_nothing().returning(gold_runs.c.day))
    if made.first() is None:
        return False
    key = {"day": day, "version": version}
    if verdicts:
        await connection.execute(
            insert(gold_verdicts),
            [key | {name: getattr(v, name) for name in GoldVerdict.__dataclass_fields__} for v in verdicts],
        )
    if figures:
        await connection.execute(
            insert(gold_figures), [key | {"judge": judge, **row} for judge, row in figures.items()]
        )
    return True


async def has_run(connection: AsyncConnection, version: int, day: date) -> bool:
    """Whether the gold set was judged on that day."""
    query = sa.exists().where(gold_runs.c.version == version, gold_runs.c.day == day, gold_runs.c.state == "done")
    return bool(await connection.scalar(sa.select(query)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """One judge's first run of a version and another day's. number: of that day among the judge's runs, 0 for the first.

    Verdicts: item -> (verdict, whether both orders agreed).
    """

    number: int
    first: Mapping[str, tuple[str, bool | None]]
    day: Mapping[str, tuple[str, bool | None]]


async def runs_of_day(connection: AsyncConnection, version: int, day: date) -> dict[str, Runs]:
    """judge -> its first run and that day's, of the judges that were heard on that day."""
    days = {
        row.judge: (row.first, row.earlier)
        for row in await connection.execute(
            sa.text(
                "SELECT judge, min(day) AS first, count(*) - 1 AS earlier FROM gold_figures "
                "WHERE version = :version AND day <= :day GROUP BY 1 HAVING max(day) = :day"
            ),
            {"version": version, "day": day},
        )
    }
    found: dict[str, dict[date, dict[str, tuple[str, bool | None]]]] = {}
    query = sa.select(gold_verdicts).where(
        gold_verdicts.c.version == version,
        sa.tuple_(gold_verdicts.c.judge, gold_verdicts.c.day).in_(
            [(judge, when) for judge, (first, _) in days.items() for when in (first, day)]
        ),
    )
    for row in await connection.execute(query):
        of_day = found.setdefault(row.judge, {}).setdefault(row.day, {})
        of_day[row.item_id] = (row.verdict, row.orders_agree)
    return {
        judge: Runs(number=earlier, first=found[judge][first], day=found[judge][day])
        for judge, (first, earlier) in days.items()
        if judge in found
    }


async def figure_rows(connection: AsyncConnection, *, limit: int = 500) -> list[dict[str, Any]]:
    """The figures of every day, version and judge, newest first."""
    query = sa.select(gold_figures).order_by(
        gold_figures.c.day.desc(), gold_figures.c.version.desc(), gold_figures.c.judge
    )
    return [dict(row) for row in (await connection.execute(query.limit(limit))).mappings()]
