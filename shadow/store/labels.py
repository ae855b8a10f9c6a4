"""What did human reviewers say, and how often do they err? Labels of answers, and checks on items of known truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.statistics.reviewer import Reviewer
from shadow.store.rollup_queue import mark_bucket_of_sample
from shadow.store.schema import answers, gold_checks, labels, samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A reviewer's word on one answer. which: "served", "reference" or a tier."""

    sample_id: str
    which: str
    label: int
    reviewer: str
    labelled_at: datetime


async def resolve_tier(connection: AsyncConnection, sample_id: str, which: str) -> str | None:
    """The tier whose first answer is meant; None if there is no such answer."""
    row = (
        await connection.execute(
            sa.select(samples.c.served_tier, samples.c.reference_tier).where(samples.c.request_id == sample_id)
        )
    ).first()
    if row is None:
        return None
    tier = {"served": row.served_tier, "reference": row.reference_tier}.get(which, which)
    known = sa.select(answers.c.tier).where(
        answers.c.request_id == sample_id, answers.c.tier == tier, answers.c.repeat == 0, answers.c.outcome == "ok"
    )
    return tier if await connection.scalar(known) else None


async def save_label(connection: AsyncConnection, label: Label) -> bool:
    """Store a label (idempotent per sample, answer and reviewer) and reopen its bucket; False if there is no such answer."""
    tier = await resolve_tier(connection, label.sample_id, label.which)
    if tier is None:
        return False
    statement = insert(labels).values(
        request_id=label.sample_id,
        tier=tier,
        repeat=0,
        reviewer=label.reviewer,
        label=label.label,
        labelled_at=label.labelled_at,
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["request_id", "tier", "repeat", "reviewer"],
            set_={"label": statement.excluded.label, "labelled_at": statement.excluded.labelled_at},
        )
    )
    await mark_bucket_of_sample(connection, label.sample_id)
    return True


async def waiting_for_label(connection: AsyncConnection, limit: int) -> list[str]:
    """Samples drawn for a reviewer whose served answer has no label yet, oldest first. No verdict is needed."""
    labelled = sa.exists().where(
        labels.c.request_id == samples.c.request_id, labels.c.tier == samples.c.served_tier, labels.c.repeat == 0
    )
    query = (
        sa.select(samples.c.request_id)
        .where(samples.c.label_drawn, ~labelled)
        .order_by(samples.c.started_at)
        .limit(limit)
    )
    return [str(request_id) for request_id in await connection.scalars(query)]


async def save_gold_checks(connection: AsyncConnection, reviewer: str, checks: Sequence[tuple[str, int, int]]) -> None:
    """Store (item id, truth, label) checks of a reviewer; idempotent per item."""
    if checks:
        await connection.execute(
            insert(gold_checks).on_conflict_do_nothing(),
            [{"reviewer": reviewer, "item_id": item, "truth": truth, "label": label} for item, truth, label in checks],
        )


async def reviewer_quality(connection: AsyncConnection) -> Reviewer | None:
    """How often reviewers erred on items of known truth; None where nobody was checked."""
    wrong = gold_checks.c.truth != gold_checks.c.label
    counts = (
        await connection.execute(
            sa.select(
                sa.func.count().filter(wrong, gold_checks.c.truth == 0),
                sa.func.count().filter(gold_checks.c.truth == 0),
                sa.func.count().filter(wrong, gold_checks.c.truth == 1),
                sa.func.count().filter(gold_checks.c.truth == 1),
            )
        )
    ).one()
    if counts[1] + counts[3] == 0:
        return None
    return Reviewer(false_accepts=counts[0], gold_bad=counts[1], false_rejects=counts[2], gold_good=counts[3])
