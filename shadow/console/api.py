"""What can a program ask the control API? Figures, requests, samples, judgments, labels, policies and spend."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from shadow.console.answers import ApiError, ErrorBody
from shadow.report import build_report
from shadow.report_json import report_json
from shadow.settings import Settings
from shadow.store import console_samples, console_traffic, labels, policies
from shadow.store.console_rows import (
    JudgmentRow,
    LabelRow,
    LedgerRow,
    RequestRow,
    SampleDetail,
    SampleRow,
    SpendRow,
    Usd,
)
from shadow.store.console_session import cursor_after, reading, translated, writing
from shadow.store.engine import AsyncEngine, utc_now

Limit = Annotated[int, Query(ge=1, le=500, description="Rows of one page, at most.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.")]
SampleId = Annotated[uuid.UUID | None, Query(description="Only of this sample.")]
Tier = Annotated[str | None, Query(description="Only of this tier.")]
Verdict = Annotated[Literal["accept", "reject", "abstain"] | None, Query()]
Days = Annotated[float, Query(gt=0, le=400, description="Width of the window that ends now.")]

Row = TypeVar("Row")

#: The widest window over raw exchanges, for figures that no roll-up holds.
RAW_DAYS = 7.0


class RequestPage(BaseModel):
    items: list[RequestRow]
    next: str | None


class SamplePage(BaseModel):
    items: list[SampleRow]
    next: str | None


class NewLabel(BaseModel):
    """A reviewer's word on one answer. which: "served", "reference" or a tier."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    sample_id: uuid.UUID
    which: str = Field(min_length=1, max_length=64)
    label: Annotated[int, Field(ge=0, le=1, strict=True)]
    reviewer: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")


class SavedLabel(BaseModel):
    sample_id: uuid.UUID
    which: str
    label: int
    reviewer: str
    labelled_at: datetime


class PolicyAnswer(BaseModel):
    """in_force: whether routers use it now."""

    version: int
    thresholds: dict[str, float]
    band: float
    created_at: datetime
    author: str
    origin: str
    reason: str
    in_force: bool


class Shadow(BaseModel):
    """The shadow ledger by UTC day, and the caps in force."""

    days: list[LedgerRow]
    mirror_cap_usd_per_day: float
    judge_cap_usd_per_day: float


class Spend(BaseModel):
    """by_user rests on raw exchanges and so looks back RAW_DAYS at most, from `by_user_since`."""

    since: datetime
    until: datetime
    total_usd: Usd
    by_tier: list[SpendRow]
    by_feature: list[SpendRow]
    by_query_type: list[SpendRow]
    by_user: list[SpendRow]
    by_user_since: datetime
    unanswered: SpendRow
    shadow: Shadow


def api_routes(settings: Settings, engine: AsyncEngine) -> APIRouter:
    """The routes, relative to `/api/v1`."""
    routes = APIRouter(responses={422: {"model": ErrorBody}, 503: {"model": ErrorBody}})
    window = settings.rollup.window_days

    @routes.get("/metrics")
    async def metrics(days: Days = window) -> dict[str, Any]:
        """Per tier and overall: accuracy raw and corrected with intervals, coverage, escalation by reason, cost per success, savings."""
        until = utc_now()
        with translated():
            found = await build_report(
                engine, tiers=settings.tier_names, since=until - timedelta(days=days), until=until
            )
        return report_json(found)

    @routes.get("/requests")
    async def requests(
        tier: Tier = None,
        user: str | None = None,
        feature: str | None = None,
        status: Literal["answered", "failed", "cancelled"] | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> RequestPage:
        """The last exchanges, newest first."""
        filters = _given(tier=tier, user=user, feature=feature, status=status)
        async with reading(engine) as connection:
            items = await _page(console_traffic.last_requests(connection, filters=filters, limit=limit, cursor=cursor))
        more = len(items) == limit
        return RequestPage(items=items, next=cursor_after(items[-1].started_at, items[-1].request_id) if more else None)

    @routes.get("/samples")
    async def samples(
        state: Literal["sampled", "mirrored", "judged", "abstained", "failed", "shed"] | None = None,
        arm: Literal["up", "down", "control"] | None = None,
        tier: Tier = None,
        query_type: str | None = None,
        verdict: Verdict = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> SamplePage:
        """Mirrored requests, newest first; `verdict` is the one on the served answer."""
        filters = _given(state=state, arm=arm, tier=tier, query_type=query_type, verdict=verdict)
        async with reading(engine) as connection:
            items = await _page(console_samples.last_samples(connection, filters=filters, limit=limit, cursor=cursor))
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
        judge: str | None = None,
        tier: Tier = None,
        verdict: Verdict = None,
        limit: Limit = 50,
    ) -> list[JudgmentRow]:
        """What the judges said of the newest samples."""
        filters = _given(sample_id=sample_id, judge=judge, tier=tier, verdict=verdict)
        async with reading(engine) as connection:
            return await console_samples.last_judgments(connection, filters=filters, limit=limit)

    @routes.get("/labels")
    async def list_labels(
        sample_id: SampleId = None, reviewer: str | None = None, tier: Tier = None, limit: Limit = 50
    ) -> list[LabelRow]:
        """Human labels, newest first."""
        filters = _given(sample_id=sample_id, reviewer=reviewer, tier=tier)
        async with reading(engine) as connection:
            return await console_samples.last_labels(connection, filters=filters, limit=limit)

    @routes.post("/labels", status_code=201, responses={404: {"model": ErrorBody}})
    async def label(new: NewLabel) -> SavedLabel:
        """Store one label; the same reviewer on the same answer again replaces it."""
        saved = SavedLabel(**new.model_dump(), labelled_at=utc_now())
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

    @routes.get("/policies")
    async def list_policies(limit: Limit = 50) -> list[PolicyAnswer]:
        """Threshold policies, newest first; the first one is in force."""
        async with reading(engine) as connection:
            rows = await policies.history(connection, limit)
        return [_policy(row, in_force=position == 0) for position, row in enumerate(rows)]

    @routes.get("/spend")
    async def spend(days: Days = 1.0, users: Limit = 50) -> Spend:
        """What answering cost by tier, feature, query type and user, and what mirroring and judging cost beside it."""
        until = utc_now()
        since, by_user_since = until - timedelta(days=days), until - timedelta(days=min(days, RAW_DAYS))
        async with reading(engine) as connection:
            by = {
                key: await console_traffic.spend_by(connection, key, since=since, until=until)
                for key in ("tier", "feature", "query_type")
            }
            unanswered = await console_traffic.unanswered_spend(connection, since=since, until=until)
            by_user = await console_traffic.spend_by_user(connection, since=by_user_since, until=until, limit=users)
            ledger = await console_traffic.ledger(connection, since=since)
        return Spend(
            since=since,
            until=until,
            total_usd=sum((row.cost_usd for row in by["tier"]), unanswered.cost_usd),
            by_tier=by["tier"],
            by_feature=by["feature"],
            by_query_type=by["query_type"],
            by_user=by_user,
            by_user_since=by_user_since,
            unanswered=unanswered,
            shadow=Shadow(
                days=ledger,
                mirror_cap_usd_per_day=settings.sampling.budget_usd_per_day,
                judge_cap_usd_per_day=settings.judges.budget_usd_per_day,
            ),
        )

    return routes


async def _page(rows: Awaitable[list[Row]]) -> list[Row]:
    """Rows of a page; a cursor that no page gave out is the caller's mistake."""
    try:
        return await rows
    except ValueError as exc:
        raise ApiError(422, "invalid", str(exc), param="cursor") from exc


def _policy(row: policies.PolicyRow, *, in_force: bool) -> PolicyAnswer:
    return PolicyAnswer(
        version=row.policy.version,
        thresholds=dict(row.policy.thresholds),
        band=row.policy.band,
        created_at=row.created_at,
        author=row.author,
        origin=row.origin,
        reason=row.reason,
        in_force=in_force,
    )


def _given(**filters: object) -> dict[str, str]:
    return {name: str(value) for name, value in filters.items() if value is not None}
