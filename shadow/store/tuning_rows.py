"""What is known, request by request, of the loss that other thresholds would bring? Samples with the note written at the draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_ROWS = sa.text("""
SELECT CAST(s.request_id AS text) AS request_id, s.started_at, s.query_type, s.served_tier, s.decided_tier, s.plan, s.routing,
       s.label_drawn, s.decided_label_drawn, e.session_id, a.answers
FROM samples s
JOIN exchanges e ON e.started_at = s.started_at AND e.request_id = s.request_id
JOIN LATERAL (
    SELECT jsonb_object_agg(a.tier, jsonb_build_object(
        'model', a.model, 'ok', a.outcome = 'ok', 'p', a.probability, 'usd', a.cost_usd,
        'prompt_tokens', a.prompt_tokens, 'completion_tokens', a.completion_tokens,
        'label', (SELECT l.label FROM labels l WHERE l.request_id = a.request_id AND l.tier = a.tier AND l.repeat = 0
                  ORDER BY l.labelled_at, l.reviewer LIMIT 1)
    )) AS answers FROM answers a WHERE a.request_id = s.request_id AND a.repeat = 0
) a ON true
WHERE s.started_at >= :since AND s.started_at < :until AND jsonb_typeof(s.routing) = 'object'
ORDER BY s.started_at DESC, s.request_id DESC LIMIT :most
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAnswer:
    """The first answer of a tier. probability, label: None where no judge, no reviewer has spoken."""

    model: str | None
    ok: bool
    probability: float | None
    label: int | None
    cost_usd: float
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningRow:
    """A sampled request. routing: as `shadow.tuning.what_if` wrote it. asked: tiers whose answers were drawn, the served one with
    them. reviewed: tiers whose pair with the top tier was drawn for a reviewer."""

    request_id: str
    started_at: datetime
    query_type: str
    served_tier: str
    session: str | None
    routing: Mapping[str, Any]
    asked: frozenset[str]
    reviewed: frozenset[str]
    answers: Mapping[str, KnownAnswer] = field(default_factory=dict)


async def tuning_rows(
    connection: AsyncConnection, *, since: datetime, until: datetime, most: int = 200_000
) -> list[TuningRow]:
    """The newest `most` samples of the window, in request order. Samples from before notes were written are left out."""
    found = (await connection.execute(_ROWS, {"since": since, "until": until, "most": most})).mappings()
    return [_row(row) for row in reversed(list(found))]


def _row(row: sa.RowMapping) -> TuningRow:
    labelled = row["routing"]["labelled"]
    observed = {row["decided_tier"]} if row["decided_label_drawn"] else set()
    drawn = (set(labelled) if row["label_drawn"] else set()) | observed
    return TuningRow(
        request_id=row["request_id"],
        started_at=row["started_at"],
        query_type=row["query_type"],
        served_tier=row["served_tier"],
        session=row["session_id"],
        routing=row["routing"],
        asked=frozenset({row["served_tier"], *(tier for tier, repeat, _ in row["plan"] if repeat == 0)}),
        reviewed=frozenset(drawn & set(labelled)),
        answers={
            tier: KnownAnswer(
                model=answer["model"],
                ok=answer["ok"],
                probability=answer["p"],
                label=answer["label"],
                cost_usd=float(answer["usd"]),
                prompt_tokens=answer["prompt_tokens"],
                completion_tokens=answer["completion_tokens"],
            )
            for tier, answer in row["answers"].items()
        },
    )
