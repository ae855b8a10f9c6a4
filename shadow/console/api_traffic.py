"""What can a program ask about traffic? Figures, the last requests and policies."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from shadow.console.parameters import Cursor, Days, Limit, Word, given, page
from shadow.going_live.reading import load_going_live
from shadow.going_live.text import going_live_json
from shadow.reports.as_json import report_json
from shadow.reports.window import build_report
from shadow.settings import Settings
from shadow.store import console_traffic, policies, proposals
from shadow.store.console_rows import RequestRow
from shadow.store.console_session import cursor_after, reading, translated
from shadow.store.engine import AsyncEngine, utc_now


class RequestPage(BaseModel):
    items: list[RequestRow]
    next: str | None


class PolicyAnswer(BaseModel):
    """in_force: whether routers use it now."""

    version: int
    thresholds: dict[str, float]
    band: float
    by_query_type: dict[str, dict[str, float]]
    created_at: datetime
    author: str
    origin: str
    reason: str
    in_force: bool


class ProposalAnswer(BaseModel):
    """evidence: what was known when it was made. applied_version: the policy it became."""

    id: int
    created_at: datetime
    status: Literal["certified", "uncertified"]
    state: proposals.State
    base_version: int
    thresholds: dict[str, float]
    by_query_type: dict[str, dict[str, float]]
    evidence: dict[str, Any]
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    applied_version: int | None


def add_traffic_routes(routes: APIRouter, settings: Settings, engine: AsyncEngine) -> None:
    """Metrics, requests, policies, proposals."""
    window = settings.rollup.window_days

    @routes.get("/going-live")
    async def ready() -> dict[str, Any]:
        """Per query type: whether going live is certified, with which thresholds, and what is missing. Takes seconds."""
        async with reading(engine) as connection:
            return going_live_json(await load_going_live(connection, settings))

    @routes.get("/metrics")
    async def metrics(days: Days = window) -> dict[str, Any]:
        """Per tier and overall: accuracy raw and corrected, coverage, escalation, cost per success, savings; with intervals."""
        until = utc_now()
        with translated():
            found = await build_report(
                engine, tiers=settings.tier_names, since=until - timedelta(days=days), until=until
            )
        return report_json(found)

    @routes.get("/requests")
    async def requests(
        tier: Word = None,
        user: Word = None,
        feature: Word = None,
        status: Literal["answered", "failed", "cancelled"] | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> RequestPage:
        """The last exchanges, newest first."""
        filters = given(tier=tier, user=user, feature=feature, status=status)
        async with reading(engine) as connection:
            items = await page(console_traffic.last_requests(connection, filters=filters, limit=limit, cursor=cursor))
        more = len(items) == limit
        return RequestPage(items=items, next=cursor_after(items[-1].started_at, items[-1].request_id) if more else None)

    @routes.get("/policies")
    async def list_policies(limit: Limit = 50) -> list[PolicyAnswer]:
        """Threshold policies, newest first; the first one is in force."""
        async with reading(engine) as connection:
            rows = await policies.history(connection, limit)
        return [_policy(row, in_force=position == 0) for position, row in enumerate(rows)]

    @routes.get("/proposals")
    async def list_proposals(limit: Limit = 50) -> list[ProposalAnswer]:
        """Thresholds that the tuner proposed, newest first, with their evidence; `open` waits for a decision."""
        async with reading(engine) as connection:
            rows = await proposals.listed(connection, limit=limit)
        return [ProposalAnswer(**asdict(row)) for row in rows]


def _policy(row: policies.PolicyRow, *, in_force: bool) -> PolicyAnswer:
    return PolicyAnswer(
        version=row.policy.version,
        thresholds=dict(row.policy.thresholds),
        band=row.policy.band,
        by_query_type={query_type: dict(own) for query_type, own in row.policy.by_query_type.items()},
        created_at=row.created_at,
        author=row.author,
        origin=row.origin,
        reason=row.reason,
        in_force=in_force,
    )
