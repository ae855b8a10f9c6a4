"""Is what answers under a model's name still what was pinned, and for how long will it be there? Looked at with every roll-up.

What was reported first of a model is what is pinned: an alias that a provider answers with a dated snapshot is no change. Another
model id than that is a silent change (critical); another fingerprint of the same id is worth a note (info), as some providers
change theirs every week. Closing such an alert, or `shadow pins accept`, makes what was reported until then part of the pin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from router.pricing import Price, resolve_prices
from shadow.settings import Settings
from shadow.store import alerts, audit, canaries, model_reports
from shadow.store.engine import AsyncConnection, AsyncEngine, utc_now
from shadow.store.model_reports import ModelPin, ModelReport

CHANGED, REBUILT, RETIRES, BEHAVES = "silent_model_change", "model_fingerprint", "model_retires", "model_behaviour"
WARN_DAYS, URGENT_DAYS = 30, 7
#: What was reported so long before the newest report is over.
CURRENT = timedelta(hours=24)
_MTOK = 1_000_000
Model = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A model answered by something else than was pinned. foreign: other model ids; builds: the pinned id, other fingerprints."""

    provider: str
    model: str
    pinned: ModelReport
    foreign: tuple[ModelReport, ...]
    builds: tuple[ModelReport, ...]


async def run(engine: AsyncEngine, settings: Settings) -> None:
    """Bring the registry up to date and report what has changed. Idempotent."""
    async with engine.begin() as connection:
        await model_reports.save_pins(connection, configured_pins(settings, now=utc_now()))
        await look(connection, now=utc_now())


async def look(connection: AsyncConnection, *, now: datetime) -> list[Change]:
    """Pin what is new, take closed alerts as accepted, report changes and retirements."""
    await model_reports.pin_first(connection, now=now)
    for kind in (CHANGED, REBUILT):
        for alert in await alerts.last_alerts(connection, is_open=False, kind=kind, limit=200):
            provider, model = alert.details.get("provider"), alert.details.get("model")
            if provider and model and alert.closed_at is not None and alert.closed_by is not None:
                await model_reports.accept_reports(
                    connection, provider, model, until=alert.closed_at, by=alert.closed_by, now=now
                )
    reports = await model_reports.all_reports(connection)
    changes = changes_of(reports)
    models = {(report.provider, report.model) for report in reports}
    await _report(connection, CHANGED, {(c.provider, c.model): c for c in changes if c.foreign}, models, now=now)
    await _report(connection, REBUILT, {(c.provider, c.model): c for c in changes if c.builds}, models, now=now)
    await _report_retirements(connection, await model_reports.all_pins(connection), now=now)
    return changes


async def accept(connection: AsyncConnection, provider: str, model: str, *, by: str, why: str, now: datetime) -> int:
    """Make all that was reported of a model part of its pin, and its behaviour from now on; audited.

    Returns how many reports were not part of it before.
    """
    await model_reports.pin_first(connection, now=now)
    taken = await model_reports.accept_reports(connection, provider, model, until=now, by=by, now=now)
    await canaries.accept(connection, provider, model, by=by, now=now)
    await alerts.close_alerts(connection, BEHAVES, [f"{provider}/{model}"], now=now)
    await look(connection, now=now)
    details: Mapping[str, Any] = {"reason": why, "reports": taken}
    await audit.record(
        connection, actor=by, action="pin.accept", subject=f"{provider}/{model}", details=details, now=now
    )
    return taken


def configured_pins(settings: Settings, *, now: datetime) -> list[ModelPin]:
    """Every model of every tier, once."""
    prices = resolve_prices(settings.providers, settings.tiers)
    found: dict[Model, ModelPin] = {}
    for tier in settings.tiers:
        for entry in tier.models:
            key = entry.provider, entry.model
            before = found.get(key)
            price: Price = prices[key].at(now)
            found[key] = ModelPin(
                provider=entry.provider,
                model=entry.model,
                tiers=(*(before.tiers if before else ()), tier.name),
                context_tokens=entry.context_tokens,
                input_usd_per_mtok=price.rates.input_usd * _MTOK,
                output_usd_per_mtok=price.rates.output_usd * _MTOK,
                retires=entry.retires or (before.retires if before else None),
            )
    return list(found.values())


def changes_of(reports: Iterable[ModelReport]) -> list[Change]:
    """Models of which something was reported lately that is not accepted."""
    by_model: dict[Model, list[ModelReport]] = {}
    for report in reports:
        by_model.setdefault((report.provider, report.model), []).append(report)
    found = []
    for (provider, model), said in by_model.items():
        accepted = [report for report in said if report.accepted_at is not None]
        if not accepted:
            continue
        newest = max(report.last_at for report in said)
        known = {report.reported for report in accepted}
        other = [r for r in said if r.accepted_at is None and r.last_at >= newest - CURRENT]
        foreign = tuple(report for report in other if report.reported not in known)
        builds = tuple(report for report in other if report.reported in known)
        if other:
            pinned = min(accepted, key=lambda report: report.first_at)
            found.append(Change(provider=provider, model=model, pinned=pinned, foreign=foreign, builds=builds))
    return found


async def _report(
    connection: AsyncConnection, kind: str, changed: Mapping[Model, Change], models: set[Model], *, now: datetime
) -> None:
    for (provider, model), change in changed.items():
        others = change.foreign if kind == CHANGED else change.builds
        await alerts.open_alert(
            connection,
            kind=kind,
            key=f"{provider}/{model}",
            severity="critical" if kind == CHANGED else "info",
            message=message_of(kind, change),
            details={
                "provider": provider,
                "model": model,
                "pinned": _plain(change.pinned),
                "reported": [_plain(report) for report in others],
            },
            now=now,
        )
    open_ones = await alerts.last_alerts(connection, is_open=True, kind=kind, limit=1_000)
    gone = {f"{provider}/{model}" for provider, model in models - changed.keys()}
    await alerts.close_alerts(connection, kind, [a.key for a in open_ones if a.key in gone], now=now)


def message_of(kind: str, change: Change) -> str:
    """One line that names the model, what was pinned and what answers now."""
    name = f"{change.provider}/{change.model}"
    if kind == CHANGED:
        others = ", ".join(
            f"{r.reported} ({r.answers} answers since {r.first_at:%Y-%m-%d %H:%M})" for r in change.foreign
        )
        return f"{name} is answered by another model than was pinned ({change.pinned.reported}): {others}"
    others = ", ".join(f"{r.fingerprint or 'none'} ({r.answers} answers)" for r in change.builds)
    return f"{name}: the provider names another build than was pinned ({change.pinned.fingerprint or 'none'}): {others}"


async def _report_retirements(connection: AsyncConnection, pins: Sequence[ModelPin], *, now: datetime) -> None:
    today, due = now.date(), set()
    for pin in pins:
        if pin.tiers and pin.retires is not None and pin.retires - today <= timedelta(days=WARN_DAYS):
            key = f"{pin.provider}/{pin.model}"
            due.add(key)
            await alerts.open_alert(
                connection,
                kind=RETIRES,
                key=key,
                severity="critical" if pin.retires - today <= timedelta(days=URGENT_DAYS) else "warning",
                message=f"{key}, in tier {', '.join(pin.tiers)}, {retirement(pin.retires, today)}",
                details={"provider": pin.provider, "model": pin.model, "retires": pin.retires.isoformat()},
                now=now,
            )
    open_ones = await alerts.last_alerts(connection, is_open=True, kind=RETIRES, limit=1_000)
    await alerts.close_alerts(connection, RETIRES, [a.key for a in open_ones if a.key not in due], now=now)


def retirement(retires: date, today: date) -> str:
    """`retires on 2027-01-31, in 12 days`."""
    days = (retires - today).days
    when = f"in {days} days" if days > 1 else "tomorrow" if days == 1 else "today" if days == 0 else f"{-days} days ago"
    return f"retires on {retires}, {when}" if days >= 0 else f"was to be switched off on {retires}, {when}"


def _plain(report: ModelReport) -> dict[str, Any]:
    return {
        "reported": report.reported,
        "fingerprint": report.fingerprint,
        "first_at": report.first_at.isoformat(),
        "last_at": report.last_at.isoformat(),
        "answers": report.answers,
    }
