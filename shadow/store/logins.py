"""Which browsers are logged in, and as whom? By the hash of a random cookie; a login ends with its token."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.access.identity import Identity
from shadow.store import audit
from shadow.store.schema_access import logins, tokens
from shadow.store.tokens import TokenRow, used

_COLUMNS = [tokens.c[name] for name in TokenRow.__dataclass_fields__]


async def log_in(connection: AsyncConnection, identity: Identity, *, lasts: timedelta, now: datetime) -> str:
    """A new login; returns the cookie's value, which is kept nowhere. What has expired goes."""
    cookie = secrets.token_urlsafe(32)
    await connection.execute(sa.delete(logins).where(logins.c.expires_at <= now))
    await connection.execute(
        sa.insert(logins).values(
            digest=_digest(cookie), token_id=identity.token_id, created_at=now, expires_at=now + lasts
        )
    )
    details = {"token": identity.token_id, "role": identity.role}
    await audit.record(
        connection, actor=identity.name, action="login.opened", subject="console", details=details, now=now
    )
    return cookie


async def logged_in(connection: AsyncConnection, cookie: str, *, now: datetime) -> Identity | None:
    """Who is logged in with this cookie; None where nobody is, or not any more."""
    query = (
        sa.select(*_COLUMNS)
        .join(logins, logins.c.token_id == tokens.c.id)
        .where(logins.c.digest == _digest(cookie), logins.c.expires_at > now)
    )
    found = (await connection.execute(query)).mappings().first()
    if found is None or not (row := TokenRow(**found)).valid(now):
        return None
    await used(connection, row, now=now)
    return Identity(name=row.name, role=row.role, token_id=row.id)


async def log_out(connection: AsyncConnection, cookie: str) -> None:
    """End a login, if there is one."""
    await connection.execute(sa.delete(logins).where(logins.c.digest == _digest(cookie)))


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
