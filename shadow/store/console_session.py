"""How does the console read? Read-only, one snapshot per page, with a short time limit, so that a page never hurts the store."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shadow.access.identity import current
from shadow.errors import StoreError
from shadow.store.tokens import sign_as

READ_SECONDS = 10


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A read-only snapshot. Raises: StoreError where the database can't be reached or is too slow."""
    with translated():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            await connection.execute(sa.text(f"SET LOCAL statement_timeout = '{READ_SECONDS}s'"))
            yield connection


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, signed by whoever acts. Raises: StoreError where the database can't be reached."""
    with translated():
        async with engine.begin() as connection:
            identity = current()
            if identity is not None and identity.token_id is not None:
                await sign_as(connection, identity.token_id)
            yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Failures to reach the database become StoreError; a mistake in a statement stays what it is."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError, OSError) as exc:
        lines = str(getattr(exc, "orig", None) or exc).splitlines()
        raise StoreError(f"the database cannot be read now: {lines[0] if lines else type(exc).__name__}") from exc


def cursor_after(started_at: datetime, request_id: str) -> str:
    """Where the next page starts, as an opaque word."""
    return base64.urlsafe_b64encode(f"{started_at.isoformat()} {request_id}".encode()).decode()


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """The position in a cursor. Raises: ValueError for a word that no page gave out."""
    try:
        instant, _, request_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        position = datetime.fromisoformat(instant), str(uuid.UUID(request_id))
    except (ValueError, binascii.Error, UnicodeError) as exc:
        raise ValueError("cursor: not one that a page of this API gave out") from exc
    if position[0].tzinfo is None:
        raise ValueError("cursor: not one that a page of this API gave out")
    return position
