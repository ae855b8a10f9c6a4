"""Has the judged accuracy of a model fallen since its baseline? Looked at after every roll-up, over all streams of judged pairs.

A look is one transaction: pairs that the watermark has passed are read, bet on, and the position moves on, with the alerts that
follow. So none is counted twice or lost, whatever crashes, and whoever looks at the same time waits. A request that reaches the
store later than the watermark (the database was away for longer) is not looked at: its place in the order has passed.

A change of the judges, or of what decides which requests reach a stream, begins it anew: a new baseline is collected first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from shadow.judging.mark import judge_mark
from shadow.sampling import draws as sampling
from shadow.settings import Settings
from shadow.statistics.stream_watch import Advanced, Cohorts, Key, Pair, Rule, Stream, advance
from shadow.store import audit, watch_streams
from shadow.store.engine import AsyncConnection, AsyncEngine, utc_now
from shadow.store.watch_pairs import PairRow, pairs_between, planned_least, thresholds_of
from shadow.streams.alerts import IDLE, accepted_keys, details_of, report_streams

log = structlog.get_logger()

#: Pairs looked at in one transaction.
BATCH = 5_000


async def run(engine: AsyncEngine, settings: Settings) -> None:
    """Look at all pairs that are due. Cost: that of reading those that are new."""
    judges, total = judge_mark(settings), 0
    while True:
        async with engine.begin() as connection:
            taken = await look(connection, settings, judges=judges, now=utc_now())
        total += taken
        if taken < BATCH:
            break
    log.info("watch.looked", pairs=total)


async def look(
    connection: AsyncConnection, settings: Settings, *, judges: str, now: datetime, most: int = BATCH
) -> int:
    """Look at the next pairs, at most that many; returns how many there were. Call inside a transaction, commit after it."""
    start = now - timedelta(days=settings.rollup.window_days)
    position = await watch_streams.lock_position(connection, start=start, judges=judges, now=now)
    stored = await watch_streams.all_streams(connection)
    streams = dict(stored)
    accepted = await accepted_keys(connection, streams.values())
    for key, stream in list(streams.items()):
        if key in accepted:
            streams[key] = stream.begun_anew("accepted", at=now)
        elif stream.fired_at is not None and now - stream.last_at >= IDLE:
            streams[key] = stream.begun_anew("idle", at=now)
    if position.judges != judges:
        # Who judged what was asked until now is not known of each pair, so that none of them counts.
        streams = {key: stream.begun_anew("judges", at=now) for key, stream in streams.items()}
        position = replace(position, judges=judges, taken_until=now, taken_id=watch_streams.LAST)
    until = now - timedelta(minutes=settings.alerts.watch.watermark_minutes)
    rows: list[PairRow] = []
    if until > position.taken_until:
        rows = await pairs_between(
            connection, after=position.taken_until, after_id=position.taken_id, until=until, most=most
        )
        last = (rows[-1].started_at, rows[-1].request_id) if len(rows) == most else (until, watch_streams.LAST)
        position = replace(position, taken_until=last[0], taken_id=last[1])
    advanced = await _advanced(
        connection, settings, streams, Cohorts(quarter=position.cohorts_quarter, formed=position.cohorts), rows
    )
    changed = [stream for key, stream in advanced.streams.items() if stream != stored.get(key)]
    await watch_streams.save_streams(connection, changed)
    formed = advanced.cohorts
    position = replace(position, cohorts=formed.formed, cohorts_quarter=formed.quarter, looked_at=now)
    await watch_streams.save_position(connection, position)
    await report_streams(connection, advanced.streams.values(), now=now)
    return len(rows)


async def begin_anew(
    connection: AsyncConnection, settings: Settings, key: Key, *, by: str, why: str, now: datetime
) -> Stream | None:
    """Accept the level that a stream has now: it collects another baseline; audited. None if there is no such stream."""
    start = now - timedelta(days=settings.rollup.window_days)
    await watch_streams.lock_position(connection, start=start, judges=judge_mark(settings), now=now)
    found = (await watch_streams.all_streams(connection)).get(key)
    if found is None:
        return None
    anew = found.begun_anew("accepted", at=now)
    await watch_streams.save_streams(connection, [anew])
    await report_streams(connection, [anew], now=now)
    details = {"reason": why, "epoch": anew.epoch, **details_of(found)}
    await audit.record(connection, actor=by, action="stream.accept", subject="/".join(key), details=details, now=now)
    return anew


async def _advanced(
    connection: AsyncConnection,
    settings: Settings,
    streams: Mapping[Key, Stream],
    cohorts: Cohorts,
    rows: Sequence[PairRow],
) -> Advanced:
    own = settings.alerts.watch
    days = {row.started_at.astimezone(UTC).date() for row in rows}
    least = await planned_least(connection, days)
    policies = await thresholds_of(connection, {row.policy_version for row in rows})
    policies[0] = (dict(settings.routing.thresholds), settings.routing.band, {})
    regimes: dict[tuple[int, str, str], str] = {}
    largest: dict[tuple[object, str, str], float] = {}

    def regime(row: PairRow) -> str:
        key = row.policy_version, row.mode, row.query_type
        if key not in regimes:
            regimes[key] = regime_of(row.mode, row.query_type, policies.get(row.policy_version))
        return regimes[key]

    def share(row: PairRow) -> float:
        key = row.started_at.astimezone(UTC).date(), row.tier, row.query_type
        if key not in largest:
            largest[key] = largest_weight(settings, row.tier, least.get(key))
        # Above it only where the configuration was changed within the day: such a pair counts as the heaviest do.
        return min(1.0, 1.0 / (row.pi * largest[key]))

    pairs = [
        (
            (row.tier, row.model, row.query_type),
            Pair(
                at=row.started_at,
                failure=None if row.probability is None else 1.0 - row.probability,
                weight=1.0 / row.pi,
                share=share(row),
                regime=regime(row),
                policy_version=row.policy_version,
                session=None if row.session_id is None else _number(row.session_id),
            ),
        )
        for row in rows
    ]
    rule = Rule(alpha=own.alpha, tolerance=own.tolerance, baseline_pairs=own.baseline_pairs)
    return advance(streams, cohorts, pairs, rule)


def regime_of(
    mode: str, query_type: str, policy: tuple[dict[str, float], float, dict[str, dict[str, float]]] | None
) -> str:
    """What decides which requests of a query type reach which tier, as a word; None: a policy that nobody stored."""
    said = None if policy is None else (policy[2].get(query_type, policy[0]), policy[1])
    return hashlib.sha256(json.dumps([mode, said], sort_keys=True).encode()).hexdigest()[:12]


def largest_weight(settings: Settings, tier: str, planned: float | None) -> float:
    """The largest weight that a pair of this tier can have by the design of a day: known before anything was answered."""
    names = settings.tier_names
    if tier not in names:
        return 1.0  # gone from the configuration: all its pairs count alike
    up = settings.sampling.up if planned is None else min(planned, settings.sampling.up)
    inclusion = sampling.accuracy_probability(replace(settings.rates, up=up), names.index(tier), names)
    return 1.0 / inclusion if inclusion > 0 else 1.0


def _number(session: str) -> int:
    """A session as a number that fits a bigint."""
    return int.from_bytes(hashlib.sha256(session.encode("utf-8", "replace")).digest()[:8], "big", signed=True)
