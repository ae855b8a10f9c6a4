"""Which tokens are there, and whose is this one? Only salted hashes are kept.

A token is 32 random bytes. Nobody guesses 256 bits, so a fast hash is enough: a slow one (scrypt, Argon2) exists to make guesses
of passwords dear, and would make each request dear instead. The salt keeps two stores from being compared.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.access.identity import AUTOMATIC, Identity, Role
from shadow.errors import RefusedError
from shadow.store import audit
from shadow.store.schema_access import access_state, logins, tokens

_TOKEN = re.compile(r"shadow_([a-z2-7]{8})_[A-Za-z0-9_-]{43}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
#: `last_used_at` is written at most so often.
_USED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """What is known of a token. prefix: its public part. expires_at: None for never."""

    id: int
    name: str
    role: Role
    prefix: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


_COLUMNS = [tokens.c[name] for name in TokenRow.__dataclass_fields__]


async def create(
    connection: AsyncConnection, *, name: str, role: Role, by: str, expires_at: datetime | None, now: datetime
) -> tuple[TokenRow, str]:
    """A new token, and its text, which is kept nowhere. Raises: RefusedError for a name that the system goes by itself."""
    if name.casefold() in AUTOMATIC:
        raise RefusedError(f"{name!r} is a name of the system's own: choose the one of a person or a program")
    prefix = "".join(secrets.choice(_LETTERS) for _ in range(8))
    secret, salt = f"shadow_{prefix}_{secrets.token_urlsafe(32)}", secrets.token_bytes(16)
    statement = sa.insert(tokens).values(
        name=name,
        role=role,
        prefix=prefix,
        salt=salt,
        digest=_digest(salt, secret),
        created_at=now,
        created_by=by,
        expires_at=expires_at,
    )
    row = (await connection.execute(statement.returning(*_COLUMNS))).mappings().one()
    details = {"name": name, "role": role, "prefix": prefix, "expires_at": expires_at}
    await audit.record(
        connection, actor=by, action="token.created", subject=f"token {row['id']}", details=details, now=now
    )
    return TokenRow(**row), secret


async def listed(connection: AsyncConnection) -> list[TokenRow]:
    """All, newest first."""
    rows = await connection.execute(sa.select(*_COLUMNS).order_by(tokens.c.id.desc()))
    return [TokenRow(**row) for row in rows.mappings()]


async def revoke(connection: AsyncConnection, token_id: int, *, by: str, now: datetime) -> TokenRow:
    """End a token and its logins at once. Raises: RefusedError where there is none, or it is revoked already."""
    revoking = sa.update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
    row = (
        (await connection.execute(revoking.values(revoked_at=now, revoked_by=by).returning(*_COLUMNS)))
        .mappings()
        .first()
    )
    if row is None:
        raise RefusedError(f"there is no token {token_id} that could be revoked: `shadow token list` shows all")
    await connection.execute(sa.delete(logins).where(logins.c.token_id == token_id))
    details = {"name": row["name"], "role": row["role"], "prefix": row["prefix"]}
    await audit.record(
        connection, actor=by, action="token.revoked", subject=f"token {token_id}", details=details, now=now
    )
    return TokenRow(**row)


def prefix_of(secret: str) -> str | None:
    """The public part of what looks like a token."""
    found = _TOKEN.fullmatch(secret)
    return found[1] if found else None


async def authenticate(connection: AsyncConnection, secret: str, *, now: datetime) -> Identity | None:
    """Whose token this is; None where it is wrong, expired or revoked. Cost: one query, a write once a minute."""
    prefix = prefix_of(secret)
    if prefix is None:
        return None
    query = sa.select(*_COLUMNS, tokens.c.salt, tokens.c.digest).where(tokens.c.prefix == prefix)
    found = (await connection.execute(query)).mappings().first()
    if found is None or not hmac.compare_digest(_digest(found["salt"], secret), found["digest"]):
        return None
    row = TokenRow(**{name: found[name] for name in TokenRow.__dataclass_fields__})
    if not row.valid(now):
        return None
    await used(connection, row, now=now)
    return Identity(name=row.name, role=row.role, token_id=row.id)


async def used(connection: AsyncConnection, row: TokenRow, *, now: datetime) -> None:
    """Note that a token was used."""
    if row.last_used_at is None or now - row.last_used_at >= _USED:
        await connection.execute(sa.update(tokens).where(tokens.c.id == row.id).values(last_used_at=now))


async def any_admin(connection: AsyncConnection, *, now: datetime) -> bool:
    """Whether somebody could log in and see to the rest."""
    return any(row.role == "admin" and row.valid(now) for row in await listed(connection))


async def declare(connection: AsyncConnection, *, required: bool, now: datetime) -> None:
    """Have the store ask for tokens, or not, from now on: a scheduler says so when it starts. A change is in the audit."""
    before = await asked_for(connection)
    statement = insert(access_state).values(is_row=True, required=required, since=now)
    changed = {"required": statement.excluded.required, "since": statement.excluded.since}
    if required != before:
        await connection.execute(statement.on_conflict_do_update(index_elements=["is_row"], set_=changed))
        action = "access.tokens_asked_for" if required else "access.open"
        await audit.record(connection, actor="scheduler", action=action, subject="console", details={}, now=now)


async def asked_for(connection: AsyncConnection) -> bool:
    """Whether the store asks whoever decides for a token."""
    return bool(await connection.scalar(sa.select(access_state.c.required)))


async def sign_as(connection: AsyncConnection, token_id: int) -> None:
    """Tell the store's triggers who signs, until the transaction ends."""
    await connection.execute(sa.text("SELECT set_config('shadow.token_id', :id, true)"), {"id": str(token_id)})


def _digest(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode()).digest()
