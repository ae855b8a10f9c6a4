"""Which pairs is a link about? `/pairs`: samples of a cell and a stretch of time, with both answers and what the judges said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from shadow.console.parameters import Cursor, Instant, Verdict, Word, given
from shadow.store.console_samples import filtered_pairs
from shadow.store.console_session import cursor_after, reading
from shadow.store.engine import AsyncEngine, utc_now

PAIRS = 20


def add_pair_page(
    routes: APIRouter,
    engine: AsyncEngine,
    *,
    render: Callable[..., HTMLResponse],
) -> None:
    """`/pairs`."""

    @routes.get("/pairs")
    async def pairs(
        tier: Word = None,
        query_type: Word = None,
        feature: Word = None,
        verdict: Verdict = "reject",
        mode: Literal["route", "observe"] | None = None,
        since: Instant = None,
        until: Instant = None,
        cursor: Cursor = None,
    ) -> HTMLResponse:
        """Newest first; in mode observe `tier` is the one decided for, and so is the verdict."""
        filters = given(tier=tier, query_type=query_type, feature=feature, verdict=verdict, mode=mode)
        try:
            async with reading(engine) as connection:
                found = await filtered_pairs(
                    connection, filters=filters, limit=PAIRS, cursor=cursor, since=since, until=until
                )
        except ValueError:
            return render(
                "message.html", 422, title="No such page of pairs", text="The link was cut off or is too old."
            )
        asked: dict[str, Any] = {**filters}
        asked |= {name: at.isoformat() for name, at in (("since", since), ("until", until)) if at is not None}
        last = found[-1].sample if len(found) == PAIRS else None
        more = None if last is None else {**asked, "cursor": cursor_after(last.started_at, last.sample_id)}
        return render(
            "pair_list.html",
            pairs=found,
            filters=filters,
            since=since,
            until=until,
            more=None if more is None else f"/pairs?{urlencode(more)}",
            now=utc_now(),
        )
