"""What does a provider say has answered where a pinned model was asked? Counted as answers come in; the first one is the pin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from router.contracts import Exchange
from shadow.store.schema_pins import model_pins, model_reports
from shadow.store.storable import storable

#: Who accepts what is reported first.
FIRST = "first reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One answer: `model` was asked at `provider`, which says that `reported` answered, of build `fingerprint` ("": not said)."""

    provider: str
    model: str
    reported: str
    fingerprint: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """What was reported, since when, how often. accepted_at: None while it is not what was pinned."""

    provider: str
    model: str
    reported: str
    fingerprint: str
    first_at: datetime
    last_at: datetime
    answers: int
    accepted_at: datetime | None
    accepted_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPin:
    """A model as configured. tiers: where it is; empty: no longer. Prices: USD per million tokens, now; None: unknown."""

    provider: str
    model: str
    tiers: tuple[str, ...]
    context_tokens: int | None
    input_usd_per_mtok: Decimal | None
    output_usd_per_mtok: Decimal | None
    retires: date | None


def sightings_of(exchanges: Iterable[Exchange]) -> list[Sighting]:
    """What answered exchanges say of the models that were asked. One without a call of its own says nothing."""
    found = []
    for exchange in exchanges:
        if exchange.status != "answered" or exchange.served_model is None:
            continue
        served = next((a for a in reversed(exchange.attempts) if a.tier == exchange.served_tier), None)
        if served is not None:
            found.append(
                Sighting(
                    provider=served.provider,
                    model=served.model,
                    reported=exchange.served_model,
                    fingerprint=exchange.extra.get("fingerprint", ""),
                    at=exchange.started_at,
                )
            )
    return found


async def note_sightings(connection: AsyncConnection, sightings: Sequence[Sighting]) -> None:
    """Count them. Rows are written in one order, so that two who write at once wait for each other and never in a circle."""
    counted: dict[tuple[str, str, str, str], list[datetime]] = {}
    for one in sightings:
        reported, fingerprint = (storable(one.reported) or "")[:200], (storable(one.fingerprint) or "")[:200]
        counted.setdefault((one.provider, one.model, reported, fingerprint), []).append(one.at)
    for key, times in sorted(counted.items()):
        values = dict(zip(("provider", "model", "reported", "fingerprint"), key, strict=True))
        statement = insert(model_reports).values(**values, first_at=min(times), last_at=max(times), answers=len(times))
        own = model_reports.c
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["provider", "model", "reported", "fingerprint"],
                set_={
                    "first_at": sa.func.least(own.first_at, statement.excluded.first_at),
                    "last_at": sa.func.greatest(own.last_at, statement.excluded.last_at),
                    "answers": own.answers + statement.excluded.answers,
                },
            )
        )


async def pin_first(connection: AsyncConnection, *, now: datetime) -> None:
    """Accept what was reported first of every model of which nothing is accepted yet."""
    await connection.execute(_PIN_FIRST, {"now": now, "by": FIRST})


async def accept_reports(
    connection: AsyncConnection, provider: str, model: str, *, until: datetime, by: str, now: datetime
) -> int:
    """Accept all that was first reported up to an instant; returns how many were new."""
    own = model_reports.c
    accepting = sa.update(model_reports).where(
        own.provider == provider, own.model == model, own.accepted_at.is_(None), own.first_at <= until
    )
    return int((await connection.execute(accepting.values(accepted_at=now, accepted_by=by))).rowcount)


async def all_reports(connection: AsyncConnection) -> list[ModelReport]:
    """By model, oldest first."""
    own = model_reports.c
    query = sa.select(model_reports).order_by(own.provider, own.model, own.first_at, own.reported, own.fingerprint)
    return [ModelReport(**row) for row in (await connection.execute(query)).mappings()]


async def save_pins(connection: AsyncConnection, pins: Sequence[ModelPin]) -> None:
    """Write what is configured; what no longer is keeps its last figures and has no tiers."""
    rows: list[dict[str, Any]] = [
        {name: getattr(pin, name) for name in ModelPin.__dataclass_fields__} | {"tiers": list(pin.tiers)}
        for pin in pins
    ]
    if rows:
        statement = insert(model_pins)
        set_: Mapping[str, Any] = {
            name: statement.excluded[name]
            for name in ModelPin.__dataclass_fields__
            if name not in {"provider", "model"}
        }
        await connection.execute(statement.on_conflict_do_update(index_elements=["provider", "model"], set_=set_), rows)
    kept = sa.tuple_(model_pins.c.provider, model_pins.c.model).in_([(pin.provider, pin.model) for pin in pins])
    await connection.execute(sa.update(model_pins).where(~kept).values(tiers=[]))


async def all_pins(connection: AsyncConnection) -> list[ModelPin]:
    """By provider and model."""
    names = tuple(ModelPin.__dataclass_fields__)
    query = sa.select(*(model_pins.c[name] for name in names)).order_by(model_pins.c.provider, model_pins.c.model)
    rows = (await connection.execute(query)).mappings()
    return [ModelPin(**{**row, "tiers": tuple(row["tiers"])}) for row in rows]


_PIN_FIRST = sa.text("""
UPDATE model_reports SET accepted_at = :now, accepted_by = :by
FROM (
    SELECT DISTINCT ON (provider, model) provider, model, reported, fingerprint FROM model_reports r
    WHERE NOT EXISTS (
        SELECT FROM model_reports a WHERE a.provider = r.provider AND a.model = r.model AND a.accepted_at IS NOT NULL
    )
    ORDER BY provider, model, first_at, reported, fingerprint
) AS first
WHERE model_reports.provider = first.provider AND model_reports.model = first.model
    AND model_reports.reported = first.reported AND model_reports.fingerprint = first.fingerprint
""")
