"""What would a store hold after weeks of traffic? Random exchanges with samples, answers, verdicts and labels, by COPY, no texts.

Draws are the sampler's own; everything else comes from a seed. A day at a time, so that memory does not grow with the window.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg

from router.contracts import confidence_band
from shadow.sampling.draws import Draw, Rates, draw, draw_observed

TIERS = ("fast", "balanced", "frontier")
MODELS = {"fast": ("fast-8b", "fast-9b"), "balanced": ("mid-70b", "mid-80b"), "frontier": ("top-1", "top-2")}
QUERY_TYPES = ("qa", "summary", "extraction", "code", "chat", "classification", "rewrite", "unknown")
FEATURES = ("support", "search", "billing", "editor", "inbox", "reports", "onboarding", "mobile", "batch", "")
USERS, REQUESTS_PER_SESSION = 5_000, 4
PRICE = np.array([0.00021, 0.0013, 0.0094])
SKILL = np.array([0.86, 0.94, 0.98])
RATES = Rates(up=0.053, down=0.01, control_top=0.01)
JUDGES = ("lexical@2", "semantic@1")

Row = Sequence[str]
COLUMNS = {
    "exchanges": (
        "started_at request_id policy_version mode status http_status predicted_tier chosen_tier served_tier served_model reason "
        "confidence band query_type query_type_source feature user_id session_id key_id streamed prompt_tokens completion_tokens "
        "cost_usd latency_seconds first_token_seconds finish_reason attempts"
    ),
    "samples": (
        "request_id started_at arm served_tier served_model reference_tier query_type feature band policy_version plan "
        "counts_for_accuracy pi eta label_drawn state sampled_at queued_at mirrored_at judged_at mode decided_tier decided_pi "
        "decided_eta decided_label_drawn"
    ),
    "sample_texts": "request_id request_body prompt",
    "answers": (
        "request_id tier repeat served pi model outcome finish_reason prompt_tokens completion_tokens cost_usd latency_seconds "
        "panel verdict probability"
    ),
    "judgments": "request_id tier repeat judge verdict score rationale cost_usd latency_seconds",
    "labels": "request_id tier repeat reviewer label labelled_at",
    "feedback": (
        "request_id source key_id feedback_id at requested_at rating signal started_at tier model query_type feature"
    ),
    "budget_reservations": "id day purpose amount_usd settled_usd",
}
_NULL = "\\N"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a day looks like. observe_share: of requests in mode observe. rates: of the sampler; labels are drawn with them."""

    exchanges_per_day: int
    seed: int = 1
    observe_share: float = 0.0
    rates: Rates = RATES


def load(
    connection: psycopg.Connection[Any], traffic: Traffic, days: Sequence[datetime], told: Callable[[str], None]
) -> None:
    """Fill an empty, migrated store with these days (midnights), sums excepted. Spend is added up as intake does."""
    for number, day in enumerate(days):
        rows = _day(np.random.default_rng((traffic.seed, number)), traffic, day)
        _partition(connection, day)
        connection.execute("INSERT INTO budget_days (day, purpose) VALUES (%s, 'mirror')", [day.date()])
        for table, lines in rows.items():
            _copy(connection, table, lines)
        connection.execute(_SPEND, {"start": day, "end": day + timedelta(days=1)})
        connection.commit()
        told(f"day {number + 1} of {len(days)}")


def _partition(connection: psycopg.Connection[Any], day: datetime) -> None:
    bounds = f"FROM ('{day:%Y-%m-%d}+00') TO ('{day + timedelta(days=1):%Y-%m-%d}+00')"
    connection.execute(f"CREATE TABLE IF NOT EXISTS exchanges_{day:%Y%m%d} PARTITION OF exchanges FOR VALUES {bounds}")  # type: ignore[arg-type]


def _copy(connection: psycopg.Connection[Any], table: str, rows: Iterable[Row]) -> None:
    columns = ", ".join(COLUMNS[table].split())
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:  # type: ignore[arg-type]
        for block in _blocks(rows):
            copy.write(block)


def _blocks(rows: Iterable[Row], size: int = 5_000) -> Iterator[str]:
    lines: list[str] = []
    for row in rows:
        lines.append("\t".join(row))
        if len(lines) == size:
            yield "\n".join(lines) + "\n"
            lines = []
    if lines:
        yield "\n".join(lines) + "\n"


def _day(rng: np.random.Generator, traffic: Traffic, day: datetime) -> dict[str, list[Row]]:
    n = traffic.exchanges_per_day
    offsets = np.sort(rng.integers(0, 86_400_000, n))
    starts = [day + timedelta(milliseconds=int(offset)) for offset in offsets]
    stamps = [start.isoformat() for start in starts]
    ids = _uuids(rng, int(day.timestamp() * 1000) + offsets)
    confidence = np.round(rng.beta(4, 1.2, n), 4)
    predicted = np.where(confidence > 0.75, 0, np.where(confidence > 0.5, 1, 2))
    chosen = np.minimum(predicted + (rng.random(n) < 0.08), 2)
    observed = rng.random(n) < traffic.observe_share
    served = np.where(observed, 2, chosen)
    status = np.array(["answered", "failed", "cancelled"], dtype=object)[rng.choice(3, n, p=[0.97, 0.02, 0.01])]
    model = [MODELS[TIERS[t]][int(second)] for t, second in zip(served, rng.random(n) < 0.1, strict=True)]
    kind = np.array(QUERY_TYPES, dtype=object)[rng.choice(len(QUERY_TYPES), n, p=_falling(len(QUERY_TYPES)))]
    feature = np.array(FEATURES, dtype=object)[rng.choice(len(FEATURES), n, p=_falling(len(FEATURES)))]
    user = rng.integers(0, USERS, n) * rng.integers(0, 2, n)
    session = rng.integers(0, max(1, n // REQUESTS_PER_SESSION), n)
    prompt, completion = rng.integers(20, 4000, n), rng.integers(5, 900, n)
    cost = np.round(PRICE[served] * rng.lognormal(0, 0.8, n), 9)
    latency, first = np.round(rng.lognormal(0, 0.6, n), 3), np.round(rng.lognormal(-1, 0.5, n), 3)
    rated = rng.random(n) < 0.01
    rows: dict[str, list[Row]] = {table: [] for table in COLUMNS}
    for i in range(n):
        tier, mode, band = TIERS[served[i]], "observe" if observed[i] else "route", confidence_band(confidence[i])
        answered = status[i] == "answered"
        reason = "low_confidence" if answered and served[i] > predicted[i] and not observed[i] else _NULL
        rows["exchanges"].append(
            (
                stamps[i], ids[i], "1", mode, status[i], "200" if answered else "502", TIERS[predicted[i]], TIERS[chosen[i]],
                tier if answered else _NULL, model[i] if answered else _NULL, reason, str(confidence[i]), band, kind[i], "hint",
                feature[i] or _NULL, f"u-{user[i]}", f"s-{session[i]:08d}", "key-1", "t", str(prompt[i]), str(completion[i]),
                f"{cost[i]:.9f}", str(latency[i]), str(first[i]), "stop", _NULL if answered else '[{"outcome": "timeout"}]',
            )
        )  # fmt: skip
        if not answered:
            continue
        if rated[i]:
            said = "up" if rng.random() < 0.6 else "down"
            rows["feedback"].append(
                (
                    ids[i],
                    "user",
                    "key-1",
                    ids[i],
                    stamps[i],
                    stamps[i],
                    said,
                    "rated",
                    stamps[i],
                    tier,
                    model[i],
                    kind[i],
                    feature[i],
                )
            )
        drawn = _drawn(traffic, ids[i], tier, TIERS[chosen[i]], observe=bool(observed[i]))
        if drawn is not None:
            common = (ids[i], stamps[i], tier, model[i], kind[i], feature[i], band, mode)
            _sample(rng, rows, drawn, common, float(cost[i]), day)
    return rows


def _drawn(traffic: Traffic, request_id: str, tier: str, decided: str, *, observe: bool) -> Draw | None:
    common: dict[str, Any] = {"seed": str(traffic.seed), "request_id": request_id, "served_tier": tier, "tiers": TIERS}
    if observe:
        return draw_observed(traffic.rates, decided_tier=decided, **common)
    return draw(traffic.rates, **common)


def _sample(
    rng: np.random.Generator, rows: dict[str, list[Row]], drawn: Draw, common: Row, served_cost: float, day: datetime
) -> None:
    request_id, stamp, tier, model, kind, feature, band, mode = common
    state = str(rng.choice(["judged", "abstained", "failed", "sampled"], p=[0.9, 0.06, 0.03, 0.01]))
    mirrored = state in ("judged", "abstained")
    plan = ", ".join(f'["{target.tier}", {target.repeat}, {target.pi!r}]' for target in drawn.targets)
    seen = drawn.observed
    decided = (
        (seen.tier, repr(seen.pi), repr(seen.eta), "t" if seen.label_drawn else "f")
        if seen
        else (_NULL, _NULL, _NULL, "f")
    )
    rows["samples"].append(
        (
            request_id, stamp, drawn.arm, tier, model, drawn.reference_tier, kind, feature, band, "1", f"[{plan}]",
            "t" if drawn.counts_for_accuracy else "f", repr(drawn.pi), repr(drawn.eta), "t" if drawn.label_drawn else "f", state,
            stamp, stamp, stamp if mirrored else _NULL, stamp if mirrored else _NULL, mode, *decided,
        )
    )  # fmt: skip
    rows["sample_texts"].append((request_id, "", ""))
    answers = [(tier, 0, drawn.pi, True, served_cost)]
    for target in drawn.targets if mirrored else ():
        cost = round(float(PRICE[TIERS.index(target.tier)] * rng.lognormal(0, 0.8)), 9)
        answers.append((target.tier, target.repeat, target.pi, False, cost))
        rows["budget_reservations"].append(
            (str(uuid.UUID(bytes=rng.bytes(16))), f"{day:%Y-%m-%d}", "mirror", "0.01", f"{cost:.9f}")
        )
    planned = {(target.tier, target.repeat) for target in drawn.targets}
    reference = (drawn.reference_tier, 0) if (drawn.reference_tier, 0) in planned else min(planned)
    for name, repeat, pi, is_served, cost in answers:
        good = bool(rng.random() < SKILL[TIERS.index(name)])
        held = mirrored and (name, repeat) != reference and (state == "judged" or rng.random() < 0.3)
        p = round(float(rng.beta(8, 1.5) if good else rng.beta(2, 4)), 4) if held else None
        verdict = "accept" if p is not None and p >= 0.5 else "reject"
        rows["answers"].append(
            (
                request_id, name, str(repeat), "t" if is_served else "f", repr(pi), MODELS[name][0], "ok", "stop",
                "400", "120", f"{cost:.9f}", "0.8", "panel@4" if mirrored else _NULL, verdict if held else _NULL,
                _NULL if p is None else str(p),
            )
        )  # fmt: skip
        for judge in JUDGES if held else ():
            rows["judgments"].append((request_id, name, str(repeat), judge, verdict, str(p), "", "0.000004", "0.004"))
        label_drawn = drawn.label_drawn or (seen is not None and seen.label_drawn)
        if label_drawn and repeat == 0 and rng.random() < 0.9:
            rows["labels"].append((request_id, name, "0", "ann", str(int(good)), (day + timedelta(days=1)).isoformat()))


def _uuids(rng: np.random.Generator, milliseconds: np.ndarray[Any, Any]) -> list[str]:
    """UUIDv7, as the router draws them."""
    first, second = rng.integers(0, 1 << 12, milliseconds.size), rng.integers(0, 1 << 62, milliseconds.size)
    return [
        str(uuid.UUID(int=int(ms) << 80 | 7 << 76 | int(a) << 64 | 2 << 62 | int(b)))
        for ms, a, b in zip(milliseconds, first, second, strict=True)
    ]


def _falling(n: int) -> np.ndarray[Any, Any]:
    weights = 1.0 / np.arange(1, n + 1)
    return weights / weights.sum()


def midnights(end: datetime, days: int) -> list[datetime]:
    """The last `days` midnights before `end`, oldest first."""
    last = end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [last - timedelta(days=days - i) for i in range(days)]


_SPEND = """
INSERT INTO rollup_spend (dimension, day, name, tier, query_type, requests, prompt_tokens, completion_tokens, cost_usd)
SELECT d.dimension, (started_at AT TIME ZONE 'UTC')::date, coalesce(d.name, ''),
       CASE d.dimension WHEN 'session' THEN '' ELSE coalesce(served_tier, '') END,
       CASE d.dimension WHEN 'session' THEN '' ELSE query_type END,
       count(*), sum(prompt_tokens), sum(completion_tokens), sum(cost_usd)
FROM exchanges CROSS JOIN LATERAL (
    VALUES ('user', user_id), ('feature', feature), ('session', session_id), ('key', key_id)
) AS d (dimension, name)
WHERE started_at >= %(start)s AND started_at < %(end)s GROUP BY 1, 2, 3, 4, 5
"""
