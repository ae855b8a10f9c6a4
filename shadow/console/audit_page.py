"""Where does a person see who decided what? `/audit`: the rows, newest first, and on demand whether the chain holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from shadow.access.audit_heads import heads_file, noted_heads, verify_noted
from shadow.access.audit_text import details_line, verified_sentence
from shadow.console.parameters import Word
from shadow.settings import Settings
from shadow.store import audit
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine, utc_now

ROWS = 50


def add_audit_page(
    routes: APIRouter,
    settings: Settings,
    engine: AsyncEngine,
    *,
    render: Callable[..., HTMLResponse],
) -> None:
    """`/audit`."""

    @routes.get("/audit")
    async def audit_page(
        before: Annotated[int | None, Query(ge=1, lt=2**63)] = None, action: Word = None, *, check: bool = False
    ) -> HTMLResponse:
        async with reading(engine) as connection:
            rows = await audit.listed(connection, limit=ROWS, before=before, action=action)
            found = await verify_noted(connection, settings) if check else None
        said = verified_sentence(found, heads=len(noted_heads(heads_file(settings)))) if found else None
        lines = [(row, details_line(row.details)) for row in rows]
        older = rows[-1].id if len(rows) == ROWS else None
        broken = found is not None and found.problem is not None
        return render("audit.html", lines=lines, said=said, broken=broken, older=older, action=action, now=utc_now())
