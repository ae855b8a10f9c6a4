"""What can a program ask about the gold set?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from shadow.console.parameters import Limit
from shadow.store import gold
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine


def add_gold_routes(routes: APIRouter, engine: AsyncEngine) -> None:
    """The judges' record on the gold set."""

    @routes.get("/gold")
    async def list_gold(limit: Limit = 100) -> dict[str, Any]:
        """Versions of the gold set, and what each judge made of them, day by day, newest first. No items."""
        async with reading(engine) as connection:
            versions = [asdict(version) for version in await gold.versions(connection)]
            return {"versions": versions, "figures": await gold.figure_rows(connection, limit=limit)}
