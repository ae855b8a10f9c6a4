"""How often was each judge asked, and how often was it spared? Counts by day, written with the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from judges.contracts import PanelJudgment
from shadow.store.schema_judges import COUNTS, judge_days
from shadow.store.storable import storable


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeCount:
    """judge: name@version, the panel's for all together. Counts are of comparisons; decided and certified the panel's only."""

    query_type: str
    judge: str
    asked: int
    spared: int
    decided: int
    certified: int


async def count_judgments(
    connection: AsyncConnection, query_type: str, judged: Sequence[PanelJudgment], *, day: date
) -> None:
    """Add what these took to the day. Commit with the verdicts: then each counts once. Cost: one statement."""
    rows: dict[str, dict[str, int]] = {}

    def add(judge: str, count: str) -> None:
        rows.setdefault(judge, dict.fromkeys(COUNTS, 0))[count] += 1

    for said in judged:
        add(said.panel, "asked")
        if said.verdict != "abstain":
            add(said.panel, "decided")
        if said.certified:
            add(said.panel, "certified")
        for judge in {judgment.judge for judgment in said.judgments}:
            add(judge, "asked")
        for judge in said.spared:
            add(judge, "spared")
    if not rows:
        return
    statement = insert(judge_days)
    # In the order of their keys: two workers that add to the same rows then wait for each other and never in a circle.
    values = [
        {"day": day, "query_type": storable(query_type), "judge": judge, **counts}
        for judge, counts in sorted(rows.items())
    ]
    await connection.execute(
        statement.values(values).on_conflict_do_update(
            index_elements=["day", "query_type", "judge"],
            set_={name: judge_days.c[name] + statement.excluded[name] for name in COUNTS},
        )
    )


async def judge_counts(connection: AsyncConnection, *, since: date, until: date) -> list[JudgeCount]:
    """Counts of whole UTC days, both ends included, by query type and judge."""
    sums = [sa.func.sum(judge_days.c[name]).label(name) for name in COUNTS]
    query = (
        sa.select(judge_days.c.query_type, judge_days.c.judge, *sums)
        .where(judge_days.c.day.between(since, until))
        .group_by(judge_days.c.query_type, judge_days.c.judge)
        .order_by(judge_days.c.query_type, judge_days.c.judge)
    )
    return [
        JudgeCount(
            query_type=row.query_type,
            judge=row.judge,
            **{name: int(getattr(row, name)) for name in COUNTS},
        )
        for row in await connection.execute(query)
    ]
