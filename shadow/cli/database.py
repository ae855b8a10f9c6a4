"""Which database does a command talk to? The configured one, a running embedded one, or the embedded one started for a moment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from shadow.access.identity import Role
from shadow.errors import StoreError
from shadow.settings import Settings

if TYPE_CHECKING:
    from shadow.store.engine import AsyncConnection

T = TypeVar("T")


@contextlib.contextmanager
def any_database(settings: Settings) -> Iterator[str]:
    """The URL, whatever state the schema is in."""
    from shadow.store.embedded import attached_or_started

    if settings.database.url:
        yield settings.database.url
        return
    with attached_or_started(settings.directory) as url:
        yield url


@contextlib.contextmanager
def store_url(settings: Settings) -> Iterator[str]:
    """The URL of a database with the newest schema. Raises: StoreError that says how to get there."""
    from shadow.store import migrate

    with any_database(settings) as url:
        revision = migrate.current(url)
        if revision is None:
            raise StoreError("the store is empty: run `shadow up` (or `shadow db upgrade`) first")
        if revision != migrate.head():
            raise StoreError(
                f"the store's schema is {revision}, this version needs {migrate.head()}: run `shadow db upgrade`"
            )
        yield url


def as_decider(
    url: str,
    settings: Settings,
    typed: str | None,
    work: Callable[[AsyncConnection, str], Awaitable[T]],
    *,
    needs: Role = "approver",
) -> T:
    """Do the work in one transaction that is signed by whoever decides; it is given their name. Raises: RefusedError."""
    from shadow.access.acting import acting

    async def signed(connection: AsyncConnection) -> T:
        return await work(connection, await acting(connection, settings, typed=typed, needs=needs))

    return in_one_transaction(url, signed)


def in_one_transaction(url: str, work: Callable[[AsyncConnection], Awaitable[T]], *, one_snapshot: bool = False) -> T:
    """Do the work on a connection of its own; committed if it returns. one_snapshot: all its reads see the same moment."""
    from shadow.store.engine import engine_for

    async def run() -> T:
        engine = engine_for(url, pool_size=1)
        if one_snapshot:
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        try:
            async with engine.begin() as connection:
                return await work(connection)
        finally:
            await engine.dispose()

    return asyncio.run(run())
