"""Which threshold policy is in force, and how did it get there? Append-only rows; the newest one counts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from router.contracts import Policy
from shadow.errors import StoreError
from shadow.store import audit
from shadow.store.engine import libpq_url, utc_now
from shadow.store.schema import policies

#: The channel that announces a new policy; its payload is the version.
CHANNEL = "shadow_policy"
#: What is noted in the audit, by origin.
_ACTIONS = {"config": "policy.configured", "rollback": "policy.rolled_back"}
# Whoever looks at the newest row before appending one holds this to the end of the transaction.
_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtext('adopt configured policy'))")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """A policy with its history. origin: config, user, tuner or rollback."""

    policy: Policy
    created_at: datetime
    author: str
    origin: str
    reason: str


async def newest(connection: AsyncConnection, *, origin: str | None = None) -> PolicyRow | None:
    """The policy in force (or the newest of an origin); None before the first one was stored."""
    query = sa.select(policies).order_by(policies.c.version.desc()).limit(1)
    if origin is not None:
        query = query.where(policies.c.origin == origin)
    row = (await connection.execute(query)).mappings().first()
    return _policy_row(row) if row else None


@contextlib.asynccontextmanager
async def announcements(database_url: str) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
    """Listen for new policies. Yields a function that waits for an announcement, at most that many seconds.

    Raises: what the connection raises when it is lost; listen again then, and look: announcements in between are gone.
    """
    connection = await psycopg.AsyncConnection.connect(libpq_url(database_url), autocommit=True, connect_timeout=5)
    async with connection:
        await connection.execute(f"LISTEN {CHANNEL}")

        async def wait(seconds: float) -> None:
            async for _ in connection.notifies(timeout=seconds, stop_after=1):
                return

        yield wait


async def history(connection: AsyncConnection, limit: int = 100) -> list[PolicyRow]:
    """Newest first."""
    query = sa.select(policies).order_by(policies.c.version.desc()).limit(limit)
    return [_policy_row(row) for row in (await connection.execute(query)).mappings()]


async def append(
    connection: AsyncConnection,
    *,
    thresholds: Mapping[str, float],
    band: float,
    author: str,
    origin: str,
    reason: str,
    by_query_type: Mapping[str, Mapping[str, float]] | None = None,
) -> int:
    """Put a policy in force, and note it in the audit; returns its version. Routers are told when the transaction commits."""
    own = {query_type: dict(values) for query_type, values in (by_query_type or {}).items()}
    statement = (
        sa.insert(policies)
        .values(
            thresholds=dict(thresholds),
            band=band,
            by_query_type=own,
            author=author,
            origin=origin,
            reason=reason,
        )
        .returning(policies.c.version)
    )
    version = int((await connection.execute(statement)).scalar_one())
    await audit.record(
        connection,
        actor=author,
        action=_ACTIONS.get(origin, "policy.applied"),
        subject=f"policy {version}",
        details={
            "thresholds": dict(thresholds),
            "band": band,
            "by_query_type": own,
            "origin": origin,
            "reason": reason,
        },
        now=utc_now(),
    )
    return version


async def by_version(connection: AsyncConnection, version: int) -> PolicyRow | None:
    """The policy of a version; None if there never was one."""
    row = (await connection.execute(sa.select(policies).where(policies.c.version == version))).mappings().first()
    return _policy_row(row) if row else None


async def replace(
    connection: AsyncConnection,
    *,
    expected: int | None,
    configured: tuple[Mapping[str, float], float],
    thresholds: Mapping[str, float],
    band: float,
    author: str,
    origin: str,
    reason: str,
    by_query_type: Mapping[str, Mapping[str, float]] | None = None,
) -> int:
    """Put a policy in force in place of version `expected` (None: in place of none); returns its version.

    configured: thresholds and band of the configuration. They are stored first if nothing is yet, or the first start of a
    scheduler would put them in force over this policy. Raises: StoreError if another policy came into force meanwhile.
    """
    await connection.execute(_ONE_AT_A_TIME)
    last = await newest(connection)
    in_force = last.policy.version if last else None
    if in_force != expected:
        raise StoreError(f"version {in_force} came into force meanwhile: look at it, then try again")
    if last is None:
        await append(
            connection,
            thresholds=configured[0],
            band=configured[1],
            author="config",
            origin="config",
            reason="first start",
        )
    return await append(
        connection,
        thresholds=thresholds,
        band=band,
        author=author,
        origin=origin,
        reason=reason,
        by_query_type=by_query_type,
    )


async def adopt_configured(connection: AsyncConnection, *, thresholds: Mapping[str, float], band: float) -> int | None:
    """Store the thresholds of the configuration if they are not those last taken from it; returns the new version, if any.

    A later policy (a person's, the tuner's) stays in force as long as the file does not change: the file is a starting point.
    """
    await connection.execute(_ONE_AT_A_TIME)
    last = await newest(connection, origin="config")
    if last is not None and dict(last.policy.thresholds) == dict(thresholds) and last.policy.band == band:
        return None
    reason = "first start" if last is None else "the configuration file changed"
    return await append(connection, thresholds=thresholds, band=band, author="config", origin="config", reason=reason)


def _policy_row(row: sa.RowMapping) -> PolicyRow:
    return PolicyRow(
        policy=Policy(
            version=row["version"],
            thresholds=row["thresholds"],
            band=row["band"],
            by_query_type=row["by_query_type"],
        ),
        created_at=row["created_at"],
        author=row["author"],
        origin=row["origin"],
        reason=row["reason"],
    )
