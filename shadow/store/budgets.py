"""May this call still be paid for today? The worst case is reserved in one statement before the call and settled after it.

A reservation that is never settled (a worker killed between call and answer) stays reserved: it counts as spent.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

Purpose = Literal["mirror", "judge", "gold", "canary"]

# One statement: the row lock of the UPDATE serialises workers, so that the cap can't be passed by two at once.
_RESERVE = sa.text(
    """
    WITH day AS (
        UPDATE budget_days SET reserved_usd = reserved_usd + :amount
        WHERE day = :day AND purpose = :purpose AND spent_usd + reserved_usd + :amount <= :cap
        RETURNING day, purpose
    )
    INSERT INTO budget_reservations (id, day, purpose, amount_usd)
    SELECT gen_random_uuid(), day, purpose, :amount FROM day
    RETURNING id
    """
)
_SETTLE = sa.text(
    """
    WITH settled AS (
        UPDATE budget_reservations SET settled_usd = :spent WHERE id = :id AND settled_usd IS NULL
        RETURNING day, purpose, amount_usd
    )
    UPDATE budget_days SET reserved_usd = reserved_usd - settled.amount_usd, spent_usd = spent_usd + :spent
    FROM settled WHERE budget_days.day = settled.day AND budget_days.purpose = settled.purpose
    """
)


async def reserve(
    connection: AsyncConnection, purpose: Purpose, amount_usd: Decimal, *, cap_usd: Decimal, now: datetime
) -> str | None:
    """Reserve the worst case; the reservation's id, or None if that would pass the day's cap. Commit before the call."""
    day = {"day": now.date(), "purpose": purpose}
    await connection.execute(
        sa.text("INSERT INTO budget_days (day, purpose) VALUES (:day, :purpose) ON CONFLICT DO NOTHING"), day
    )
    reserved = await connection.scalar(_RESERVE, day | {"amount": amount_usd, "cap": cap_usd})
    return None if reserved is None else str(reserved)


async def settle(connection: AsyncConnection, reservation: str, spent_usd: Decimal) -> None:
    """Replace the reservation by what the call cost. A second settlement does nothing."""
    await connection.execute(_SETTLE, {"id": reservation, "spent": spent_usd})


async def spent_today(connection: AsyncConnection, now: datetime) -> dict[str, tuple[Decimal, Decimal]]:
    """Purpose -> (spent, still reserved), USD."""
    rows = await connection.execute(
        sa.text("SELECT purpose, spent_usd, reserved_usd FROM budget_days WHERE day = :day"), {"day": now.date()}
    )
    return {purpose: (spent, reserved) for purpose, spent, reserved in rows}
