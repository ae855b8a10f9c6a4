"""How is PostgreSQL reached? One async engine per process, with limits so that a hanging database is an error, not a hang."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shadow.errors import StoreError


def engine_for(url: str, *, pool_size: int = 4, statement_timeout_seconds: float = 60.0) -> AsyncEngine:
    """An engine for a `postgresql+psycopg://` URL. Plain `postgresql://` and `postgres://` are accepted too.

    Raises: StoreError for any other database.
    """
    return create_async_engine(
        psycopg_url(url),
        pool_size=pool_size,
        max_overflow=2,
        pool_pre_ping=True,
        pool_timeout=15,
        connect_args={
            "connect_timeout": 5,
            "options": f"-c statement_timeout={int(statement_timeout_seconds * 1000)} -c timezone=UTC",
        },
    )


def psycopg_url(url: str) -> str:
    """The URL with the driver named, as SQLAlchemy wants it."""
    scheme, separator, rest = url.partition("://")
    # What is not understood is not repeated: there may be a password in it.
    if not separator:
        raise StoreError("database.url: is no URL; give a postgresql:// URL or leave it null")
    if scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise StoreError(f"database.url: {scheme!r} is not supported; give a postgresql:// URL or leave it null")
    full = f"postgresql+psycopg://{rest}"
    try:
        make_url(full)
    except (ArgumentError, ValueError):
        raise StoreError(
            "database.url: cannot be read; it must look like postgresql://user:password@host:5432/name"
        ) from None
    return full


def libpq_url(url: str) -> str:
    """The URL without a driver name, as psycopg and procrastinate want it."""
    return "postgresql://" + psycopg_url(url).partition("://")[2]


def utc_now() -> datetime:
    """The clock of every process: aware, UTC."""
    return datetime.now(UTC)


__all__ = ["AsyncConnection", "AsyncEngine", "engine_for", "libpq_url", "psycopg_url", "utc_now"]
