"""What can a program ask about scorers? Those that were trained to replace the one in force, with what later requests say."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from shadow.console.parameters import Limit
from shadow.store import challengers
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine


class ScorerAnswer(BaseModel):
    """champion: the scorer in force when it was trained. It learned from trained_from up to cut_off_at; comparison is on later
    requests only, null until there are enough pairs. `proposed` waits for `shadow scorer adopt` or `reject`."""

    id: int
    created_at: datetime
    state: challengers.State
    champion: str
    trained_from: datetime
    cut_off_at: datetime
    version: str | None
    data_sha256: str | None
    training: dict[str, Any] | None
    looks: int
    comparison: dict[str, Any] | None
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


def add_scorer_routes(routes: APIRouter, engine: AsyncEngine) -> None:
    """Challengers."""

    @routes.get("/scorers")
    async def list_scorers(limit: Limit = 50) -> list[ScorerAnswer]:
        """Scorers trained anew, newest first; `proposed` waits for a decision."""
        async with reading(engine) as connection:
            rows = await challengers.listed(connection, limit=limit)
        return [ScorerAnswer(**asdict(row)) for row in rows]
