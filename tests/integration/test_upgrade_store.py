"""Does the store hold upgrades to the rules, whoever writes to it? Four eyes, frozen evidence, one decision of two at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from shadow.errors import RefusedError
from shadow.store import upgrades
from shadow.store.engine import engine_for, utc_now

pytestmark = pytest.mark.slow

EVIDENCE = '{"pairs":1000}'
DIGEST = hashlib.sha256(EVIDENCE.encode()).hexdigest()


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database_url)
    yield engine
    await engine.dispose()


async def ready(engine: AsyncEngine) -> int:
    async with engine.begin() as connection:
        made = await upgrades.insert_proposal(
            connection,
            tier="fast",
            pinned={"provider": "lab", "model": "old"},
            candidate={"provider": "lab", "model": "new"},
            design={"rate": 1.0},
            by="mira",
            reason="cheaper",
            now=utc_now(),
        )
        await upgrades.move(connection, made, "shadowing", by="scheduler", reason="", now=utc_now())
        await upgrades.move(
            connection, made, "ready", by="scheduler", reason="", now=utc_now(), evidence=(EVIDENCE, DIGEST)
        )
    return made


async def test_the_store_itself_refuses_the_proposer_other_evidence_and_skipped_steps(engine: AsyncEngine) -> None:
    made = await ready(engine)
    for change, complaint in (
        ("state = 'approved', approved_by = ' Mira'", "approver_is_not_proposer"),
        ("state = 'approved'", "approved_on_evidence"),
        ("evidence = '{}'", "is frozen"),
        ("state = 'canary', approved_by = 'jon'", "can't become canary"),
        ("proposed_by = 'jon'", "may not be changed"),
    ):
        with pytest.raises(IntegrityError, match=complaint):
            async with engine.begin() as connection:
                await connection.execute(sa.text(f"UPDATE upgrades SET {change} WHERE id = {made}"))
    with pytest.raises(RefusedError, match="under way"):
        await ready(engine)


async def test_of_two_approvers_at_once_one_wins(engine: AsyncEngine) -> None:
    made = await ready(engine)

    async def approve(name: str) -> str:
        try:
            async with engine.begin() as connection:
                await upgrades.move(connection, made, "approved", by=name, reason="seen", now=utc_now())
        except RefusedError as exc:
            return str(exc)
        return name

    said = sorted(await asyncio.gather(approve("jon"), approve("kim")))
    async with engine.connect() as connection:
        row = await upgrades.by_id(connection, made)
    assert row is not None
    assert row.approved_by in {"jon", "kim"}
    assert said == [row.approved_by, f"upgrade {made} is approved already"]
