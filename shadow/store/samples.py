"""What is known of a sampled request, from the draw to the verdict? One row per sample, one per answer, one per judgment.

States: sampled -> mirrored -> judged | abstained, or failed (no reference to judge against), or shed (budget spent).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from judges.contracts import PanelJudgment
from router.contracts import Exchange
from router.dialects.known import dialect_named
from shadow.sampling.draws import Arm, Draw, Target
from shadow.store.rollup_queue import mark_bucket_of_sample
from shadow.store.schema import answers, judgments, sample_texts, samples
from shadow.store.storable import storable

State = Literal["sampled", "mirrored", "judged", "abstained", "failed", "shed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A sample as the worker needs it."""

    request_id: str
    started_at: datetime
    served_tier: str
    reference_tier: str
    query_type: str
    targets: tuple[Target, ...]
    state: State
    request_body: str
    prompt: str
    dialect: str
    native_headers: Mapping[str, str]
    arm: Arm = "up"

    @property
    def is_of_upgrade(self) -> bool:
        """Drawn for an upgrade's sake, not for a figure of the tier."""
        return self.arm == "upgrade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer obtained, or the failure to obtain it. outcome: "ok" or the kind of failure."""

    tier: str
    repeat: int
    served: bool
    pi: float
    outcome: str
    model: str | None = None
    completion: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    latency_seconds: float | None = None


async def insert_samples(
    connection: AsyncConnection,
    drawn: Sequence[tuple[Exchange, Draw, str]],
    routing: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Store draws with the served answers and the texts needed to mirror them. The third item is the prompt as judges see it.

    routing: by request id, what other thresholds would do with the request, as `shadow.tuning.what_if` writes it.
    """
    if not drawn:
        return
    await connection.execute(
        insert(samples).on_conflict_do_nothing(),
        [_sample_row(e, d, (routing or {}).get(e.request_id)) for e, d, _ in drawn],
    )
    await connection.execute(
        insert(sample_texts).on_conflict_do_nothing(),
        [
            {
                "request_id": e.request_id,
                "request_body": storable(e.request_body),
                "prompt": storable(prompt),
                "dialect": e.dialect,
                "native_headers": {
                    name: storable(e.extra[name]) for name in dialect_named(e.dialect).native_headers if name in e.extra
                },
            }
            for e, _, prompt in drawn
        ],
    )
    await connection.execute(insert(answers).on_conflict_do_nothing(), [_served_row(e, d) for e, d, _ in drawn])


async def claim_unqueued(connection: AsyncConnection, limit: int) -> list[tuple[str, Arm]]:
    """(request id, arm) of samples not handed to the task queue yet; locked until the transaction ends, skipped by others."""
    query = (
        sa.select(samples.c.request_id, samples.c.arm)
        .where(samples.c.queued_at.is_(None))
        .order_by(samples.c.sampled_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [(str(request_id), arm) for request_id, arm in await connection.execute(query)]


async def mark_queued(connection: AsyncConnection, request_ids: Sequence[str]) -> None:
    await connection.execute(
        sa.update(samples).where(samples.c.request_id.in_(request_ids)).values(queued_at=sa.func.now())
    )


async def load_sample(connection: AsyncConnection, request_id: str) -> Sample | None:
    """The sample, or None if it is unknown or its text is gone."""
    query = sa.select(
        samples, *(sample_texts.c[name] for name in ("request_body", "prompt", "dialect", "native_headers"))
    ).join_from(samples, sample_texts)
    row = (await connection.execute(query.where(samples.c.request_id == request_id))).mappings().first()
    if row is None:
        return None
    return Sample(
        request_id=request_id,
        started_at=row["started_at"],
        served_tier=row["served_tier"],
        reference_tier=row["reference_tier"],
        query_type=row["query_type"],
        targets=tuple(Target(tier=tier, repeat=repeat, pi=pi) for tier, repeat, pi in row["plan"]),
        state=row["state"],
        request_body=row["request_body"],
        prompt=row["prompt"],
        dialect=row["dialect"],
        native_headers=row["native_headers"],
        arm=row["arm"],
    )


async def load_answers(connection: AsyncConnection, request_id: str) -> list[Answer]:
    """All answers of a sample, served first, then by tier and repeat."""
    query = (
        sa.select(answers)
        .where(answers.c.request_id == request_id)
        .order_by(answers.c.served.desc(), answers.c.tier, answers.c.repeat)
    )
    return [
        Answer(**{name: row[name] for name in Answer.__dataclass_fields__})
        for row in (await connection.execute(query)).mappings()
    ]


async def save_answer(connection: AsyncConnection, request_id: str, answer: Answer) -> None:
    """Store a shadow answer; a later success replaces an earlier failure, never the other way round."""
    values = {name: getattr(answer, name) for name in Answer.__dataclass_fields__}
    values["completion"] = storable(answer.completion)
    statement = insert(answers).values(request_id=request_id, **values)
    updated: dict[str, Any] = {
        name: statement.excluded[name] for name in values if name not in {"tier", "repeat", "served", "pi"}
    }
    # A failed attempt may have been billed: its cost stays with the answer.
    updated["cost_usd"] = answers.c.cost_usd + statement.excluded.cost_usd
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["request_id", "tier", "repeat"], set_=updated, where=answers.c.outcome != "ok"
        )
    )


async def set_state(connection: AsyncConnection, request_id: str, state: State, *, failure: str | None = None) -> None:
    """Move a sample on, and reopen its bucket."""
    moment = {"mirrored": "mirrored_at", "judged": "judged_at", "abstained": "judged_at"}.get(state)
    values: dict[str, Any] = {"state": state, "failure": failure} | ({moment: sa.func.now()} if moment else {})
    await connection.execute(sa.update(samples).where(samples.c.request_id == request_id).values(**values))
    await mark_bucket_of_sample(connection, request_id)


async def save_judgments(
    connection: AsyncConnection, request_id: str, verdicts: Sequence[tuple[Answer, PanelJudgment]]
) -> None:
    """Store the panel's verdict on each answer, and what each judge said."""
    rows = [
        {
            "request_id": request_id,
            "tier": answer.tier,
            "repeat": answer.repeat,
            "judge": judgment.judge,
            "verdict": judgment.verdict,
            "score": judgment.score,
            "rationale": storable(judgment.rationale),
            "markers": [_marker(marker) for marker in judgment.markers],
            "cost_usd": judgment.cost_usd,
            "latency_seconds": judgment.latency_seconds,
        }
        for answer, panel in verdicts
        for judgment in panel.judgments
    ]
    if rows:
        statement = insert(judgments)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["request_id", "tier", "repeat", "judge"],
                set_={
                    name: statement.excluded[name]
                    for name in ("verdict", "score", "rationale", "markers", "latency_seconds")
                }
                | {"cost_usd": judgments.c.cost_usd + statement.excluded.cost_usd, "judged_at": sa.func.now()},
            ),
            rows,
        )
    for answer, panel in verdicts:
        await connection.execute(
            sa.update(answers)
            .where(answers.c.request_id == request_id, answers.c.tier == answer.tier, answers.c.repeat == answer.repeat)
            .values(panel=panel.panel, verdict=panel.verdict, probability=panel.probability)
        )


async def replace_texts(
    connection: AsyncConnection,
    request_id: str,
    *,
    request_body: str,
    prompt: str,
    completions: dict[tuple[str, int], str],
) -> None:
    """Put redacted (or empty) texts in place of the stored ones."""
    await connection.execute(
        sa.update(sample_texts)
        .where(sample_texts.c.request_id == request_id)
        .values(request_body=storable(request_body), prompt=storable(prompt))
    )
    for (tier, repeat), completion in completions.items():
        await connection.execute(
            sa.update(answers)
            .where(answers.c.request_id == request_id, answers.c.tier == tier, answers.c.repeat == repeat)
            .values(completion=storable(completion))
        )


def _sample_row(exchange: Exchange, drawn: Draw, routing: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "request_id": exchange.request_id,
        "started_at": exchange.started_at,
        "arm": drawn.arm,
        "served_tier": exchange.served_tier,
        "served_model": storable(exchange.served_model) or "",
        "reference_tier": drawn.reference_tier,
        "query_type": storable(exchange.query_type),
        "feature": storable(exchange.hints.feature) or "",
        "band": exchange.decision.band,
        "policy_version": exchange.policy_version,
        "plan": [[target.tier, target.repeat, target.pi] for target in drawn.targets],
        "counts_for_accuracy": drawn.counts_for_accuracy,
        "pi": drawn.pi,
        "eta": drawn.eta,
        "label_drawn": drawn.label_drawn,
        "mode": exchange.mode,
        "decided_tier": drawn.observed.tier if drawn.observed else None,
        "decided_pi": drawn.observed.pi if drawn.observed else None,
        "decided_eta": drawn.observed.eta if drawn.observed else None,
        "decided_label_drawn": drawn.observed is not None and drawn.observed.label_drawn,
        "routing": routing,
    }


def _served_row(exchange: Exchange, drawn: Draw) -> dict[str, Any]:
    text = exchange.completion
    if exchange.tool_calls:
        text = f"{text}\n{exchange.tool_calls}".strip()
    return {
        "request_id": exchange.request_id,
        "tier": exchange.served_tier,
        "repeat": 0,
        "served": True,
        "pi": drawn.pi,
        "model": storable(exchange.served_model),
        "outcome": "ok",
        "completion": storable(text),
        "finish_reason": storable(exchange.finish_reason),
        "prompt_tokens": exchange.prompt_tokens,
        "completion_tokens": exchange.completion_tokens,
        "cost_usd": exchange.cost_usd,
        "latency_seconds": exchange.latency_seconds,
    }


def _marker(marker: Any) -> dict[str, Any]:
    row = {name: getattr(marker, name) for name in ("kind", "start", "end", "text", "weight")}
    # JSON keeps lone surrogates as escapes that the database refuses, too.
    return {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}
