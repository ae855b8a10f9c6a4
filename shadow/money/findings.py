"""What about the spend is worth a look? Heavy users, query types that a cheaper tier may serve, and what prices do.

Everything is read from roll-ups, for whole UTC days up to now. Spend and token counts are exact; losses and savings come from
mirrored answers and have intervals; labels certify some of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from router.pricing import resolve_prices
from shadow.money.cheaper_types import MoveFinding, TypeFinding, query_types
from shadow.money.heavy_users import HeavyUser, heavy_users
from shadow.money.price_effects import PriceEffect, price_effects
from shadow.settings import Settings
from shadow.store import moves as stored_moves
from shadow.store import prices, rollups, spend
from shadow.store.engine import AsyncEngine, utc_now

#: Query types that are always shown with what moving them would save.
TOP_TYPES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """since: a midnight (UTC). margin: loss that counts as nearly as good (tuning.epsilon). delta: probability that any move is
    called certified that loses more, shared among the `moves_tested`. types: every query type with all moves, dearest first;
    top_types: the first few of them; cheap_enough: the moves of any query type that are certified or look good enough."""

    since: datetime
    until: datetime
    margin: float
    requests: int
    cost_usd: Decimal
    heavy_users: tuple[HeavyUser, ...]
    top_types: tuple[TypeFinding, ...]
    cheap_enough: tuple[MoveFinding, ...]
    price_effects: tuple[PriceEffect, ...]
    types: tuple[TypeFinding, ...] = ()
    delta: float = 0.1
    moves_tested: int = 0


def first_midnight(now: datetime, days: float) -> datetime:
    """The midnight (UTC) with which a window of that many UTC days begins, today's included."""
    return datetime.combine(now.date() - timedelta(days=max(1, ceil(days)) - 1), time(0), now.tzinfo)


async def load_findings(
    engine: AsyncEngine, settings: Settings, *, days: float, now: datetime | None = None
) -> Findings:
    """The findings of the last `days` UTC days, today included. Raises: PriceUnknown; what the database raises."""
    now = now or utc_now()
    since = first_midnight(now, days)
    window = {"since": since.date(), "until": now.date()}
    known = resolve_prices(settings.providers, settings.tiers)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        users = await spend.spend_cells(connection, "user", **window)
        types = await spend.spend_cells(connection, "feature", **window)
        called = await spend.calls(connection, **window)
        moves = await stored_moves.window_moves(connection, since=since, until=now)
        pairs = await rollups.window_pairs(connection, since=since, until=now)
        slices = await rollups.window_sums(connection, since=since, until=now)
        seen = await prices.price_rows(connection)
    margin = settings.tuning.epsilon
    found = query_types(
        types,
        moves,
        tiers=settings.tier_names,
        days=(now - since).total_seconds() / 86400,
        margin=margin,
        delta=settings.tuning.delta,
        pairs=pairs,
        slices=slices,
    )
    return Findings(
        since=since,
        until=now,
        margin=margin,
        requests=sum(cell.requests for cell in users),
        cost_usd=sum((cell.cost_usd for cell in users), Decimal(0)),
        heavy_users=heavy_users(users),
        top_types=found[:TOP_TYPES],
        cheap_enough=tuple(move for one in found for move in one.moves if move.status != "not_shown"),
        price_effects=price_effects(called, settings.tiers, known, seen, since=since, now=now),
        types=found,
        delta=settings.tuning.delta,
        moves_tested=sum(move.p_value is not None for one in found for move in one.moves),
    )


def findings_json(found: Findings) -> dict[str, Any]:
    """The findings as values that `json.dumps` takes: money as numbers in USD, instants ISO 8601 in UTC."""
    plain = _plain(asdict(found))
    assert isinstance(plain, dict)
    del plain["types"]  # the first of them are there, and a table has all
    return plain


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case Decimal():
            return float(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case _:
            return value
