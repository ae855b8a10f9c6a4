"""Does a tuned policy break epsilon as rarely as promised, and is anything certified at all, where the truth is known?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from shadow.statistics.certificate import Certificate, Proof, certify
from shadow.statistics.paired_evidence import PairedEvidence
from shadow.statistics.routes import Requests, routes
from shadow.statistics.simulation import JUDGES, SimulatedJudge
from shadow.statistics.sums import BoolArray, FloatArray, IntArray

POPULATION = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningWorld:
    """Traffic whose top tier is right with probability `top`, and each cheaper one too, less a gap, on easy requests.

    gaps: in log odds on the hardest requests, cheapest tier first; score_noise: error of the scores, in log odds; -1 gives all
    requests the same score. inclusion_ratio: how much likelier the pairs of hard requests are drawn. labels: labelled pairs
    of those drawn; None: the truth of all is known. judge: its verdicts on each answer apart. together: share of the requests
    on which the tiers have the same luck (0: they fail independently of each other, given how hard the request is).
    """

    gaps: tuple[float, ...] = (2.5,)
    top: float = 0.9
    costs_usd: tuple[float, ...] = (1.0, 10.0)
    pairs: int = 5_000
    labels: int | None = None
    judge: SimulatedJudge = JUDGES["erring"]
    score_noise: float = 0.5
    inclusion_ratio: float = 1.0
    kinds: int = 1
    together: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests with what is usually hidden: chances of success, (n, T)."""

    requests: Requests
    chances: FloatArray
    hardness: FloatArray


def traffic(world: TuningWorld, n: int, rng: np.random.Generator) -> Traffic:
    """n requests of the world."""
    hardness = rng.beta(0.6, 1.2, size=n)
    kind = rng.integers(0, world.kinds, size=n)
    centre = logit(world.top) + 1.5 * (0.35 - hardness)
    below = [expit(centre - gap * hardness) for gap in world.gaps]
    chances = np.stack([*below, expit(centre)], axis=1)
    gain = chances[:, -1:] - chances[:, :-1]
    if world.score_noise < 0.0:
        scores = np.full_like(gain, 0.5)
    else:
        noisy = logit(np.clip(gain, 1e-6, 1 - 1e-6)) + world.score_noise * rng.standard_normal(gain.shape)
        scores = 1.0 - expit(noisy)
    return Traffic(requests=Requests(scores=scores, kind=kind, kinds=world.kinds), chances=chances, hardness=hardness)


def true_risk(population: Traffic, thresholds: FloatArray) -> float:
    """The policy's mean loss over the population, from chances instead of outcomes."""
    tier = routes(population.requests, thresholds)
    rows = np.arange(tier.size)
    return float((population.chances[:, -1] - population.chances[rows, tier]).mean())


def evidence_of(world: TuningWorld, seen: Traffic, rng: np.random.Generator) -> PairedEvidence:
    """One row per drawn request: every tier is run on it. Inclusion differs by hardness as a band would make it."""
    n, tiers = seen.chances.shape
    luck = np.where(rng.random((n, 1)) < world.together, rng.random((n, 1)), rng.random((n, tiers)))
    good = luck < seen.chances
    inclusion = _inclusion(world, seen.hardness)
    loss = good[:, -1:].astype(float) - good[:, :-1]
    drawn = np.ones_like(loss, dtype=np.bool_)
    of_tiers = np.repeat(inclusion[:, None], tiers, axis=1)
    if world.labels is None:
        return PairedEvidence.of_truth(loss, drawn, of_tiers)
    p = _opinion(world.judge, good, rng)
    eta = np.minimum(1.0, world.labels / n * inclusion.mean() / inclusion)
    labelled = np.repeat((rng.random(n) < eta)[:, None], tiers - 1, axis=1)
    return PairedEvidence(
        inclusion=of_tiers,
        drawn=drawn,
        judged=drawn,
        judged_loss=p[:, -1:] - p[:, :-1],
        labelled=labelled,
        label_loss=loss,
        label_inclusion=np.repeat(eta[:, None], tiers - 1, axis=1),
    )


def tune(
    world: TuningWorld,
    *,
    epsilon: float,
    delta: float,
    rng: np.random.Generator,
    per_kind: bool = False,
    proof: Proof | None = None,
) -> Certificate:
    """One run: requests are drawn, mirrored, judged and labelled, and thresholds are proposed."""
    # Hard requests are drawn more often, so that there are more of them among the rows.
    wanted = world.pairs
    offered = traffic(world, int(wanted * 1.2 * max(1.0, world.inclusion_ratio)) + 100, rng)
    chance = _inclusion(world, offered.hardness)
    taken = np.flatnonzero(rng.random(chance.size) < chance / chance.max())[:wanted]
    seen = _take(offered, taken)
    evidence = evidence_of(world, seen, rng)
    costs = np.repeat(np.array([world.costs_usd]), len(taken), axis=0) * (0.5 + seen.hardness[:, None])
    half: BoolArray = rng.random(len(taken)) < 0.5
    return certify(
        seen.requests, evidence, costs, in_first_half=half, epsilon=epsilon, delta=delta, per_kind=per_kind, proof=proof
    )


def certified_share(
    world: TuningWorld, *, epsilon: float, delta: float, runs: int, rng: np.random.Generator, proof: Proof | None = None
) -> float:
    """Share of runs in which something is certified."""
    found = [tune(world, epsilon=epsilon, delta=delta, rng=rng, proof=proof).status for _ in range(runs)]
    return found.count("certified") / runs


def gap_for_risk(world: TuningWorld, risk: float, *, rng: np.random.Generator) -> float:
    """The gap of the cheapest tier at which sending it everything has this risk, in two tiers."""
    hardness = rng.beta(0.6, 1.2, size=POPULATION)
    centre = logit(world.top) + 1.5 * (0.35 - hardness)
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        loss = float((expit(centre) - expit(centre - middle * hardness)).mean())
        low, high = (middle, high) if loss < risk else (low, middle)
    return (low + high) / 2


def _inclusion(world: TuningWorld, hardness: FloatArray) -> FloatArray:
    band: IntArray = (hardness > 0.5).astype(np.int64)
    chances: FloatArray = 0.05 * world.inclusion_ratio ** band.astype(float)
    return chances


def _opinion(judge: SimulatedJudge, good: BoolArray, rng: np.random.Generator) -> FloatArray:
    looks_good = np.zeros_like(good) if judge.useless else good
    taken_good = rng.random(good.shape) < np.where(looks_good, judge.sensitivity, 1 - judge.specificity)
    towards = judge.spread * 2 * rng.random(good.shape)
    opinion: FloatArray = np.where(taken_good, 1 - towards, towards)
    return opinion


def _take(offered: Traffic, rows: IntArray) -> Traffic:
    return Traffic(requests=offered.requests.take(rows), chances=offered.chances[rows], hardness=offered.hardness[rows])
