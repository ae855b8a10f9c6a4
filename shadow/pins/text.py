"""How are pinned models told? As rows for a page and a terminal, as values for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from shadow.pins.checking import changes_of, retirement
from shadow.store.model_reports import ModelPin, ModelReport


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRow:
    """A model with what its provider reports. Prices: USD per million tokens.

    state: pinned, unseen (no answer yet), rebuilt (another fingerprint), changed (another id), unlisted (not configured).
    """

    provider: str
    model: str
    tiers: tuple[str, ...]
    state: str
    pinned: str | None
    fingerprint: str | None
    others: tuple[ModelReport, ...]
    answers: int
    first_at: datetime | None
    last_at: datetime | None
    context_tokens: int | None
    input_usd_per_mtok: Decimal | None
    output_usd_per_mtok: Decimal | None
    retires: date | None
    retirement: str | None


def pin_rows(pins: Sequence[ModelPin], reports: Sequence[ModelReport], *, today: date) -> list[PinRow]:
    """Changed ones first, then by provider and model."""
    known = {(pin.provider, pin.model): pin for pin in pins}
    changes = {(change.provider, change.model): change for change in changes_of(reports)}
    said: dict[tuple[str, str], list[ModelReport]] = {}
    for report in reports:
        said.setdefault((report.provider, report.model), []).append(report)
    rows = []
    for key in sorted(known.keys() | said.keys()):
        pin, heard, change = known.get(key), said.get(key, []), changes.get(key)
        accepted = [report for report in heard if report.accepted_at is not None]
        first = min(accepted, key=lambda report: report.first_at, default=None)
        if change is not None:
            state = "changed" if change.foreign else "rebuilt"
        elif pin is None or not pin.tiers:
            state = "unlisted"
        else:
            state = "pinned" if heard else "unseen"
        rows.append(
            PinRow(
                provider=key[0],
                model=key[1],
                tiers=pin.tiers if pin else (),
                state=state,
                pinned=first.reported if first else None,
                fingerprint=(first.fingerprint or None) if first else None,
                others=() if change is None else (*change.foreign, *change.builds),
                answers=sum(report.answers for report in heard),
                first_at=min((report.first_at for report in heard), default=None),
                last_at=max((report.last_at for report in heard), default=None),
                context_tokens=pin.context_tokens if pin else None,
                input_usd_per_mtok=pin.input_usd_per_mtok if pin else None,
                output_usd_per_mtok=pin.output_usd_per_mtok if pin else None,
                retires=pin.retires if pin else None,
                retirement=retirement(pin.retires, today) if pin and pin.retires else None,
            )
        )
    return sorted(rows, key=lambda row: row.state not in ("changed", "rebuilt"))


def pin_json(row: PinRow) -> dict[str, Any]:
    """As values that `json.dumps` takes; prices as decimal text, instants and days ISO 8601."""
    found: dict[str, Any] = {name: getattr(row, name) for name in PinRow.__dataclass_fields__}
    found["others"] = [
        {name: getattr(report, name) for name in ("reported", "fingerprint", "first_at", "last_at", "answers")}
        for report in row.others
    ]
    return {key: _plain(value) for key, value in found.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, date):  # an instant is one, too
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value.normalize())
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def state_text(row: PinRow) -> str:
    """What to make of it, in a few words."""
    if row.state == "changed":
        return "answered by " + ", ".join(dict.fromkeys(report.reported for report in row.others))
    if row.state == "rebuilt":
        return "another build: " + ", ".join(report.fingerprint or "none named" for report in row.others)
    return {"unseen": "no answer yet", "unlisted": "not in the configuration"}.get(row.state, "as pinned")
