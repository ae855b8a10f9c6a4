"""How is an upgrade told in words? One line in a list, and all its figures on a page of text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shadow.store.upgrades import UpgradeRow
from shadow.upgrades.states import spoken

_MOST_SLICES = 8


def plain(row: UpgradeRow) -> dict[str, Any]:
    """As JSON: everything, the evidence as an object beside its hash."""
    found = {name: getattr(row, name) for name in UpgradeRow.__dataclass_fields__}
    found["evidence"] = None if row.evidence is None else json.loads(row.evidence)
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in found.items()}


def figures_of(row: UpgradeRow) -> Mapping[str, Any] | None:
    """The frozen figures, else the newest ones, if there are any."""
    if row.evidence is not None:
        frozen: Mapping[str, Any] = json.loads(row.evidence)["figures"]
        return frozen
    return row.progress


def upgrade_lines(row: UpgradeRow) -> Iterator[str]:
    """What `shadow upgrade status ID` prints."""
    yield f"Upgrade {row.id} of tier {row.tier}: {row.pinned['model']} -> {row.candidate['model']}"
    yield f"  {spoken(row.state)} since {row.state_since:%Y-%m-%d %H:%M} UTC" + (
        f": {row.state_reason}" if row.state_reason else ""
    )
    yield f"  proposed by {row.proposed_by}: {row.reason}"
    if row.approved_by is not None and row.approved_at is not None:
        yield f"  approved by {row.approved_by}, {row.approved_at:%Y-%m-%d %H:%M} UTC"
    found = figures_of(row)
    if found is None:
        yield "  no pairs yet"
        return
    yield from _figure_lines(found, margin=row.design["margin"])
    canary = (row.progress or {}).get("canary")
    if canary:
        yield (
            f"  canary: {canary['judged']} of {canary['pairs']} pairs judged, {interval(canary['difference'])}; "
            f"worse at all: p = {canary['harm_p_value']:.2g}"
        )
    if row.evidence_sha256 is not None and row.evidence_at is not None:
        yield f"  evidence frozen {row.evidence_at:%Y-%m-%d %H:%M} UTC, SHA-256 {row.evidence_sha256}"


def _figure_lines(found: Mapping[str, Any], *, margin: float) -> Iterator[str]:
    pairs = found["pairs"]
    waiting = f", {found['waiting']} wait for verdicts, labels or their turn" if found.get("waiting") else ""
    yield f"  pairs: {pairs['entered']} entered, {pairs['judged']} judged, {pairs['labelled']} labelled{waiting}"
    for why, count in pairs["missing"].items():
        yield f"    {count} say nothing: {why}"
    yield f"  accepted more often than the pinned model: {interval(found['difference'])}"
    p = found["not_worse"]["p_value"]
    yield f"    not worse by {margin:.0%} or more: p = {p:.2g}; worse at all: p = {found['harm']['p_value']:.2g}"
    labels = found["labels_alone"]
    yield f"    labels alone: {interval(labels['interval'])} ({labels['better']} better, {labels['worse']} worse)"
    yield f"  cost {ratio(found['cost_ratio'])}, latency {ratio(found['latency_ratio'])} of the pinned model's"
    marked = found["markers"]
    if marked["pairs"]:
        yield (
            f"  answers with marked passages: {marked['candidate']} of {marked['pairs']}, of the pinned model "
            f"{marked['pinned']}; difference {interval(marked['difference'])}"
        )
    for name, slices in found["slices"].items():
        for one in slices[:_MOST_SLICES]:
            yield f"    {name.replace('_', ' ')} {one['name'] or '-'}: {one['pairs']} pairs, {interval(one['difference'])}"


def interval(found: Mapping[str, Any] | None) -> str:
    """`+1.2 points (-0.4 to +2.8)`, or that there is none."""
    if found is None:
        return "not known yet"
    value, low, high = (100 * found[name] for name in ("value", "low", "high"))
    return f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"


def ratio(found: Mapping[str, Any] | None) -> str:
    """`0.62 (0.60 to 0.64)`, or that there is none."""
    if found is None:
        return "not known yet"
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"
