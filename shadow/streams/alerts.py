"""When does a stream of judged pairs call for somebody, and when is that over?

An alert opens when a stream's evidence reaches its bar. It is over when the stream begins anew, and where nobody has sent it a
pair for a week. Closing it is to accept the level: the stream then collects another baseline.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from shadow.gold.alerts import DRIFT
from shadow.statistics.stream_watch import Key, Stream
from shadow.store import alerts, gold
from shadow.store.engine import AsyncConnection

KIND = "accuracy_drop"
IDLE = timedelta(days=7)


def alert_key(key: Key) -> str:
    """Tier, model and query type, as one word."""
    return "/".join(key)


async def accepted_keys(connection: AsyncConnection, streams: Iterable[Stream]) -> set[Key]:
    """Streams whose alert somebody has closed since it opened."""
    fired = [stream for stream in streams if stream.fired_at is not None]
    if not fired:
        return set()
    told = {alert.key: alert for alert in reversed(await alerts.last_alerts(connection, kind=KIND, limit=10_000))}
    return {
        stream.key
        for stream in fired
        if (last := told.get(alert_key(stream.key))) is not None
        and last.closed_by is not None
        and last.details.get("epoch") == stream.epoch
    }


async def report_streams(connection: AsyncConnection, streams: Iterable[Stream], *, now: datetime) -> list[str]:
    """Open an alert for each stream that has fired, close those that are over; the keys of the open ones."""
    told = list(streams)
    fired = [stream for stream in told if stream.fired_at is not None]
    over = [alert_key(stream.key) for stream in told if stream not in fired]
    await alerts.close_alerts(connection, KIND, over, now=now)
    if not fired:
        return []
    said = await gold_says(connection, now=now)
    for stream in fired:
        await alerts.open_alert(
            connection,
            kind=KIND,
            key=alert_key(stream.key),
            severity="critical",
            message=message_of(stream, said),
            details=details_of(stream) | {"gold": said},
            now=now,
        )
    return [alert_key(stream.key) for stream in fired]


def message_of(stream: Stream, gold_said: str) -> str:
    """One sentence on what is seen, one on what the gold set says of it."""
    found, before = stream.accuracy, 1.0 - (stream.baseline_rate or 0.0)
    seen = (
        "no verdict since" if found is None else f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%}, n {found.n})"
    )
    return (
        f"{stream.tier} ({stream.model}), {stream.query_type}: judged accuracy fell, or the judge changed: {seen} since the"
        f" baseline of {before:.1%} (n {stream.baseline_pairs}). {gold_said}"
    )


def details_of(stream: Stream) -> dict[str, object]:
    """The figures behind an alert, as JSON values."""
    found = stream.accuracy
    return {
        "tier": stream.tier,
        "model": stream.model,
        "query_type": stream.query_type,
        "epoch": stream.epoch,
        "baseline_accuracy": 1.0 - (stream.baseline_rate or 0.0),
        "baseline_pairs": stream.baseline_pairs,
        "accuracy": None
        if found is None
        else {"value": found.value, "low": found.low, "high": found.high, "n": found.n},
        "coverage": stream.coverage,
        "p_value": stream.p_value,
        "bar": None if stream.alpha is None else stream.alpha / 2.0,
        "fired_at": None if stream.fired_at is None else stream.fired_at.isoformat(),
        "baseline_frozen_at": None if stream.frozen_at is None else stream.frozen_at.isoformat(),
    }


async def gold_says(connection: AsyncConnection, *, now: datetime) -> str:
    """Which of the two it is, as far as the judges' record on answers of known truth tells."""
    version = await gold.latest(connection)
    if version is None:
        return "There is no gold set that would tell which."
    drifted = await alerts.last_alerts(connection, is_open=True, kind=DRIFT, limit=100)
    if drifted:
        return f"The gold set says that judges have changed: {drifted[0].message}."
    for days in (0, 1):
        day = (now - timedelta(days=days)).date()
        if await gold.has_run(connection, version.version, day):
            return f"The judges do as well on the gold set as at first ({day}): so the answers are what changed."
    return "The gold set was not judged today or yesterday, so it can't tell which."
