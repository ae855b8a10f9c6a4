"""What did the clients get? A record per request, and what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One request as its client saw it. truth: whether the answer was right; None where there was none.

    request_id, tier, cost_usd: from the router's headers, None where there were none. status: of HTTP, 0 without one.
    failure: None, or "http_<status>", "connect", "timeout", "cut" (broke off in the answer), "bad_body", "unfinished".
    """

    item: int
    kind: str
    feature: str
    user: str
    streamed: bool
    by_sdk: bool
    status: int
    failure: str | None
    latency_seconds: float
    truth: bool | None = None
    request_id: str | None = None
    tier: str | None = None
    model: str | None = None
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficStatistics:
    """What was sent and what came back. Latencies are of answered requests, None without any.

    delayed: requests sent late because too many were in flight. right_by_tier: tier -> (right, answered).
    """

    sent: int
    answered: int
    failures: dict[str, int]
    delayed: int
    seconds: float
    p50_seconds: float | None
    p99_seconds: float | None
    right_by_tier: dict[str, tuple[int, int]]

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def accuracy(self) -> dict[str, float]:
        """Tier -> share of right answers."""
        return {tier: right / answered for tier, (right, answered) in self.right_by_tier.items()}


def statistics_of(records: Iterable[Served], *, seconds: float, delayed: int = 0) -> TrafficStatistics:
    """The sums over the records."""
    failures: Counter[str] = Counter()
    right: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    latencies: list[float] = []
    for record in records:
        if record.failure is not None:
            failures[record.failure] += 1
            continue
        latencies.append(record.latency_seconds)
        tier = record.tier or record.model or "unknown"
        answered[tier] += 1
        right[tier] += bool(record.truth)
    return TrafficStatistics(
        sent=len(latencies) + failures.total(),
        answered=len(latencies),
        failures=dict(failures),
        delayed=delayed,
        seconds=seconds,
        p50_seconds=float(np.quantile(latencies, 0.50)) if latencies else None,
        p99_seconds=float(np.quantile(latencies, 0.99)) if latencies else None,
        right_by_tier={tier: (right[tier], n) for tier, n in sorted(answered.items())},
    )
