"""Which price held when, and who said so? One row for each price as it was seen; none is ever changed.

A row holds from its `starts_at` on until the next one's. A price that was given without a date holds, when it differs from
the one before, from the moment it was first seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from router.pricing import Price
from shadow.store.schema_money import prices

_MTOK = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """A price in USD per million tokens. source: "configuration" or "price table"."""

    provider: str
    model: str
    starts_at: datetime
    seen_at: datetime
    source: str
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cached_usd_per_mtok: Decimal

    @property
    def rates(self) -> tuple[Decimal, Decimal, Decimal]:
        return self.input_usd_per_mtok, self.output_usd_per_mtok, self.cached_usd_per_mtok


async def price_rows(connection: AsyncConnection) -> list[PriceRow]:
    """All of them, by model and in the order in which they hold."""
    own = prices.c
    query = sa.select(prices).order_by(own.provider, own.model, own.starts_at, own.seen_at)
    return [PriceRow(**row) for row in (await connection.execute(query)).mappings()]


async def record_prices(
    connection: AsyncConnection,
    known: Mapping[tuple[str, str], Price],
    *,
    sources: Mapping[tuple[str, str], str],
    now: datetime,
) -> list[PriceRow]:
    """Add what is new in the known prices; returns the rows added. Safe to repeat: the same prices add nothing."""
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('prices'))"))
    stored: dict[tuple[str, str], list[PriceRow]] = {}
    for row in await price_rows(connection):
        stored.setdefault((row.provider, row.model), []).append(row)
    added = [
        row
        for key, price in sorted(known.items())
        for row in new_rows(key, price, stored.get(key, []), source=sources[key], now=now)
    ]
    if added:
        fields = PriceRow.__dataclass_fields__
        await connection.execute(insert(prices), [{name: getattr(row, name) for name in fields} for row in added])
    return added


def new_rows(
    key: tuple[str, str], price: Price, stored: list[PriceRow], *, source: str, now: datetime
) -> list[PriceRow]:
    """What a known price adds to the rows of its model. Pure."""
    added = []
    current = price.at(now)
    past = [row for row in stored if row.starts_at <= now]
    in_force = max(past, key=lambda row: (row.starts_at, row.seen_at), default=None)
    if in_force is None or in_force.rates != _per_mtok(current):
        dated = current.since is not None and (in_force is None or current.since > in_force.starts_at)
        added.append(
            _row(key, current, starts_at=current.since if dated and current.since else now, source=source, now=now)
        )
    for change in price.changes:
        assert change.since is not None
        if change.since > now:
            same = [row for row in stored if row.starts_at == change.since]
            if not same or max(same, key=lambda row: row.seen_at).rates != _per_mtok(change):
                added.append(_row(key, change, starts_at=change.since, source=source, now=now))
    return added


def _per_mtok(price: Price) -> tuple[Decimal, Decimal, Decimal]:
    rates = price.rates
    return rates.input_usd * _MTOK, rates.output_usd * _MTOK, rates.cached_usd * _MTOK


def _row(key: tuple[str, str], price: Price, *, starts_at: datetime, source: str, now: datetime) -> PriceRow:
    input_usd, output_usd, cached_usd = _per_mtok(price)
    return PriceRow(
        provider=key[0],
        model=key[1],
        starts_at=starts_at,
        seen_at=now,
        source=source,
        input_usd_per_mtok=input_usd,
        output_usd_per_mtok=output_usd,
        cached_usd_per_mtok=cached_usd,
    )
