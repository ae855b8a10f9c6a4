"""Which counts do alarms decide on? Samples by state, attempts by model, what waits and how late records are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.rollup_windows import summed
from shadow.store.schema import judgments, rollup_shadow, samples


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAttempts:
    """How a model has answered clients. first_failed_at, failed_since_answer: of the failures after its last answer."""

    key: str
    failed_since_answer: int
    first_failed_at: datetime | None
    last_outcome: str | None


async def sample_states(connection: AsyncConnection, *, since: datetime, until: datetime) -> list[tuple[str, str, int]]:
    """(tier that served, state, samples) of a window, from the roll-ups."""
    rows = await summed(connection, rollup_shadow, ("served_tier", "state"), ("samples",), since=since, until=until)
    return [(row["served_tier"], row["state"], int(row["samples"])) for row in rows]


async def shed_for_budget(connection: AsyncConnection, *, since: datetime, until: datetime) -> int:
    """How many samples of a window were left out for want of money."""
    query = sa.select(sa.func.count()).where(_within(since, until), samples.c.state == "shed")
    return int(await connection.scalar(query.where(samples.c.failure == "budget")) or 0)


async def mirror_failures(
    connection: AsyncConnection, *, since: datetime, until: datetime
) -> tuple[int, int, str | None]:
    """(samples whose mirror failed, samples that are through, the commonest reason)."""
    failed = samples.c.state == "failed"
    query = sa.select(
        sa.func.count().filter(failed),
        sa.func.count(),
        sa.func.mode().within_group(samples.c.failure).filter(failed),
    ).where(_within(since, until), samples.c.state.in_(("failed", "mirrored", "judged", "abstained")))
    row = (await connection.execute(query)).one()
    return int(row[0]), int(row[1]), row[2]


async def judge_failures(
    connection: AsyncConnection, *, since: datetime, until: datetime
) -> list[tuple[str, int, int]]:
    """(judge@version, answers where it could not be reached, answers that it was asked about), of a window's samples.

    Read off its words: where `sampling.store_text` is `none` they are not kept, and nothing is seen.
    """
    unreached = judgments.c.rationale.startswith("unavailable:")
    query = (
        sa.select(judgments.c.judge, sa.func.count().filter(unreached), sa.func.count())
        .join(samples, samples.c.request_id == judgments.c.request_id)
        .where(_within(since, until))
        .group_by(judgments.c.judge)
        .order_by(judgments.c.judge)
    )
    return [(judge, int(failed), int(n)) for judge, failed, n in await connection.execute(query)]


async def waiting_samples(
    connection: AsyncConnection, state: str, *, since: datetime, until: datetime
) -> tuple[int, datetime | None]:
    """(samples of a window that are still in a state, the oldest one's request)."""
    query = sa.select(sa.func.count(), sa.func.min(samples.c.started_at)).where(
        _within(since, until), samples.c.state == state
    )
    row = (await connection.execute(query)).one()
    return int(row[0]), row[1]


async def shipping_delay(connection: AsyncConnection, *, since: datetime, until: datetime) -> tuple[int, float | None]:
    """(sampled records that arrived in a window, their median delay in seconds); of requests of the last two days."""
    delay = sa.extract("epoch", samples.c.sampled_at - samples.c.started_at)
    query = sa.select(sa.func.count(), sa.func.percentile_cont(0.5).within_group(delay)).where(
        samples.c.started_at > since - timedelta(days=2),
        samples.c.sampled_at >= since,
        samples.c.sampled_at < until,
    )
    row = (await connection.execute(query)).one()
    return int(row[0]), None if row[1] is None else float(row[1])


# A plain exchange has no attempts in its row: there was one, and it answered. Its provider is not named, so it counts for every
# provider of that model: one of two providers of the same model that is down is not seen while the other answers.
_ATTEMPTS = sa.text(
    """
    WITH tried AS (
        SELECT e.started_at, a ->> 'provider' AS provider, a ->> 'model' AS model, a ->> 'outcome' AS outcome
        FROM exchanges AS e, jsonb_array_elements(e.attempts) AS a
        WHERE e.started_at >= :since AND e.started_at < :until AND jsonb_typeof(e.attempts) = 'array'
    ), failed AS (
        SELECT * FROM tried
        WHERE provider IS NOT NULL AND model IS NOT NULL
            AND (outcome IN ('connect', 'reset', 'timeout', 'first_token', 'idle', 'cut', 'bad_body', 'error_event')
                 OR outcome ~ '^http_(401|402|403|404|408|429|5..)$')
    ), answered AS (
        SELECT provider, model, max(started_at) AS at FROM tried WHERE outcome = 'ok' GROUP BY provider, model
    ), plain AS (
        SELECT served_model AS model, max(started_at) AS at FROM exchanges
        WHERE started_at >= :since AND started_at < :until AND served_model IS NOT NULL
            AND coalesce(jsonb_typeof(attempts), 'null') = 'null'
        GROUP BY served_model
    )
    SELECT f.provider || '/' || f.model AS key,
        count(*) FILTER (WHERE f.started_at > l.at) AS failed_since_answer,
        min(f.started_at) FILTER (WHERE f.started_at > l.at) AS first_failed_at,
        (array_agg(f.outcome ORDER BY f.started_at DESC))[1] AS last_outcome
    FROM failed AS f
    LEFT JOIN answered AS o ON o.provider = f.provider AND o.model = f.model
    LEFT JOIN plain AS p ON p.model = f.model
    CROSS JOIN LATERAL (SELECT greatest(coalesce(o.at, '-infinity'), coalesce(p.at, '-infinity')) AS at) AS l
    GROUP BY f.provider, f.model
    ORDER BY 1
    """
)


async def model_attempts(connection: AsyncConnection, *, since: datetime, until: datetime) -> list[ModelAttempts]:
    """Models that failed at least once in a window. Cost: one pass over the window's exchanges."""
    rows = (await connection.execute(_ATTEMPTS, {"since": since, "until": until})).mappings()
    return [ModelAttempts(**row) for row in rows]


def _within(since: datetime, until: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(samples.c.started_at >= since, samples.c.started_at < until)
