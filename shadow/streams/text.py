"""How are streams of judged pairs told? As values for JSON, as words for a page and a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shadow.statistics.estimate import Estimate
from shadow.statistics.stream_watch import Stream
from shadow.streams.alerts import IDLE

#: Why a stream collects a baseline, for people.
REASONS = {
    "new": "first seen",
    "policy": "another policy decides what comes here",
    "judges": "the judges are others",
    "accepted": "its level was accepted",
    "idle": "nothing came for a week",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRow:
    """A stream as it is shown. state: collecting, watched, fallen or idle. needed: judged pairs that its baseline still lacks.

    accuracy: judged, uncorrected, since the baseline, or in it while it is collected. p: to be held against bar.
    """

    tier: str
    model: str
    query_type: str
    state: str
    epoch: int
    reason: str
    since: datetime
    needed: int
    baseline: float | None
    bound: float | None
    baseline_pairs: int | None
    accuracy: Estimate | None
    coverage: float | None
    draws: int
    left_out: int
    p: float | None
    bar: float | None
    fired_at: datetime | None
    last_at: datetime


def stream_rows(streams: Sequence[Stream], *, baseline_pairs: int, now: datetime) -> list[StreamRow]:
    """Fallen ones first, then by tier, model and query type."""
    rows = [_row(stream, baseline_pairs, now) for stream in streams]
    return sorted(rows, key=lambda row: (row.state != "fallen", row.tier, row.model, row.query_type))


def _row(stream: Stream, baseline_pairs: int, now: datetime) -> StreamRow:
    collecting = stream.baseline is None
    if stream.fired_at is not None:
        state = "fallen"
    elif now - stream.last_at >= IDLE:
        state = "idle"
    else:
        state = "collecting" if collecting else "watched"
    return StreamRow(
        tier=stream.tier,
        model=stream.model,
        query_type=stream.query_type,
        state=state,
        epoch=stream.epoch,
        reason=stream.reason,
        since=stream.since,
        # Where there was no room to rise, the next try comes after as many again.
        needed=baseline_pairs - stream.judged % baseline_pairs if collecting else 0,
        baseline=None if stream.baseline_rate is None else 1.0 - stream.baseline_rate,
        bound=None if stream.baseline_bound is None else 1.0 - stream.baseline_bound,
        baseline_pairs=stream.baseline_pairs,
        accuracy=stream.accuracy,
        coverage=stream.coverage,
        draws=stream.draws,
        left_out=stream.left_out,
        p=stream.p_value,
        bar=None if stream.alpha is None else stream.alpha / 2.0,
        fired_at=stream.fired_at,
        last_at=stream.last_at,
    )


def stream_json(row: StreamRow) -> dict[str, Any]:
    """As values that `json.dumps` takes; instants ISO 8601 in UTC, accuracies and coverage in [0, 1]."""
    found = {name: getattr(row, name) for name in StreamRow.__dataclass_fields__}
    seen = row.accuracy
    found["accuracy"] = None if seen is None else {"value": seen.value, "low": seen.low, "high": seen.high, "n": seen.n}
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in found.items()}


def p_text(p: float | None) -> str:
    """A p-value with as many digits as it deserves."""
    return "" if p is None else f"{p:.2g}" if p >= 1e-4 else f"{p:.0e}"


def state_text(row: StreamRow) -> str:
    """What to make of it, in a few words."""
    if row.state == "collecting":
        return f"needs {row.needed:,} more judged pairs".replace(",", " ")
    if row.state == "fallen" and row.fired_at is not None:
        return f"fallen since {row.fired_at:%Y-%m-%d %H:%M}"
    return f"idle since {row.last_at:%Y-%m-%d}" if row.state == "idle" else "watched"
