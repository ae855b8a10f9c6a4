"""What can a program ask about samples, and how does it hand in a label?"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from shadow.console.answers import ApiError, ErrorBody
from shadow.console.api_labels import reviewer_of
from shadow.console.parameters import Cursor, Instant, Limit, SampleId, Verdict, Word, given, page
from shadow.store import console_samples, feedback, labels
from shadow.store.console_rows import JudgmentRow, LabelRow, SampleDetail, SampleRow
from shadow.store.console_session import cursor_after, reading, writing
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.feedback import FeedbackRow


class SamplePage(BaseModel):
    items: list[SampleRow]
    next: str | None


class NewLabel(BaseModel):
    """A reviewer's word on one answer. which: "served", "reference" or a tier."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    sample_id: uuid.UUID
    which: str = Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")
    label: Annotated[int, Field(ge=0, le=1, strict=True)]
    reviewer: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")


class SavedLabel(BaseModel):
    sample_id: uuid.UUID
    which: str
    label: int
    reviewer: str
    labelled_at: datetime


def add_sample_routes(routes: APIRouter, engine: AsyncEngine) -> None:
    """Samples, judgments, labels."""

    @routes.get("/samples")
    async def samples(
        state: Literal["sampled", "mirrored", "judged", "abstained", "failed", "shed"] | None = None,
        arm: Literal["up", "down", "control"] | None = None,
        tier: Word = None,
        query_type: Word = None,
        feature: Word = None,
        verdict: Verdict = None,
        since: Instant = None,
        until: Instant = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> SamplePage:
        """Mirrored requests, newest first; `verdict` is the one on the served answer, an empty `feature` is none."""
        filters = given(state=state, arm=arm, tier=tier, query_type=query_type, feature=feature, verdict=verdict)
        async with reading(engine) as connection:
            items = await page(
                console_samples.last_samples(
                    connection, filters=filters, limit=limit, cursor=cursor, since=since, until=until
                )
            )
        more = len(items) == limit
        return SamplePage(items=items, next=cursor_after(items[-1].started_at, items[-1].sample_id) if more else None)

    @routes.get("/samples/{sample_id}", responses={404: {"model": ErrorBody}})
    async def sample(sample_id: uuid.UUID) -> SampleDetail:
        """One sample with its prompt, every answer, and all judgments and labels of each."""
        async with reading(engine) as connection:
            found = await console_samples.sample_detail(connection, str(sample_id))
        if found is None:
            raise ApiError(404, "not_found", f"there is no sample {sample_id}", param="sample_id")
        return found

    @routes.get("/judgments")
    async def judgments(
        sample_id: SampleId = None,
        judge: Word = None,
        tier: Word = None,
        verdict: Verdict = None,
        limit: Limit = 50,
    ) -> list[JudgmentRow]:
        """What the judges said of the newest samples."""
        filters = given(sample_id=sample_id, judge=judge, tier=tier, verdict=verdict)
        async with reading(engine) as connection:
            return await console_samples.last_judgments(connection, filters=filters, limit=limit)

    @routes.get("/labels")
    async def list_labels(
        sample_id: SampleId = None, reviewer: Word = None, tier: Word = None, limit: Limit = 50
    ) -> list[LabelRow]:
        """Human labels, newest first."""
        filters = given(sample_id=sample_id, reviewer=reviewer, tier=tier)
        async with reading(engine) as connection:
            return await console_samples.last_labels(connection, filters=filters, limit=limit)

    @routes.get("/feedback")
    async def list_feedback(
        rating: Literal["up", "down"] | None = None,
        source: Literal["user", "retry", "session"] | None = None,
        tier: Word = None,
        limit: Limit = 50,
    ) -> list[FeedbackRow]:
        """What clients said of answers or let show, newest first. Self-selected: no label, and in no estimate."""
        async with reading(engine) as connection:
            return await feedback.last_feedback(connection, rating=rating, source=source, tier=tier, limit=limit)

    @routes.post("/labels", status_code=201, responses={404: {"model": ErrorBody}})
    async def label(new: NewLabel) -> SavedLabel:
        """Store one label; the same reviewer on the same answer again replaces it."""
        name = reviewer_of(new.reviewer, None) or new.reviewer
        saved = SavedLabel(**{**new.model_dump(), "reviewer": name}, labelled_at=utc_now())
        async with writing(engine) as connection:
            known = await labels.save_label(
                connection,
                labels.Label(
                    sample_id=str(saved.sample_id),
                    which=saved.which,
                    label=saved.label,
                    reviewer=saved.reviewer,
                    labelled_at=saved.labelled_at,
                ),
            )
        if not known:
            raise ApiError(404, "not_found", f"sample {new.sample_id} has no answer {new.which!r}", param="which")
        return saved
