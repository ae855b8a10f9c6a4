"""What does the router tell Prometheus?

Labels are tier, model and reason only, and their values come from the configuration or from short lists in the code, so the
number of series is bounded. What others count themselves (spool, breakers, policy) is read when somebody scrapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from router.contracts import Exchange, PolicySource
from router.health import Health
from router.pool import Pool
from router.tallies import Spread, Tally

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class SpoolHealth(Protocol):
    """What a recorder knows about its own losses."""

    @property
    def lost(self) -> Mapping[str, int]:
        """reason -> exchanges that no disk has."""
        ...

    @property
    def late(self) -> int:
        """Exchanges that were written after their answer had left."""
        ...

    def degraded_reason(self) -> str | None:
        """Why exchanges may not be safe right now; None when all is well."""
        ...


class Telemetry:
    """The metrics of one router, in a registry of their own."""

    def __init__(self, pool: Pool, health: Health, policy: PolicySource, spool: SpoolHealth | None) -> None:
        self.registry = CollectorRegistry()
        self._requests = Tally("shadow_requests", "Requests by the tier that served them and why.", ["tier", "reason"])
        self._failures = Tally("shadow_request_failures", "Requests without a complete answer.", ["reason"])
        self._rejected = Tally("shadow_requests_rejected", "Requests turned down before a decision.", ["reason"])
        self._attempts = Tally("shadow_attempts", "Calls to models by how they came out.", ["tier", "model", "reason"])
        self._cost = Tally("shadow_cost_usd", "USD spent on client requests.", ["tier", "model"])
        self._latency = Spread("shadow_request_seconds", "From request to last byte.", "tier", _SECONDS)
        self._first_token = Spread("shadow_first_token_seconds", "To the first event.", "tier", _SECONDS)
        self._feedback = Tally(
            "shadow_feedback", "Ratings by the tier that was rated, and retries without one.", ["tier", "reason"]
        )
        self.in_progress = 0
        tallies = (self._requests, self._failures, self._rejected, self._attempts, self._cost, self._feedback)
        for metric in (*tallies, self._latency, self._first_token, self):
            self.registry.register(metric)
        self.registry.register(_Watched(pool, health, policy, spool))

    def exchanged(self, exchange: Exchange) -> None:
        """Count a finished request. Cost: some 2 microseconds."""
        tier = exchange.served_tier or "none"
        self._requests.add((tier, exchange.reason or "none"))
        if exchange.status != "answered":
            self._failures.add((exchange.error_kind or exchange.status,))
        self._latency.add(tier, exchange.latency_seconds)
        if exchange.first_token_seconds is not None:
            self._first_token.add(tier, exchange.first_token_seconds)
        for attempt in exchange.attempts:
            self._attempts.add((attempt.tier, attempt.model, attempt.outcome))
            if attempt.cost_usd:
                self._cost.add((attempt.tier, attempt.model), float(attempt.cost_usd))

    def feedback(self, tier: str, reason: str) -> None:
        """Count a rating ("up", "down") or a "retry". tier: "unknown" once the request is forgotten."""
        self._feedback.add((tier, reason))

    def rejected(self, status: int) -> None:
        self._rejected.add((f"http_{status}",))

    def collect(self) -> Iterable[Metric]:
        """The requests that are being served at this moment."""
        yield GaugeMetricFamily("shadow_requests_in_progress", "Requests being served.", value=self.in_progress)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class _Watched:
    """Reads at scrape time what others count."""

    def __init__(self, pool: Pool, health: Health, policy: PolicySource, spool: SpoolHealth | None) -> None:
        self._pool = pool
        self._health = health
        self._policy = policy
        self._spool = spool

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("shadow_policy_version", "Policy in force.", value=self._policy.current().version)
        failures = getattr(self._policy, "failures", 0)
        yield CounterMetricFamily("shadow_policy_unreadable", "Policy files that could not be read.", value=failures)
        breakers = GaugeMetricFamily("shadow_breaker_open", "1: not called at the moment.", labels=["tier", "model"])
        tiers = GaugeMetricFamily("shadow_tier_breaker_open", "1: the whole tier is not called.", labels=["tier"])
        for tier, chain in self._pool.chains.items():
            tiers.add_metric([tier], 0.0 if self._health.state(tier) == "closed" else 1.0)
            for model in dict.fromkeys(target.model for target in chain):
                closed = [self._health.state(target.key) == "closed" for target in chain if target.model == model]
                breakers.add_metric([tier, model], 0.0 if any(closed) else 1.0)
        yield breakers
        yield tiers
        if self._spool is None:
            return
        lost = CounterMetricFamily("exchanges_lost", "Exchanges that no disk has.", labels=["reason"])
        for reason in ("write_failed", "queue_full", "shutdown"):
            lost.add_metric([reason], self._spool.lost.get(reason, 0))
        yield lost
        yield CounterMetricFamily("exchanges_late", "Exchanges written after their answer.", value=self._spool.late)
        degraded = self._spool.degraded_reason() is not None
        yield GaugeMetricFamily("shadow_spool_degraded", "1: the spool is slow or failing.", value=float(degraded))
