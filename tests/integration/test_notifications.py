"""Messages: asked for once by key, sent once per channel, and nothing of it lost while an endpoint is down."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shadow.store import notifications
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.schema_alerts import notifications as outbox

pytestmark = pytest.mark.slow


async def test_a_message_is_asked_for_once_by_its_key(empty_engine: AsyncEngine) -> None:
    async with empty_engine.begin() as connection:
        asked = [
            await notifications.enqueue(
                connection, key=key, title="Quiet week", body=body, severity="info", now=utc_now(), url="/regressions"
            )
            for key, body in (("weekly/1", "first"), ("weekly/1", "second"), ("weekly/2", "third"))
        ]
        bodies = (await connection.execute(sa.select(outbox.c.body).order_by(outbox.c.id))).scalars().all()
    assert asked == [True, False, True]
    assert bodies == ["first", "third"]
