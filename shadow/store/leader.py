"""Who runs the scheduled jobs, however many schedulers run? The one that holds an advisory lock of the database.

The lock belongs to a connection: it is gone the moment its holder dies, is cut off or lets go, and another one takes over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

LEADER_LOCK = 5_283_640_117_442_019  # any constant; the same for every scheduler


class Lead:
    """The lock while it is held."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def hold(self, *, check_seconds: float = 2.0) -> None:
        """Return only by raising: when the connection that holds the lock is lost."""
        while True:
            # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes together with the answer.
            async with asyncio.timeout(10):
                await self._connection.execute(sa.text("SELECT 1"))
            await asyncio.sleep(check_seconds)


@contextlib.asynccontextmanager
async def elected(engine: AsyncEngine, *, retry_seconds: float = 2.0) -> AsyncIterator[Lead]:
    """Wait until this process is the leader, and be it for the length of the block."""
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        claim = sa.text("SELECT pg_try_advisory_lock(:key)")
        while not await connection.scalar(claim, {"key": LEADER_LOCK}):  # noqa: ASYNC110 - the other is in another process
            await asyncio.sleep(retry_seconds)
        try:
            yield Lead(connection)
        finally:
            # A broken connection has lost the lock already; a pooled one must not keep it.
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                await connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": LEADER_LOCK})
