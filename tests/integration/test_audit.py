"""The audit: rows follow each other whoever writes, and what was changed behind the trigger is named."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
import sqlalchemy as sa

from shadow.access.audit_heads import heads_file, note, note_head, noted_heads, verify_noted
from shadow.console.app import create_console
from shadow.settings import Settings
from shadow.store import audit, policies
from shadow.store.audit import Verified
from shadow.store.engine import AsyncEngine

pytestmark = pytest.mark.slow
NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
AWKWARD = {
    "big": 1e16,
    "tiny": 1e-7,
    "zero": -0.0,
    "nul": "a\x00b\ud800",
    "money": Decimal("0.10"),
    "at": NOW,
    "ü": [1.0, None],
}


async def write(engine: AsyncEngine, number: int, **details: object) -> None:
    async with engine.begin() as connection:
        await audit.record(
            connection, actor=f"mira {number}", action="policy.applied", subject="policy 1", details=details, now=NOW
        )


async def look(engine: AsyncEngine, *heads: audit.Head) -> Verified:
    async with engine.connect() as connection:
        return await audit.verify(connection, heads=heads)


async def behind_the_trigger(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER audit_is_append_only"))
        await connection.execute(sa.text(statement))
        await connection.execute(sa.text("ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_append_only"))


async def test_writers_at_once_make_one_chain_and_nobody_may_change_it(empty_engine: AsyncEngine) -> None:
    await asyncio.gather(*(write(empty_engine, n, **AWKWARD) for n in range(12)))
    found = await look(empty_engine)
    assert (found.rows, found.problem, found.head and found.head.id) == (12, None, 12)
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit WHERE id = 12", "TRUNCATE audit"):
        async with empty_engine.connect() as connection:
            await connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            with pytest.raises(sa.exc.DBAPIError, match="append-only"):
                await connection.execute(sa.text(statement))


@pytest.mark.parametrize(
    ("statement", "broken_at", "said"),
    [
        ("UPDATE audit SET actor = 'zoe' WHERE id = 3", 3, "was changed"),
        ("UPDATE audit SET details = '{\"n\": 4.5}' WHERE id = 5", 5, "was changed"),
        ("UPDATE audit SET at = at + interval '1 microsecond' WHERE id = 1", 1, "was changed"),
        ("DELETE FROM audit WHERE id = 2", 2, "is missing"),
        ("DELETE FROM audit WHERE id = 1", 1, "is missing"),
        ("DELETE FROM audit WHERE id > 4", 5, "last rows are gone"),
        ("DELETE FROM audit", 1, "last rows are gone"),
    ],
)
async def test_a_chain_that_was_tampered_with_names_the_first_bad_row(
    empty_engine: AsyncEngine, statement: str, broken_at: int, said: str
) -> None:
    for number in range(1, 7):
        await write(empty_engine, number, n=number)
    head = (await look(empty_engine)).head
    assert head is not None
    await behind_the_trigger(empty_engine, statement)
    found = await look(empty_engine, head)
    assert found.broken_at == broken_at
    assert said in (found.problem or "")


async def test_a_chain_written_anew_is_seen_by_a_head_that_was_noted_elsewhere(
    empty_engine: AsyncEngine, console_config: Settings, tmp_path: object
) -> None:
    settings = console_config.model_copy(update={"data_dir": tmp_path})
    for number in range(1, 4):
        await write(empty_engine, number)
    for _ in range(2):
        await note_head(empty_engine, settings)
    assert [head.id for head in noted_heads(heads_file(settings))] == [3]
    await behind_the_trigger(empty_engine, "DELETE FROM audit WHERE id = 3")
    await write(empty_engine, 9)
    assert (await look(empty_engine)).problem is None  # by itself the chain is whole again
    async with empty_engine.connect() as connection:
        found = await verify_noted(connection, settings)
    assert (found.broken_at, "noted" in (found.problem or "")) == (3, True)
    note(heads_file(settings), (await look(empty_engine)).head)
    async with empty_engine.connect() as connection:
        assert "contradict" in ((await verify_noted(connection, settings)).problem or "")


async def test_what_is_rolled_back_leaves_no_row_and_policies_are_in_the_audit(
    empty_engine: AsyncEngine, console_config: Settings
) -> None:
    async with empty_engine.connect() as connection:
        await audit.record(connection, actor="a", action="x.y", subject="z", details={}, now=NOW)
        await connection.rollback()
    async with empty_engine.begin() as connection:
        await policies.adopt_configured(connection, thresholds={"fast": 0.8}, band=0.05)
        await policies.append(
            connection, thresholds={"fast": 0.7}, band=0.05, author="<b>mira</b>", origin="user", reason="slips & falls"
        )
    transport = httpx.ASGITransport(create_console(console_config, empty_engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as client:
        newest, first = (await client.get("/api/v1/audit", params={"action": "policy"})).json()
        assert (newest["action"], newest["subject"], first["action"]) == (
            "policy.applied",
            "policy 2",
            "policy.configured",
        )
        assert newest["details"]["thresholds"] == {"fast": 0.7}
        assert (await client.get("/api/v1/audit/verify")).json()["ok"] is True
        page = (await client.get("/audit", params={"check": True})).text
        assert "&lt;b&gt;mira&lt;/b&gt;" in page
        assert "✓ 2 rows" in page
