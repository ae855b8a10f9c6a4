"""What did human reviewers say, and how often do they err? Labels of answers, and checks on items of known truth."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.statistics.reviewer import Reviewer
from shadow.store.rollup_queue import mark
from shadow.store.schema import answers, gold_checks, labels, sample_texts, samples
from shadow.store.schema_money import feedback


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A reviewer's word on one answer. which: "served", "reference" or a tier."""

    sample_id: str
    which: str
    label: int
    reviewer: str
    labelled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingSample:
    """A sample that a reviewer is to look at. answers: (tier, completion) of every answer obtained."""

    sample_id: str
    prompt: str
    request_body: str
    dialect: str = "openai.chat"
    answers: tuple[tuple[str, str], ...]


#: What became of a label: stored for the first time, in place of another one, there already, not newer than what is there,
#: or of an answer that nobody has.
Outcome = Literal["new", "changed", "same", "older", "unknown"]

_BLIND = "blind:"  # a tier's name can't hold a colon


def blind_name(sample_id: str, tier: str) -> str:
    """What stands for an answer before a reviewer, so that neither its tier nor its model shows."""
    return _BLIND + hashlib.sha256(f"{sample_id} {tier}".encode()).hexdigest()[:12]


def _tier_meant(sample: sa.Row[*tuple[Any, ...]], which: str, obtained: Collection[str]) -> str | None:
    """The tier of the answer that `which` stands for: served, reference, a tier, or a blind name."""
    if which.startswith(_BLIND):
        return next((tier for tier in obtained if blind_name(str(sample.request_id), tier) == which), None)
    tier = {"served": sample.served_tier, "reference": sample.reference_tier}.get(which, which)
    return tier if tier in obtained else None


async def save_label(connection: AsyncConnection, label: Label) -> bool:
    """Store a label in place of any earlier one of that reviewer; False if there is no such answer."""
    return (await save_labels(connection, [label], newest_wins=False)) != ["unknown"]


async def save_labels(
    connection: AsyncConnection, batch: Sequence[Label], *, newest_wins: bool = True
) -> list[Outcome]:
    """Store labels, idempotently per sample, answer and reviewer, and reopen the buckets that changed. Same order.

    newest_wins: a label that was given before the one in the store does not replace it. Cost: 4 statements a batch.
    """
    ids = sorted({label.sample_id for label in batch})
    columns = (samples.c.request_id, samples.c.served_tier, samples.c.reference_tier, samples.c.started_at)
    known = {
        str(row.request_id): row
        for row in await connection.execute(sa.select(*columns).where(samples.c.request_id.in_(ids)))
    }
    obtained: dict[str, set[str]] = {}
    for request_id, tier in await connection.execute(
        sa.select(answers.c.request_id, answers.c.tier).where(
            answers.c.request_id.in_(ids), answers.c.repeat == 0, answers.c.outcome == "ok"
        )
    ):
        obtained.setdefault(str(request_id), set()).add(tier)
    stored = {
        (str(row.request_id), row.tier, row.reviewer): (row.label, row.labelled_at)
        for row in await connection.execute(sa.select(labels).where(labels.c.request_id.in_(ids), labels.c.repeat == 0))
    }
    outcomes: list[Outcome] = []
    changed: dict[tuple[str, str, str], tuple[int, datetime]] = {}
    for label in batch:
        sample = known.get(label.sample_id)
        tier = _tier_meant(sample, label.which, obtained.get(label.sample_id, ())) if sample is not None else None
        if tier is None:
            outcomes.append("unknown")
            continue
        key = (label.sample_id, tier, label.reviewer)
        outcome = _outcome(stored.get(key), label, newest_wins=newest_wins)
        outcomes.append(outcome)
        if outcome in {"new", "changed"}:
            stored[key] = changed[key] = (label.label, label.labelled_at)
    if changed:
        await _upsert(connection, changed)
        await mark(connection, (known[sample_id].started_at for sample_id, _, _ in changed))
    return outcomes


def _outcome(before: tuple[int, datetime] | None, label: Label, *, newest_wins: bool) -> Outcome:
    if before is None:
        return "new"
    if before[0] == label.label:
        return "same"
    return "older" if newest_wins and label.labelled_at < before[1] else "changed"


async def _upsert(connection: AsyncConnection, changed: Mapping[tuple[str, str, str], tuple[int, datetime]]) -> None:
    statement = insert(labels)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["request_id", "tier", "repeat", "reviewer"],
            set_={"label": statement.excluded.label, "labelled_at": statement.excluded.labelled_at},
        ),
        [
            {
                "request_id": sample_id,
                "tier": tier,
                "repeat": 0,
                "reviewer": reviewer,
                "label": label,
                "labelled_at": labelled_at,
            }
            for (sample_id, tier, reviewer), (label, labelled_at) in changed.items()
        ],
    )


async def all_labels(connection: AsyncConnection) -> AsyncIterator[Label]:
    """Every label, oldest first; `which` is served or reference where the answer is one of these, else its tier."""
    query = (
        sa.select(labels, samples.c.served_tier, samples.c.reference_tier)
        .join(samples, samples.c.request_id == labels.c.request_id)
        .where(labels.c.repeat == 0)
        .order_by(labels.c.labelled_at, labels.c.request_id, labels.c.tier, labels.c.reviewer)
    )
    async for row in await connection.stream(query):
        which = "served" if row.tier == row.served_tier else "reference" if row.tier == row.reference_tier else row.tier
        yield Label(
            sample_id=str(row.request_id),
            which=which,
            label=row.label,
            reviewer=row.reviewer,
            labelled_at=row.labelled_at,
        )


async def count_labels(connection: AsyncConnection) -> int:
    """How many labels `all_labels` yields."""
    return int(await connection.scalar(sa.select(sa.func.count()).where(labels.c.repeat == 0)) or 0)


async def waiting_samples(connection: AsyncConnection, request_ids: Sequence[str]) -> list[WaitingSample]:
    """These samples with their texts and every answer obtained, in this order; without those still being mirrored."""
    texts = (
        sa.select(samples.c.request_id, sample_texts.c.prompt, sample_texts.c.request_body, sample_texts.c.dialect)
        .join(sample_texts, sample_texts.c.request_id == samples.c.request_id)
        .where(samples.c.request_id.in_(request_ids), samples.c.state != "sampled")
    )
    found = {str(row.request_id): row for row in await connection.execute(texts)}
    obtained: dict[str, list[tuple[str, str]]] = {}
    for row in await connection.execute(
        sa.select(answers.c.request_id, answers.c.tier, answers.c.completion).where(
            answers.c.request_id.in_(request_ids), answers.c.repeat == 0, answers.c.outcome == "ok"
        )
    ):
        obtained.setdefault(str(row.request_id), []).append((row.tier, row.completion or ""))
    return [
        WaitingSample(
            sample_id=request_id,
            prompt=found[request_id].prompt,
            request_body=found[request_id].request_body,
            dialect=found[request_id].dialect,
            answers=tuple(obtained.get(request_id, ())),
        )
        for request_id in request_ids
        if request_id in found
    ]


async def waiting_for_label(connection: AsyncConnection, limit: int | None) -> list[str]:
    """Samples that a reviewer is to look at: `down_rated` first, at most half of `limit`; then those drawn for it.

    The drawn ones come oldest first, whatever was said about them: a reviewer who stops early must not have chosen by it.
    No verdict is needed.
    """
    extra = await down_rated(connection, None if limit is None else limit // 2)
    drawn = await _drawn_for_label(connection, None if limit is None else limit - len(extra))
    return [*extra, *drawn]


async def down_rated(connection: AsyncConnection, limit: int | None) -> list[str]:
    """Samples that a client rated down, were not drawn for a reviewer and have no label yet, newest first.

    An extra stratum: worth a look, and never part of an estimate, as nothing says how likely a client is to complain.
    """
    complained = sa.exists().where(
        feedback.c.request_id == samples.c.request_id,
        feedback.c.tier == samples.c.served_tier,
        feedback.c.source == "user",
        feedback.c.rating == "down",
    )
    query = (
        sa.select(samples.c.request_id)
        .where(_has_texts(), complained, ~samples.c.label_drawn, ~samples.c.decided_label_drawn, ~_labelled())
        .order_by(samples.c.started_at.desc())
        .limit(limit)
    )
    return [str(request_id) for request_id in await connection.scalars(query)]


def _has_texts() -> sa.ColumnElement[bool]:
    """Whether there is anything to look at: retention deletes texts long before rows."""
    return samples.c.texts_deleted_at.is_(None)


def _labelled(tier: sa.Column[str] = samples.c.served_tier) -> sa.Exists:
    return sa.exists().where(labels.c.request_id == samples.c.request_id, labels.c.tier == tier, labels.c.repeat == 0)


async def _drawn_for_label(connection: AsyncConnection, limit: int | None) -> list[str]:
    """Drawn for the served answer, or in mode observe for that of the tier decided for, as soon as it is there."""
    obtained = sa.exists().where(
        answers.c.request_id == samples.c.request_id,
        answers.c.tier == samples.c.decided_tier,
        answers.c.repeat == 0,
        answers.c.outcome == "ok",
    )
    query = (
        sa.select(samples.c.request_id)
        .where(
            _has_texts(),
            sa.or_(
                samples.c.label_drawn & ~_labelled(),
                samples.c.decided_label_drawn & obtained & ~_labelled(samples.c.decided_tier),
            ),
        )
        .order_by(samples.c.started_at)
        .limit(limit)
    )
    return [str(request_id) for request_id in await connection.scalars(query)]


async def save_gold_checks(
    connection: AsyncConnection,
    reviewer: str,
    checks: Sequence[tuple[str, int, int]],
    *,
    now: datetime | None = None,
) -> None:
    """Store (item id, truth, label) checks of a reviewer; idempotent per item, the first word on it counts."""
    if checks:
        when = {} if now is None else {"checked_at": now}
        await connection.execute(
            insert(gold_checks).on_conflict_do_nothing(),
            [
                {"reviewer": reviewer, "item_id": item, "truth": truth, "label": label} | when
                for item, truth, label in checks
            ],
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
