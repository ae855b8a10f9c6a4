"""Which tables may be exported, and what is in each? Flat rows: a spreadsheet or a program needs no more than the header.

An interval is two columns beside its figure, `_low` and `_high`. What is not known is empty (JSON: null), never 0; an interval
without an upper end has a low one only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args

from shadow.money.by_day import DayCost, DaySavings, MoneyByDay, load_money_by_day
from shadow.money.cheaper_types import MoveFinding, TypeFinding
from shadow.money.findings import Findings, first_midnight, load_findings
from shadow.reports.window import TierReport, build_report
from shadow.settings import Settings
from shadow.statistics.estimate import Estimate
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.spend import Dimension, Spent, spend_by

TableName = Literal[
    "tiers",
    "query-type-moves",
    "heavy-users",
    "cost-per-success-by-day",
    "savings-by-day",
    "spend-by-user",
    "spend-by-feature",
    "spend-by-query-type",
]
TABLE_NAMES: tuple[TableName, ...] = get_args(TableName)
Scalar = str | int | float | bool | Decimal | None
Row = Mapping[str, Scalar]
#: What stands for all tiers together: no tier can be called so.
ALL_TIERS = "(all)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of whole UTC days. columns: in order; each row has them all. Rates in [0, 1], money in USD, days ISO 8601."""

    name: TableName
    since: datetime
    until: datetime
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


async def load_table(
    engine: AsyncEngine, settings: Settings, name: TableName, *, days: float, now: datetime | None = None
) -> Table:
    """One table of the last `days` UTC days, today included. Raises: PriceUnknown; what the database raises."""
    now = now or utc_now()
    since = first_midnight(now, days)
    rows: list[Row]
    match name:
        case "tiers":
            report = await build_report(engine, tiers=settings.tier_names, since=since, until=now)
            columns, rows = _TIERS, [_tier(one) for one in (*report.tiers, report.overall)]
        case "query-type-moves":
            found = await load_findings(engine, settings, days=days, now=now)
            columns, rows = _MOVES, [_move(found, one, move) for one in found.types for move in one.moves or (None,)]
        case "heavy-users":
            found = await load_findings(engine, settings, days=days, now=now)
            columns, rows = _USERS, _users(found)
        case "cost-per-success-by-day":
            columns, rows = _COSTS, [_cost(one) for one in (await _by_day(engine, settings, since, now)).costs]
        case "savings-by-day":
            columns, rows = _SAVINGS, [_saved(one) for one in (await _by_day(engine, settings, since, now)).savings]
        case "spend-by-user" | "spend-by-feature" | "spend-by-query-type":
            by: Dimension = _SPEND_BY[name]
            async with engine.connect() as connection:
                spent = await spend_by(connection, by, since=since.date(), until=now.date())
            columns, rows = (_SPENT[0].format(by), *_SPENT[1:]), [_spent(by, one) for one in spent]
    return Table(name=name, since=since, until=now, columns=columns, rows=tuple(rows))


def _with_interval(*names: str) -> tuple[str, ...]:
    return tuple(column for name in names for column in (name, f"{name}_low", f"{name}_high"))


_TIERS = (
    *("tier", "requests", "cost_usd"),
    *_with_interval("accuracy", "judged_accuracy", "coverage"),
    *("mirrored", "labelled"),
    *_with_interval("escalation_rate", "cost_per_success_usd"),
)
_MOVES = (
    *("query_type", "type_requests", "type_cost_usd", "share_of_spend", "from_tier", "to_tier", "requests", "cost_usd"),
    *("status", "verdict", *_with_interval("loss"), "loss_by", *_with_interval("judged_loss")),
    *("margin", "labels", "bound", "p_value", "delta", "moves_tested"),
    *(*_with_interval("saving_usd_per_day"), "pairs", "floor_pairs"),
)
_USERS = (
    *("user", "requests", "cost_usd", "share_of_requests", "share_of_spend", "why", "score"),
    *("driver_tier", "driver_query_type", "driver_usd"),
)
_COSTS = (
    *("day", "tier", "requests", "cost_usd", *_with_interval("cost_per_success_usd"), "labelled"),
    *(*_with_interval("judged_cost_per_success_usd"), "judged"),
)
_SAVINGS = (
    *("day", "requests", "actual_usd", "shadow_usd"),
    *(*_with_interval("all_top_usd", "net_savings_usd"), "priced_pairs", "undefined"),
)
_SPENT = ("{}", "requests", "prompt_tokens", "completion_tokens", "cost_usd")
_SPEND_BY: Mapping[str, Dimension] = {
    "spend-by-user": "user",
    "spend-by-feature": "feature",
    "spend-by-query-type": "query_type",
}


async def _by_day(engine: AsyncEngine, settings: Settings, since: datetime, until: datetime) -> MoneyByDay:
    async with engine.connect() as connection:
        return await load_money_by_day(connection, tiers=settings.tier_names, since=since, until=until)


def _interval(name: str, found: Estimate | None) -> dict[str, Scalar]:
    if found is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _tier(tier: TierReport) -> Row:
    return {
        "tier": tier.tier or ALL_TIERS,
        "requests": tier.requests,
        "cost_usd": tier.cost_usd,
        **_interval("accuracy", tier.accuracy.corrected),
        **_interval("judged_accuracy", tier.accuracy.raw),
        **_interval("coverage", tier.accuracy.coverage),
        "mirrored": tier.accuracy.mirrored,
        "labelled": tier.accuracy.labelled,
        **_interval("escalation_rate", tier.escalation_rate),
        **_interval("cost_per_success_usd", tier.cost_per_success_usd),
    }


def _move(found: Findings, one: TypeFinding, move: MoveFinding | None) -> Row:
    """A row for each move; for a query type that only the cheapest tier serves one without a move."""
    row: dict[str, Scalar] = dict.fromkeys(_MOVES)
    row |= {"query_type": one.query_type, "type_requests": one.requests, "type_cost_usd": one.cost_usd}
    row |= {"share_of_spend": one.share_of_spend, "margin": found.margin, "delta": found.delta}
    row["moves_tested"] = found.moves_tested
    if move is None:
        return row
    for name in ("from_tier", "to_tier", "requests", "cost_usd", "status", "verdict", "labels", "bound", "p_value"):
        row[name] = getattr(move, name)
    row |= {"pairs": move.pairs, "floor_pairs": move.floor_pairs, **_interval("loss", move.loss)}
    row |= _interval("judged_loss", move.judged_loss) | _interval("saving_usd_per_day", move.saving_usd_per_day)
    if move.loss is not None:
        row["loss_by"] = "labels" if move.loss.corrected else "judges"
    return row


def _users(found: Findings) -> list[Row]:
    return [
        {
            "user": user.name,
            **{name: getattr(user, name) for name in _USERS if name not in {"user", "why"}},
            "why": " and ".join(user.why),
        }
        for user in found.heavy_users
    ]


def _cost(one: DayCost) -> Row:
    return {
        "day": one.day.isoformat(),
        "tier": one.tier or ALL_TIERS,
        "requests": one.requests,
        "cost_usd": one.cost_usd,
        **_interval("cost_per_success_usd", one.corrected),
        "labelled": one.corrected.labelled if one.corrected else 0,
        **_interval("judged_cost_per_success_usd", one.judged),
        "judged": one.judged.n if one.judged else 0,
    }


def _saved(one: DaySavings) -> Row:
    return {
        "day": one.day.isoformat(),
        "requests": one.requests,
        "actual_usd": one.actual_usd,
        "shadow_usd": one.shadow_usd,
        **_interval("all_top_usd", one.all_top_usd),
        **_interval("net_savings_usd", one.net_usd),
        "priced_pairs": one.net_usd.n if one.net_usd else None,
        "undefined": one.undefined.reason if one.undefined else None,
    }


def _spent(by: str, one: Spent) -> Row:
    return {by: one.name, **{name: getattr(one, name) for name in _SPENT[1:]}}
