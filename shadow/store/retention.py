"""Which rows are older than they may be, and how do they go? Counted without a trace, deleted in small batches.

Raw rows of a day go only once the day is sealed: its sums are complete, compacted, and from then on never computed again. What
labels hang on stays with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.rollup_compute import DAY

_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of rows. count: rows of each table that are due, by name; delete: a batch of them, the same names.

    Both are statements of one row, and bind `before`; delete binds `batch` as well.
    """

    name: str
    count: str
    delete: str


_SEALED = "EXISTS (SELECT FROM rollup_days d WHERE d.sealed_at IS NOT NULL AND d.day = date_trunc('day', s.started_at, 'UTC'))"
_LABELLED = "EXISTS (SELECT FROM labels l WHERE l.request_id = s.request_id)"
_QUOTES = """(rationale <> '' OR markers::text ~ '"text": "[^"]')"""

TEXTS = Rule(
    name="texts",
    count=f"""
        WITH due AS (SELECT request_id FROM samples WHERE texts_deleted_at IS NULL AND started_at < :before)
        SELECT (SELECT count(*) FROM sample_texts JOIN due USING (request_id)) AS "texts of requests",
               (SELECT count(*) FROM answers JOIN due USING (request_id) WHERE completion <> '') AS "texts of answers",
               (SELECT count(*) FROM judgments JOIN due USING (request_id) WHERE {_QUOTES}) AS "quotations of judges"
    """,  # noqa: S608 - built from constants of this module
    delete=f"""
        WITH due AS (
            SELECT request_id FROM samples WHERE texts_deleted_at IS NULL AND started_at < :before
            ORDER BY started_at LIMIT :batch FOR UPDATE SKIP LOCKED
        ), requests AS (
            DELETE FROM sample_texts t USING due WHERE t.request_id = due.request_id RETURNING 1
        ), completions AS (
            UPDATE answers a SET completion = '' FROM due
            WHERE a.request_id = due.request_id AND completion <> '' RETURNING 1
        ), quotations AS (
            UPDATE judgments j SET rationale = '', markers = (
                SELECT coalesce(jsonb_agg(jsonb_set(m, '{{text}}', '""')), '[]') FROM jsonb_array_elements(markers) AS m
            ) FROM due WHERE j.request_id = due.request_id AND {_QUOTES} RETURNING 1
        ), done AS (
            UPDATE samples s SET texts_deleted_at = now() FROM due WHERE s.request_id = due.request_id RETURNING 1
        )
        SELECT (SELECT count(*) FROM requests) AS "texts of requests", (SELECT count(*) FROM completions) AS "texts of answers",
               (SELECT count(*) FROM quotations) AS "quotations of judges", (SELECT count(*) FROM done) AS done
    """,  # noqa: S608
)
COMMENTS = Rule(
    name="comments",
    count='SELECT count(*) AS "comments of users" FROM feedback WHERE comment IS NOT NULL AND at < :before',
    delete="""
        WITH gone AS (
            UPDATE feedback SET comment = NULL WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM feedback WHERE comment IS NOT NULL AND at < :before ORDER BY at LIMIT :batch
            )) RETURNING 1
        ) SELECT count(*) AS "comments of users" FROM gone
    """,
)


def _samples(name: str, condition: str) -> Rule:
    """Samples with everything that hangs on them: their foreign keys would take it along, but not count it."""
    due = f"SELECT request_id FROM samples s WHERE started_at < :before AND {condition}"  # noqa: S608
    return Rule(
        name=name,
        count=f"""
            WITH due AS ({due})
            SELECT (SELECT count(*) FROM labels JOIN due USING (request_id)) AS labels,
                   (SELECT count(*) FROM label_skips k JOIN due ON k.item_id = due.request_id) AS "skipped labels",
                   (SELECT count(*) FROM judgments JOIN due USING (request_id)) AS judgments,
                   (SELECT count(*) FROM answers JOIN due USING (request_id)) AS answers, (SELECT count(*) FROM due) AS samples
        """,  # noqa: S608
        delete=f"""
            WITH due AS ({due} AND {_SEALED} ORDER BY started_at LIMIT :batch),
            l AS (DELETE FROM labels x USING due WHERE x.request_id = due.request_id RETURNING 1),
            k AS (DELETE FROM label_skips x USING due WHERE x.item_id = due.request_id RETURNING 1),
            j AS (DELETE FROM judgments x USING due WHERE x.request_id = due.request_id RETURNING 1),
            a AS (DELETE FROM answers x USING due WHERE x.request_id = due.request_id RETURNING 1),
            s AS (DELETE FROM samples x USING due WHERE x.request_id = due.request_id RETURNING 1)
            SELECT (SELECT count(*) FROM l) AS labels, (SELECT count(*) FROM k) AS "skipped labels",
                   (SELECT count(*) FROM j) AS judgments, (SELECT count(*) FROM a) AS answers, (SELECT count(*) FROM s) AS samples
        """,  # noqa: S608
    )


SAMPLES = _samples("samples", f"NOT {_LABELLED}")
LABELLED_SAMPLES = _samples("labelled samples", _LABELLED)


def _simple(table: str, shown: str, condition: str) -> Rule:
    return Rule(
        name=table,
        count=f'SELECT count(*) AS "{shown}" FROM {table} WHERE {condition}',  # noqa: S608
        delete=f"""
            WITH gone AS (
                DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {condition} LIMIT :batch)) RETURNING 1
            ) SELECT count(*) AS "{shown}" FROM gone
        """,  # noqa: S608
    )


FEEDBACK = _simple("feedback", "feedback", "at < :before")
RESERVATIONS = _simple(
    "budget_reservations", "settled reservations", "day < (CAST(:before AS timestamptz) AT TIME ZONE 'UTC')::date"
)
CANARIES = _simple(
    "canary_runs", "canary runs without a change", "ran_at < :before AND state <> 'first' AND NOT changed"
)
# What happened to an alert and the messages about it go with it.
ALERTS = _simple("alerts", "alerts that are over", "closed_at < :before")
MESSAGES = _simple(
    "notifications", "messages of reports", "created_at < :before AND alert_id IS NULL AND planned_at IS NOT NULL"
)
SPEND = _simple(
    "rollup_spend",
    "spend by user and session",
    "dimension IN ('user', 'session') AND day < (CAST(:before AS timestamptz) AT TIME ZONE 'UTC')::date",
)


async def count_due(connection: AsyncConnection, rule: Rule, *, before: datetime) -> dict[str, int]:
    """Rows of a rule that are due, by name. Deletes nothing."""
    row = (await connection.execute(sa.text(rule.count), {"before": before})).mappings().one()
    return {name: int(count) for name, count in row.items()}


async def delete_batch(connection: AsyncConnection, rule: Rule, *, before: datetime, batch: int) -> dict[str, int]:
    """Delete up to `batch` of them with what hangs on them; rows by name, all 0 where nothing is left. Commit after each."""
    row = (await connection.execute(sa.text(rule.delete), {"before": before, "batch": batch})).mappings().one()
    return {name: int(count) for name, count in row.items()}


async def seal(connection: AsyncConnection, *, before: datetime) -> int:
    """Declare the sums of all days before a midnight final, as their raw rows are about to go; returns how many days.

    A day whose sums are not complete (a bucket is marked, or it was never compacted) stays open. Commit before deleting.
    """
    statement = """
        UPDATE rollup_days d SET sealed_at = now()
        WHERE day < :before AND sealed_at IS NULL AND compacted_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM rollup_queue q WHERE q.bucket_start >= d.day AND q.bucket_start < d.day + interval '24 hours'
        )
    """
    return (await connection.execute(sa.text(statement), {"before": before})).rowcount


async def exchange_days(connection: AsyncConnection, *, before: datetime, sealed_only: bool) -> list[date]:
    """Days before a midnight that have a partition of exchanges, oldest first."""
    names = await connection.scalars(
        sa.text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'exchanges'::regclass"
        )
    )
    days = sorted(datetime.strptime(name, "exchanges_%Y%m%d").date() for name in names)  # noqa: DTZ007 - a date, no instant
    sealed = set(
        await connection.scalars(
            sa.text(
                "SELECT (day AT TIME ZONE 'UTC')::date FROM rollup_days WHERE sealed_at IS NOT NULL AND day < :before"
            ),
            {"before": before},
        )
    )
    return [day for day in days if day < before.date() and (day in sealed or not sealed_only)]


async def count_exchanges(connection: AsyncConnection, day: date) -> int:
    """Exchanges of a day that has a partition."""
    name = f"exchanges_{day:%Y%m%d}"
    return int(await connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) or 0)  # noqa: S608 - a date


async def drop_exchanges(connection: AsyncConnection, day: date, *, wait_seconds: float = 2.0) -> int | None:
    """Drop the partition of a sealed day; its exchanges, None where the table was not to be had. Commit after it.

    The parent is locked for a moment, and intake waits while this one waits for it: so it does not wait for long.
    """
    rows = await count_exchanges(connection, day)
    try:
        async with connection.begin_nested():
            await connection.execute(sa.text(f"SET LOCAL lock_timeout = '{int(wait_seconds * 1000)}ms'"))
            await connection.execute(sa.text(f"DROP TABLE exchanges_{day:%Y%m%d}"))
    except sa.exc.OperationalError as exc:
        if getattr(exc.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return None
    return rows


def midnight(now: datetime, days: int) -> datetime:
    """Before which rows are older than that many whole UTC days."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - days * DAY
