"""What became of the sampled requests? Lists of samples, judgments and labels, and one sample with all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.console_rows import AnswerRow, JudgmentRow, LabelRow, SampleDetail, SampleRow
from shadow.store.console_session import read_cursor
from shadow.store.feedback import feedback_of
from shadow.store.schema import answers, judgments, labels, sample_texts, samples

_SAMPLE_FILTERS: Mapping[str, sa.ColumnElement[Any]] = {
    "state": samples.c.state,
    "arm": samples.c.arm,
    "tier": samples.c.served_tier,
    "query_type": samples.c.query_type,
    "feature": samples.c.feature,
    "mode": samples.c.mode,
    "verdict": answers.c.verdict,
}


_RENAMED = {"sample_id": "request_id"}


async def last_samples(
    connection: AsyncConnection,
    *,
    filters: Mapping[str, str],
    limit: int,
    cursor: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[SampleRow]:
    """Newest first. filters: state, arm, tier, query_type, feature, mode, verdict (on the served answer). since, until: aware,
    half open.

    Raises: ValueError for a bad cursor.
    """
    query = _samples().order_by(samples.c.started_at.desc(), samples.c.request_id.desc()).limit(limit)
    query = query.where(*_within(filters, cursor, since, until))
    return [_sample_row(row) for row in (await connection.execute(query)).mappings()]


async def filtered_pairs(
    connection: AsyncConnection,
    *,
    filters: Mapping[str, str],
    limit: int,
    cursor: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[SampleDetail]:
    """The same samples with every answer, judgment and label of each. With mode observe, tier and verdict are of what was decided
    for. Raises: ValueError for a bad cursor."""
    return await _details(connection, sa.and_(*_within(filters, cursor, since, until)), limit=limit)


def _within(
    filters: Mapping[str, str], cursor: str | None, since: datetime | None, until: datetime | None
) -> list[sa.ColumnElement[bool]]:
    own = dict(filters)
    found: list[sa.ColumnElement[bool]] = [sa.true()]
    if own.get("mode") == "observe":
        # What was decided for is what is asked about: the tier, and what the panel said of its answer.
        verdict, decided = own.pop("verdict", None), answers.alias()
        if "tier" in own:
            found.append(samples.c.decided_tier == own.pop("tier"))
        if verdict is not None:
            same = sa.and_(decided.c.request_id == samples.c.request_id, decided.c.tier == samples.c.decided_tier)
            found.append(sa.exists().where(same, decided.c.repeat == 0, decided.c.verdict == verdict))
    found += [_SAMPLE_FILTERS[name] == value for name, value in own.items()]
    if since is not None:
        found.append(samples.c.started_at >= since)
    if until is not None:
        found.append(samples.c.started_at < until)
    if cursor is not None:
        instant, request_id = read_cursor(cursor)
        after = sa.tuple_(instant, sa.cast(request_id, sa.UUID))
        found += [
            samples.c.started_at <= instant,
            sa.tuple_(samples.c.started_at, samples.c.request_id) < after,
        ]
    return found


async def sample_detail(connection: AsyncConnection, sample_id: str) -> SampleDetail | None:
    """A sample with every answer, judgment and label; None if there is none of that id."""
    found = await _details(connection, samples.c.request_id == sample_id, limit=1)
    return found[0] if found else None


async def divergent_pairs(connection: AsyncConnection, limit: int) -> list[SampleDetail]:
    """The newest served answers that the panel rejected against the reference tier's answer."""
    other = answers.alias()
    has_reference = sa.exists().where(
        other.c.request_id == samples.c.request_id,
        other.c.tier == samples.c.reference_tier,
        other.c.outcome == "ok",
        ~other.c.served,
    )
    return await _details(connection, sa.and_(answers.c.verdict == "reject", has_reference), limit=limit)


async def last_judgments(connection: AsyncConnection, *, filters: Mapping[str, str], limit: int) -> list[JudgmentRow]:
    """Of the newest samples. filters: sample_id, judge, verdict, tier."""
    query = (
        sa.select(*_judgment_columns())
        .join(samples, samples.c.request_id == judgments.c.request_id)
        .order_by(
            samples.c.started_at.desc(), judgments.c.request_id, judgments.c.tier, judgments.c.repeat, judgments.c.judge
        )
        .limit(limit)
    )
    for name, value in filters.items():
        query = query.where(judgments.c[_RENAMED.get(name, name)] == value)
    return [_judgment_row(row) for row in (await connection.execute(query)).mappings()]


async def last_labels(connection: AsyncConnection, *, filters: Mapping[str, str], limit: int) -> list[LabelRow]:
    """Newest first. filters: sample_id, reviewer, tier."""
    query = sa.select(*_label_columns()).order_by(labels.c.labelled_at.desc(), labels.c.request_id, labels.c.tier)
    for name, value in filters.items():
        query = query.where(labels.c[_RENAMED.get(name, name)] == value)
    return [_label_row(row) for row in (await connection.execute(query.limit(limit))).mappings()]


def _samples() -> sa.Select[Any]:
    own = [samples.c[f.name] for f in fields(SampleRow) if f.name in samples.c]
    labelled = sa.exists().where(labels.c.request_id == samples.c.request_id).label("labelled")
    return (
        sa.select(samples.c.request_id.label("sample_id"), *own, answers.c.verdict, answers.c.probability, labelled)
        .select_from(samples)
        .outerjoin(answers, sa.and_(answers.c.request_id == samples.c.request_id, answers.c.served))
    )


async def _details(connection: AsyncConnection, condition: sa.ColumnElement[bool], *, limit: int) -> list[SampleDetail]:
    query = _samples().where(condition).order_by(samples.c.started_at.desc(), samples.c.request_id.desc()).limit(limit)
    found = [_sample_row(row) for row in (await connection.execute(query)).mappings()]
    ids = [sample.sample_id for sample in found]
    if not ids:
        return []
    prompts = {
        str(request_id): prompt
        for request_id, prompt in await connection.execute(
            sa.select(sample_texts.c.request_id, sample_texts.c.prompt).where(sample_texts.c.request_id.in_(ids))
        )
    }
    said = [
        _judgment_row(row)
        for row in (
            await connection.execute(
                sa.select(*_judgment_columns()).where(judgments.c.request_id.in_(ids)).order_by(judgments.c.judge)
            )
        ).mappings()
    ]
    labelled = [
        _label_row(row)
        for row in (
            await connection.execute(
                sa.select(*_label_columns()).where(labels.c.request_id.in_(ids)).order_by(labels.c.labelled_at)
            )
        ).mappings()
    ]
    spoken = await feedback_of(connection, ids)
    given = await connection.execute(
        sa.select(answers)
        .where(answers.c.request_id.in_(ids))
        .order_by(answers.c.served.desc(), answers.c.tier, answers.c.repeat)
    )
    of: dict[str, list[AnswerRow]] = {sample_id: [] for sample_id in ids}
    for row in given.mappings():
        of[str(row["request_id"])].append(_answer_row(row, said, labelled))
    return [
        SampleDetail(
            sample=sample,
            prompt=prompts.get(sample.sample_id),
            answers=of[sample.sample_id],
            feedback=[row for row in spoken if row.request_id == sample.sample_id and row.tier is not None],
        )
        for sample in found
    ]


def _answer_row(row: sa.RowMapping, said: Sequence[JudgmentRow], labelled: Sequence[LabelRow]) -> AnswerRow:
    key = (str(row["request_id"]), row["tier"], row["repeat"])
    own = {f.name: row[f.name] for f in fields(AnswerRow) if f.name not in {"judgments", "labels"}}
    return AnswerRow(
        **own,
        judgments=[j for j in said if (j.sample_id, j.tier, j.repeat) == key],
        labels=[label for label in labelled if (label.sample_id, label.tier, label.repeat) == key],
    )


def _judgment_columns() -> list[sa.ColumnElement[Any]]:
    return [judgments.c.request_id.label("sample_id"), *(judgments.c[f.name] for f in fields(JudgmentRow)[1:])]


def _label_columns() -> list[sa.ColumnElement[Any]]:
    return [labels.c.request_id.label("sample_id"), *(labels.c[f.name] for f in fields(LabelRow)[1:])]


def _sample_row(row: sa.RowMapping) -> SampleRow:
    return SampleRow(**{**row, "sample_id": str(row["sample_id"])})


def _judgment_row(row: sa.RowMapping) -> JudgmentRow:
    return JudgmentRow(**{**row, "sample_id": str(row["sample_id"])})


def _label_row(row: sa.RowMapping) -> LabelRow:
    return LabelRow(**{**row, "sample_id": str(row["sample_id"])})
