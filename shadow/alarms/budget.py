"""Is a day's money for shadow work running out? Told early, and when it is used up: samples will be missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from shadow.alarms.reading import Reading, percent
from shadow.alerting.telling import Severity
from shadow.settings import Settings
from shadow.store import budgets
from shadow.store.alarm_rows import shed_for_budget
from shadow.store.engine import AsyncConnection

#: This share counts as used up: the worst case of a further call hardly fits.
_USED_UP = 0.99
#: An open alert is over when the share is this much below its bar: the cap was raised, or it is another day.
_BACK = 0.05


class BudgetAlarm:
    """Mirrors' and judges' budgets of the UTC day."""

    kind = "budget"

    async def read(
        self, connection: AsyncConnection, settings: Settings, *, is_open: Collection[str], now: datetime
    ) -> Sequence[Reading]:
        caps = {"mirror": settings.sampling.budget_usd_per_day, "judge": settings.judges.budget_usd_per_day}
        spent = await budgets.spent_today(connection, now)
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        shed = {"mirror": await shed_for_budget(connection, since=day, until=now)}
        return [
            found
            for purpose, cap in caps.items()
            if (
                found := decide(
                    purpose,
                    spent.get(purpose, (Decimal(0), Decimal(0))),
                    cap,
                    shed=shed.get(purpose, 0),
                    bar=settings.alerts.alarms.budget_share,
                    was_open=purpose in is_open,
                    now=now,
                )
            )
            is not None
        ]


def decide(
    purpose: str,
    money: tuple[Decimal, Decimal],
    cap: float,
    *,
    shed: int,
    bar: float,
    was_open: bool,
    now: datetime,
) -> Reading | None:
    """money: (spent, reserved) of the day, USD. shed: samples left out for want of money. None: a cap of 0 is no budget."""
    if cap <= 0:
        return None
    spent, reserved = (float(amount) for amount in money)
    share = (spent + reserved) / cap
    worst = share >= _USED_UP or (share >= bar and shed > 0)
    is_high = share >= bar - (_BACK if was_open else 0.0)
    severity: Severity | None = "critical" if worst else "warning" if is_high else None
    used = f"${spent + reserved:,.2f} of today's ${cap:,.2f} ({percent(share)})"
    message = f"{purpose}: {used} spent or reserved at {now:%H:%M} UTC"
    if shed:
        message += f"; {shed:,} samples were left out for it"
    elif not worst and (at := _used_up_at(spent + reserved, cap, now)) is not None:
        message += f"; at this pace used up at {at:%H:%M} UTC"
    details: Mapping[str, object] = {"spent_usd": spent, "reserved_usd": reserved, "cap_usd": cap, "shed": shed}
    return Reading(key=purpose, severity=severity, message=message, details=dict(details))


def _used_up_at(used: float, cap: float, now: datetime) -> datetime | None:
    """When the day's pace reaches the cap; None where that is not today."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if used <= 0:
        return None
    at = day + (now - day) * (cap / used)
    return at if at < day + timedelta(days=1) else None
