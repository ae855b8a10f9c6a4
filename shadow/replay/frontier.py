"""Which policies are worth having when everything is known? Single tiers, thresholds in hindsight, and an oracle.

Here the truth of every row is used, so none of this could be had in production: it is what a tuned policy is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from shadow.replay.population import Ints, Population
from shadow.replay.tuning import requests_of
from shadow.statistics.paired_evidence import PairedEvidence
from shadow.statistics.policy_path import policy_path
from shadow.statistics.routes import BEYOND, Requests, routes

MOST_CANDIDATES = 1_500
#: A loss is a mean of whole numbers: two that differ by less are the same.
_DUST = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A policy and what it really brings. cost_usd: mean per request. loss: in [-1, 1], against always-top."""

    name: str
    accuracy: float
    cost_usd: float
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """fixed: always one tier, by tier. best: the cheapest policy whose loss is at most epsilon, of all thresholds, one for each
    tier or one for each tier and query type, and of the single tiers. curve: policies of which none is both cheaper and more
    accurate than another, by rising cost. oracle: each request to the cheapest tier that gets it right. dominated: tier ->
    one that is no dearer and no worse, and better in one of the two."""

    fixed: tuple[Point, ...]
    best: Point
    curve: tuple[Point, ...]
    oracle: Point
    dominated: dict[str, str]


def point(population: Population, served: Ints, name: str) -> Point:
    """What serving row r by tier served[r] brings."""
    return Point(
        name=name,
        accuracy=population.accuracy(served),
        cost_usd=population.cost_usd(served),
        loss=population.loss(served),
    )


def frontier_of(population: Population, *, epsilon: float) -> Frontier:
    """Cost: a routing of all rows for each of some 1,500 candidates; about a second for 7,000 rows."""
    fixed = tuple(point(population, np.full(population.rows, at), tier) for at, tier in enumerate(population.tiers))
    found = [*fixed, *_with_shared_thresholds(population), *_on_the_path(population)]
    best = min((p for p in found if p.loss <= epsilon + _DUST), key=lambda p: (p.cost_usd, p.loss))
    return Frontier(
        fixed=fixed,
        best=best,
        curve=_undominated(found),
        oracle=point(population, _oracle(population), "oracle"),
        dominated=_dominated(fixed),
    )


def _oracle(population: Population) -> Ints:
    """The cheapest tier that gets the row right; the cheapest of all where none does."""
    wrong = population.successes == 0
    hopeless = wrong.all(axis=1, keepdims=True)
    cheapest: Ints = np.where(wrong & ~hopeless, np.inf, population.costs_usd).argmin(axis=1)
    return cheapest


def _with_shared_thresholds(population: Population) -> list[Point]:
    """One threshold for each tier below the top, whatever the query type."""
    requests = requests_of(population)
    plain = Requests(scores=requests.scores, kind=np.zeros(population.rows, dtype=np.int64))
    below = population.top
    steps = max(3, int(MOST_CANDIDATES ** (1.0 / below) + 1e-9))
    limits = np.full((below, steps), BEYOND)
    for at in range(below):
        limits[at, :-1] = np.quantile(plain.scores[:, at], np.linspace(0.0, 1.0, steps - 1), method="higher")
    candidates = product(range(steps), repeat=below)
    every = np.arange(below)
    return [
        point(population, routes(plain, limits[every, list(chosen)][None, :]), "thresholds") for chosen in candidates
    ]


def _on_the_path(population: Population) -> list[Point]:
    """The tuner's own path, had it seen everything: thresholds by query type where there are rows enough."""
    loss = population.successes[:, -1:] - population.successes[:, :-1]
    evidence = PairedEvidence.of_truth(loss, np.ones_like(loss, dtype=np.bool_), np.ones_like(population.successes))
    requests = requests_of(population)
    path = policy_path(requests, evidence, population.costs_usd)
    return [
        point(population, routes(requests, policy.thresholds), "thresholds by query type") for policy in path.policies
    ]


def _undominated(points: list[Point]) -> tuple[Point, ...]:
    kept: list[Point] = []
    for one in sorted(points, key=lambda p: (p.cost_usd, -p.accuracy)):
        if not kept or one.accuracy > kept[-1].accuracy + _DUST:
            kept.append(one)
    return tuple(kept)


def _dominated(fixed: tuple[Point, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in fixed:
        for other in fixed:
            no_worse = other.cost_usd <= one.cost_usd and other.accuracy >= one.accuracy
            if no_worse and (other.cost_usd < one.cost_usd or other.accuracy > one.accuracy):
                found.setdefault(one.name, other.name)
    return found
