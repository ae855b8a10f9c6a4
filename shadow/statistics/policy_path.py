"""Which thresholds are worth testing, in which order?

From the first half of the evidence: the policies that minimise cost + mu * risk while mu falls, the thresholds of all tiers and
query types together. That is one path, from everything on the top tier to the cheapest that can be had; risk rises along it.
Where two neighbours differ much in cost, policies between them are put in. The order is fixed before the second half is
looked at, which is all that testing along it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from shadow.statistics.paired_evidence import PairedEvidence
from shadow.statistics.routes import BEYOND, Requests, all_top, routes
from shadow.statistics.sums import BoolArray, FloatArray, IntArray

MOST_CANDIDATES = 1_000
MIN_PAIRS_PER_KIND = 250
MULTIPLIERS = 120
STEPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPolicy:
    """A policy on the path. thresholds: (kinds, T-1), BEYOND where a tier is not used; cost_usd: mean per request, and risk,
    both as the first half has them (so both are flattered)."""

    thresholds: FloatArray
    cost_usd: float
    risk: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Policies to test, in this order; the first one, all on the top tier, needs no test. unseen: some cheaper ones were left
    out because they send requests where no pair can ever be drawn (they need mirroring downwards)."""

    policies: tuple[PathPolicy, ...]
    unseen: bool


def policy_path(
    requests: Requests, evidence: PairedEvidence, costs_usd: FloatArray, *, lowest: FloatArray | None = None
) -> Path:
    """The path that the first half proposes. costs_usd: (n, T), what each tier's answer costs or is expected to cost.

    lowest: (kinds, T-1), thresholds below which none may be; query types that share theirs have the highest of these.

    Query types with fewer than 250 judged or labelled pairs share their thresholds. Candidates are quantiles of the scores,
    up to 1,000 combinations of tiers for each query type. Without rows the path is all on top, at cost 0.
    Cost: O(candidates * n); half a second for 2,500 requests and 3 tiers.
    """
    kinds, tiers = requests.kinds, requests.tiers
    top = all_top(kinds, tiers)
    if requests.n == 0:
        return Path(policies=(PathPolicy(thresholds=top, cost_usd=0.0, risk=0.0),), unseen=False)
    group_of = _groups(requests, evidence)
    tables = _Tables(requests, evidence, costs_usd)
    limits = _limits(requests, group_of)  # (groups, T-1, steps)
    if lowest is not None:
        floor = np.stack([lowest[group_of == group].max(axis=0) for group in range(limits.shape[0])])
        limits = np.maximum(limits, floor[:, :, None])
    steps = limits.shape[2]
    candidates = list(product(range(steps), repeat=tiers - 1))
    groups = limits.shape[0]
    cost, risk = np.zeros((len(candidates), groups)), np.zeros((len(candidates), groups))
    seen = np.ones((len(candidates), groups), dtype=np.bool_)
    group = group_of[requests.kind]
    for at, steps_of in enumerate(candidates):
        thresholds = np.stack([limits[:, tier, step] for tier, step in enumerate(steps_of)], axis=1)
        cost[at], risk[at], seen[at] = tables.by_group(routes(requests, thresholds[group_of]), group, groups)
    unseen = bool((~seen & (cost < cost[-1])).any())  # the last candidate uses no tier below the top
    if not seen[-1].all():  # rules or tolerance send requests below the top where no pair can be drawn
        return Path(policies=(_evaluated(requests, tables, top),), unseen=True)
    cost[~seen] = np.inf
    spread = float(np.where(seen, cost[-1] - cost, 0.0).max(axis=0).sum())
    last = len(candidates) - 1
    found = [np.full(groups, last)]
    for multiplier in [*(spread * np.geomspace(1e4, 1e-2, MULTIPLIERS)), 0.0]:
        # Of equals the last one, with the higher thresholds: it sends less below the top.
        best = last - np.argmin((cost + multiplier * risk)[::-1], axis=0)
        if not np.array_equal(best, found[-1]):
            found.append(best)
    vertices = [np.array([candidates[at] for at in chosen], dtype=float) for chosen in found]  # (groups, T-1) each
    policies = [_evaluated(requests, tables, top)]
    for before, after in pairwise(vertices):
        following = _evaluated(requests, tables, _at(limits, after)[group_of])
        policies += _between(requests, tables, limits, group_of, before, after, policies[-1], following, spread)
        policies.append(following)
    return Path(policies=tuple(_cheaper(policies)), unseen=unseen)


class _Tables:
    """What each tier's answer costs and loses, row by row; pairs without evidence add nothing, the others stand for them."""

    def __init__(self, requests: Requests, evidence: PairedEvidence, costs_usd: FloatArray) -> None:
        n, tiers = evidence.inclusion.shape
        if costs_usd.shape != (n, tiers) or requests.n != n or requests.tiers != tiers:
            raise ValueError(
                f"costs have shape {costs_usd.shape}, evidence {(n, tiers)}, scores {(requests.n, requests.tiers - 1)}"
            )
        if not np.isfinite(costs_usd).all():
            raise ValueError(
                "costs_usd must be finite: give what a tier's answer is expected to cost where it is not known"
            )
        known = evidence.judged.copy()
        loss = np.where(evidence.judged, evidence.judged_loss, 0.0)
        if evidence.labelled is not None and evidence.label_loss is not None:
            known |= evidence.labelled
            loss = np.where(evidence.labelled, evidence.label_loss, loss)
        chance = np.where(evidence.drawn, evidence.inclusion[:, :-1], 1.0)
        drawn, answered = evidence.drawn / chance, known / chance
        total = answered.sum(axis=0)
        response = np.divide(drawn.sum(axis=0), total, out=np.ones(tiers - 1), where=total > 0.0)
        self._weights = evidence.row_weights
        self._lost = np.zeros((n, tiers))
        self._lost[:, :-1] = answered * loss * response
        self._costs = costs_usd * self._weights[:, None]
        self._seen = evidence.inclusion > 0.0
        self._rows = np.arange(n)

    def by_group(self, tier: IntArray, group: IntArray, groups: int) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Cost and risk per request of all traffic, by group, and whether each of a group's routes can be seen."""
        total = float(self._weights.sum())
        rows = self._rows
        cost = np.bincount(group, weights=self._costs[rows, tier], minlength=groups) / total
        risk = np.bincount(group, weights=self._lost[rows, tier], minlength=groups) / total
        hidden = np.bincount(group, weights=~self._seen[rows, tier], minlength=groups)
        return cost, risk, hidden == 0


def _groups(requests: Requests, evidence: PairedEvidence) -> IntArray:
    """Which group each query type belongs to, shape (kinds,): one of its own if it has enough pairs, else the shared one."""
    known = evidence.judged.any(axis=1)
    if evidence.labelled is not None:
        known = known | evidence.labelled.any(axis=1)
    pairs = np.bincount(requests.kind[known], minlength=requests.kinds)
    large = np.flatnonzero(pairs >= MIN_PAIRS_PER_KIND)
    shared = large.size < requests.kinds
    group_of = np.zeros(requests.kinds, dtype=np.int64)
    group_of[large] = np.arange(large.size) + shared
    return group_of


def _limits(requests: Requests, group_of: IntArray) -> FloatArray:
    """Candidate thresholds, shape (groups, T-1, steps), rising; the last one is out of reach."""
    below = requests.tiers - 1
    steps = max(3, min(100, int(MOST_CANDIDATES ** (1.0 / below) + 1e-9)))
    groups = int(group_of.max()) + 1
    limits = np.full((groups, below, steps), BEYOND)
    group = group_of[requests.kind]
    free = np.ones(requests.n, dtype=np.bool_) if requests.fixed is None else requests.fixed < 0
    for at in range(groups):
        own = requests.scores[(group == at) & free]
        if len(own):
            limits[at, :, :-1] = np.quantile(own, np.linspace(0.0, 1.0, steps - 1), axis=0, method="higher").T
    # Scores of few different values make many equal candidates.
    differs = (np.diff(limits, axis=2) != 0.0).any(axis=(0, 1))
    return limits[:, :, np.append(True, differs)]


def _at(limits: FloatArray, position: FloatArray) -> FloatArray:
    """Thresholds at positions between the candidates, shape (groups, T-1); the way out of reach is one step."""
    whole = np.floor(position).astype(np.int64)
    following = np.minimum(whole + 1, limits.shape[2] - 1)
    low = np.take_along_axis(limits, whole[:, :, None], axis=2)[:, :, 0]
    high = np.take_along_axis(limits, following[:, :, None], axis=2)[:, :, 0]
    share = position - whole
    thresholds: FloatArray = np.where((high >= BEYOND) & (share > 0.0), low, low + share * (high - low))
    return np.where(low >= BEYOND, BEYOND, thresholds)


def _evaluated(requests: Requests, tables: _Tables, thresholds: FloatArray) -> PathPolicy:
    cost, risk, _ = tables.by_group(routes(requests, thresholds), np.zeros(requests.n, dtype=np.int64), 1)
    return PathPolicy(thresholds=thresholds, cost_usd=float(cost[0]), risk=float(risk[0]))


def _between(
    requests: Requests,
    tables: _Tables,
    limits: FloatArray,
    group_of: IntArray,
    before: FloatArray,
    after: FloatArray,
    last: PathPolicy,
    following: PathPolicy,
    spread: float,
) -> list[PathPolicy]:
    """Policies on the way from one to the other, where they differ by more than a step of the path's whole cost."""
    pieces = int((last.cost_usd - following.cost_usd) / spread * STEPS) if spread > 0.0 else 0
    found: list[PathPolicy] = []
    lowered = bool((after <= before).all())
    for piece in range(1, pieces):
        thresholds = _at(limits, before + (after - before) * piece / pieces)[group_of]
        tier = routes(requests, thresholds)
        _, _, seen = tables.by_group(tier, np.zeros(requests.n, dtype=np.int64), 1)
        policy = _evaluated(requests, tables, thresholds)
        # Where all thresholds fall, risk rises but for noise; elsewhere a riskier one would only block the way.
        if bool(seen[0]) and (lowered or policy.risk <= max(last.risk, following.risk)):
            found.append(policy)
    return found


def _cheaper(policies: list[PathPolicy]) -> list[PathPolicy]:
    """Each must be cheaper than all before it: what costs more and comes later has nothing to offer."""
    kept = policies[:1]
    for policy in policies[1:]:
        if policy.cost_usd < kept[-1].cost_usd:
            kept.append(policy)
    return kept
