"""When does the gold set call for somebody? Where a judge has become worse at it, and where it is not what was frozen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

from shadow.gold.figures import ASPECTS, WORDS, Stream
from shadow.store import alerts
from shadow.store.engine import AsyncConnection
from shadow.store.gold import GoldVersion

DRIFT, TAMPERED = "gold_drift", "gold_tampered"


async def report_drift(
    connection: AsyncConnection,
    version: GoldVersion,
    streams: Sequence[Stream],
    *,
    judges: Collection[str],
    now: datetime,
) -> list[str]:
    """Open an alert for every stream that has drifted, and close those that are over; the keys of the open ones.

    An alert is over where no more items are worse than better, where the gold set is another one, and where its judge is none
    of `judges`, which are asked now: a changed judge is another one, with a first run of its own.
    """
    drifted = [stream for stream in streams if stream.look.has_drifted]
    for stream in drifted:
        found = stream.look
        await alerts.open_alert(
            connection,
            kind=DRIFT,
            key=stream.key,
            severity="critical",
            message=f"{stream.judge} {WORDS[stream.aspect]} than when it first judged version {version.version}: "
            f"{found.worse} of {found.compared} worse, {found.better} better",
            details={"judge": stream.judge, "aspect": stream.aspect, "version": version.version, **asdict(found)},
            now=now,
        )
    fine = {stream.key for stream in streams if stream.look.worse <= stream.look.better}
    asked = {f"{judge}/{aspect}" for judge in judges for aspect in ASPECTS}
    over = [
        alert.key
        for alert in await alerts.last_alerts(connection, is_open=True, kind=DRIFT, limit=1_000)
        if alert.key in fine or alert.key not in asked or alert.details.get("version") != version.version
    ]
    await alerts.close_alerts(connection, DRIFT, over, now=now)
    await alerts.close_alerts(connection, TAMPERED, ["gold set"], now=now)
    return [stream.key for stream in drifted]


async def report_tampering(connection: AsyncConnection, version: GoldVersion, why: str, *, now: datetime) -> None:
    """Open an alert for a gold set that is not what was frozen."""
    await alerts.open_alert(
        connection,
        kind=TAMPERED,
        key="gold set",
        severity="critical",
        message=why,
        details={"version": version.version},
        now=now,
    )
