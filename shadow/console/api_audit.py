"""What can a program ask about decisions? The rows of the audit, and whether the chain holds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from shadow.access.audit_heads import heads_file, noted_heads, verify_noted
from shadow.access.audit_text import audit_json, verified_json
from shadow.console.parameters import Limit, Word
from shadow.settings import Settings
from shadow.store import audit
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine


class AuditAnswer(BaseModel):
    """row_hash: SHA-256 over the canonical JSON of all else; previous_hash: that of the row before, zeros for the first."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    previous_hash: str
    row_hash: str


class VerifiedAnswer(BaseModel):
    """head: `id:row_hash` of the last row. noted_heads: how many heads from outside the database it was held against."""

    ok: bool
    rows: int
    head: str | None
    noted_heads: int
    broken_at: int | None
    problem: str | None


def add_audit_routes(routes: APIRouter, settings: Settings, engine: AsyncEngine) -> None:
    """Decisions."""

    @routes.get("/audit")
    async def list_audit(
        limit: Limit = 50,
        before: Annotated[int | None, Query(ge=1, lt=2**63, description="Only rows with a smaller number.")] = None,
        actor: Word = None,
        action: Word = None,
        subject: Word = None,
    ) -> list[AuditAnswer]:
        """Decisions, newest first. action: a whole one such as `policy.applied`, or a noun for all its verbs."""
        async with reading(engine) as connection:
            rows = await audit.listed(
                connection, limit=limit, before=before, actor=actor, action=action, subject=subject
            )
        return [AuditAnswer(**audit_json(row)) for row in rows]

    @routes.get("/audit/verify")
    async def verify_audit() -> VerifiedAnswer:
        """Whether every row follows the one before, and fits the heads noted outside the database. Reads all rows."""
        async with reading(engine) as connection:
            found = await verify_noted(connection, settings)
        return VerifiedAnswer(**verified_json(found, heads=len(noted_heads(heads_file(settings)))))
