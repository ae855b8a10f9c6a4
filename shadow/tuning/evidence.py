"""Which rows of the store say what other thresholds would lose, and as which arrays?

Left out, and counted: all but one request of a session and day (they resemble each other), and all from before a tier's model
changed: what an earlier version did says nothing about this one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from router.contracts import Policy
from router.pricing import Price
from shadow.statistics.paired_evidence import PairedEvidence
from shadow.statistics.routes import Requests
from shadow.statistics.sums import FloatArray
from shadow.store.tuning_rows import KnownAnswer, TuningRow

#: A query type has thresholds of its own from this many judged pairs on, both halves together.
MIN_PAIRS_OF_A_TYPE = 1_000
_RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Arrays for `shadow.statistics.certificate.certify`, rows in request order. query_types: what the kinds stand for; the first
    one, "", is all that have no thresholds of their own. left_out: reason -> rows."""

    request_ids: tuple[str, ...]
    requests: Requests
    pairs: PairedEvidence
    costs_usd: FloatArray
    query_types: tuple[str, ...]
    since: datetime | None
    left_out: Mapping[str, int]


def gather(
    rows: Sequence[TuningRow], tiers: Sequence[str], prices: Mapping[str, Price], current: Policy, *, per_type: bool
) -> Evidence:
    """Evidence of rows in request order. tiers: cheapest first. prices: tier -> that of its first model. current: in force."""
    valid = _of_current_models(rows, tiers)
    kept = _one_of_a_session_and_day(valid)
    left_out = {"earlier model version": len(rows) - len(valid), "same session and day": len(valid) - len(kept)}
    n, below = len(kept), tuple(tiers[:-1])
    own = set(current.by_query_type) | (_types_of_their_own(kept, tiers) if per_type else set())
    query_types = ("", *sorted(own))
    places = {query_type: at for at, query_type in enumerate(query_types)}
    notes = [row.routing for row in kept]
    return Evidence(
        request_ids=tuple(row.request_id for row in kept),
        requests=Requests(
            scores=np.array([[note["scores"].get(tier, 0.0) for tier in below] for note in notes]).reshape(
                n, len(below)
            ),
            kind=np.array([places.get(row.query_type, 0) for row in kept], dtype=np.int64),
            kinds=len(query_types),
            fixed=np.array([_place(tiers, note["fixed"]) for note in notes], dtype=np.int64),
            raised=np.array([note["raised"] for note in notes], dtype=np.bool_),
            lowered=np.array([note["lowered"] for note in notes], dtype=np.bool_),
            fitting=_fitting(notes, tiers),
            band=current.band,
        ),
        pairs=_pairs(kept, tiers),
        costs_usd=np.array([_costs(row, tiers, prices) for row in kept]).reshape(n, len(tiers)),
        query_types=query_types,
        since=kept[0].started_at if kept else None,
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _of_current_models(rows: Sequence[TuningRow], tiers: Sequence[str]) -> list[TuningRow]:
    """Rows after the last answer of a model that no tier has used in the last day of the window."""
    if not rows:
        return []
    recent_from = rows[-1].started_at - _RECENT
    recent: dict[str, set[str | None]] = {tier: set() for tier in tiers}
    for row in rows:
        if row.started_at >= recent_from:
            for tier, answer in row.answers.items():
                recent.setdefault(tier, set()).add(answer.model)
    start = 0
    for at, row in enumerate(rows):
        if any(
            answer.ok and recent.get(tier) and answer.model not in recent[tier] for tier, answer in row.answers.items()
        ):
            start = at + 1
    return list(rows[start:])


def _one_of_a_session_and_day(rows: Sequence[TuningRow]) -> list[TuningRow]:
    """The one with the smallest hash, so that being kept has nothing to do with what was answered."""
    chosen: dict[tuple[str, Any], tuple[bytes, str]] = {}
    for row in rows:
        if row.session is not None:
            key = row.session, row.started_at.astimezone(UTC).date()
            mark = hashlib.sha256(row.request_id.encode()).digest(), row.request_id
            chosen[key] = min(chosen.get(key, mark), mark)
    winners = {request_id for _, request_id in chosen.values()}
    return [row for row in rows if row.session is None or row.request_id in winners]


def _types_of_their_own(rows: Sequence[TuningRow], tiers: Sequence[str]) -> set[str]:
    pairs: dict[str, int] = {}
    for row in rows:
        if any(judged_answer(row, tier, tiers[-1]) for tier in tiers[:-1]):
            pairs[row.query_type] = pairs.get(row.query_type, 0) + 1
    return {t for t, count in pairs.items() if count >= MIN_PAIRS_OF_A_TYPE and t != "unknown"}


def _pairs(rows: Sequence[TuningRow], tiers: Sequence[str]) -> PairedEvidence:
    n, below, top = len(rows), tiers[:-1], tiers[-1]
    inclusion, drawn = np.zeros((n, len(tiers))), np.zeros((n, len(below)), dtype=np.bool_)
    judged, labelled = np.zeros_like(drawn), np.zeros_like(drawn)
    judged_loss, label_loss, label_inclusion = np.zeros(drawn.shape), np.zeros(drawn.shape), np.zeros(drawn.shape)
    for i, row in enumerate(rows):
        inclusion[i, -1] = row.routing["row"]
        for j, tier in enumerate(below):
            chance = row.routing["pairs"].get(tier, 0.0)
            inclusion[i, j] = chance
            label_inclusion[i, j] = row.routing["labelled"].get(tier, 0.0)
            if chance <= 0 or not {tier, top} <= row.asked:
                continue
            drawn[i, j] = True
            if (answer := judged_answer(row, tier, top)) is not None and answer.probability is not None:
                judged[i, j], judged_loss[i, j] = True, 1.0 - answer.probability
            loss = label_loss_of(row, tier, top)
            if tier in row.reviewed and loss is not None and label_inclusion[i, j] > 0:
                labelled[i, j], label_loss[i, j] = True, loss
    return PairedEvidence(
        inclusion=inclusion,
        drawn=drawn,
        judged=judged,
        judged_loss=judged_loss,
        labelled=labelled,
        label_loss=label_loss,
        label_inclusion=label_inclusion,
    )


def judged_answer(row: TuningRow, tier: str, top: str) -> KnownAnswer | None:
    """The tier's answer where it was held against an answer of the top tier and the panel decided."""
    mine, reference = row.answers.get(tier), row.answers.get(top)
    both = mine is not None and mine.ok and mine.probability is not None and reference is not None and reference.ok
    return mine if both and {tier, top} <= row.asked else None


def label_loss_of(row: TuningRow, tier: str, top: str) -> float | None:
    mine, reference = row.answers.get(tier), row.answers.get(top)
    if mine is None or reference is None or mine.label is None or reference.label is None:
        return None
    return float(reference.label - mine.label)


def _costs(row: TuningRow, tiers: Sequence[str], prices: Mapping[str, Price]) -> list[float]:
    """What each tier's answer cost where it was obtained; else the served one's tokens at that tier's price."""
    served = row.answers[row.served_tier]
    return [
        known.cost_usd
        if (known := row.answers.get(tier)) is not None and known.ok
        else float(prices[tier].cost_usd(served.prompt_tokens, served.completion_tokens))
        for tier in tiers
    ]


def _fitting(notes: Sequence[Mapping[str, Any]], tiers: Sequence[str]) -> Any:
    if all(note["fits"] is None for note in notes):
        return None
    same = list(range(len(tiers)))
    return np.array(
        [
            same if note["fits"] is None else [_place(tiers, note["fits"].get(tier, tier)) for tier in tiers]
            for note in notes
        ],
        dtype=np.int64,
    )


def _place(tiers: Sequence[str], name: str | None) -> int:
    """-1 for none, and for a tier that is gone: then thresholds decide."""
    return tiers.index(name) if name is not None and name in tiers else -1
