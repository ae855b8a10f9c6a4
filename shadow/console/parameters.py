"""What may a caller of the control API ask for? The query parameters that several routes share."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from typing import Annotated, Literal, TypeVar

from fastapi import Query
from pydantic import AwareDatetime

from shadow.console.answers import ApiError

Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=500, description="Rows of one page, at most.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before.")]
SampleId = Annotated[uuid.UUID | None, Query(description="Only of this sample.")]
#: Free text to compare with. PostgreSQL can't hold a NUL, so nothing that is stored has one.
Word = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
Verdict = Annotated[Literal["accept", "reject", "abstain"] | None, Query()]
Days = Annotated[float, Query(gt=0, le=400, description="Width of the window that ends now.")]


Instant = Annotated[AwareDatetime | None, Query(description="ISO 8601 with an offset.")]


def given(**filters: object) -> dict[str, str]:
    """The filters that the caller set."""
    return {name: str(value) for name, value in filters.items() if value is not None}


async def page(rows: Awaitable[list[Row]]) -> list[Row]:
    """Rows of a page; a cursor that no page gave out is the caller's mistake."""
    try:
        return await rows
    except ValueError as exc:
        raise ApiError(422, "invalid", str(exc), param="cursor") from exc
