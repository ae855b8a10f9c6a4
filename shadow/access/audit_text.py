"""How is the audit said to people and programs? One row, and what a verification found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shadow.store.audit import AuditRow, Verified

#: Characters of the details in a table.
_SHORT = 120


def audit_json(row: AuditRow) -> dict[str, Any]:
    """A row for programs."""
    return {**asdict(row), "at": row.at.isoformat(), "details": dict(row.details)}


def verified_json(found: Verified, *, heads: int) -> dict[str, Any]:
    """A verification for programs. heads: how many noted heads it was held against."""
    return {
        "ok": found.problem is None,
        "rows": found.rows,
        "head": str(found.head) if found.head else None,
        "noted_heads": heads,
        "broken_at": found.broken_at,
        "problem": found.problem,
    }


def verified_sentence(found: Verified, *, heads: int) -> str:
    """A verification in one sentence."""
    if found.problem is not None:
        return f"broken at row {found.broken_at}: {found.problem}"
    if not found.rows:
        return "no rows yet"
    against = (
        f"{heads} noted {'head' if heads == 1 else 'heads'}"
        if heads
        else "no noted head: missing last rows would not show"
    )
    return f"{found.rows} {'row' if found.rows == 1 else 'rows'}, each follows the one before; held against {against}"


def details_line(details: Mapping[str, Any]) -> str:
    """The details in one line, the reason first, cut where they are long."""
    ordered = sorted(details.items(), key=lambda item: item[0] != "reason")
    text = "; ".join(f"{name}: {_value(value)}" for name, value in ordered if value not in (None, "", {}, []))
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
