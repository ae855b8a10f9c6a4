"""What does one window of requests look like to whoever has to estimate from it? Drawn, mirrored, judged and labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shadow.replay.draw import Drawn, accuracy_inclusion, draw_samples
from shadow.replay.labels import allocate, draw_labels
from shadow.replay.population import Bools, Floats, Ints
from shadow.replay.stage import Stage
from shadow.statistics.strata import Strata
from shadow.statistics.sums import Samples, Sums, sums_by_group


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """n requests. row: (n,), the row of each in the population. drawn: the samples; labelled: (m,), of them; eta: (m,), how
    likely that was. mirror_usd: what the mirrors cost. strata: the sums for accuracy. uniform: the same had as many samples
    and labels been drawn from all requests alike. naive: the same had the top tier, which nothing is held against, been taken
    to be always right; None where the truth is known.
    """

    row: Ints
    drawn: Drawn
    labelled: Bools
    eta: Floats
    actual_usd: float
    all_top_usd: float
    mirror_usd: float
    strata: Strata
    uniform: Strata
    naive: Strata | None


def run_window(stage: Stage, rng: np.random.Generator) -> Window:
    """One window, the same for the same generator. Cost: some milliseconds for 20,000 requests."""
    population, n = stage.population, stage.requests
    row = rng.integers(population.rows, size=n)
    tier = stage.serving.tier[row]
    drawn = draw_samples(stage.rates, tier, stage.tiers, lambda _salt, at: rng.random(at.size))
    costs = population.costs_usd
    paid = costs[row, tier]

    counted = np.flatnonzero(drawn.counts)
    sampled = drawn.at[counted]
    labelled, eta = np.zeros(drawn.at.size, dtype=np.bool_), np.ones(drawn.at.size)
    labelled[counted], eta[counted] = _labels(stage, tier, tier[sampled], rng)
    inclusion = accuracy_inclusion(stage.rates, stage.tiers)[tier[sampled]]
    by_chance = np.sort(rng.choice(n, size=sampled.size, replace=False))
    chance_labelled, chance_eta = _labels(stage, tier, tier[by_chance], rng)
    whole_share = np.full(sampled.size, max(1, sampled.size) / n)
    verdict = stage.verdict
    believed = np.column_stack([verdict[:, :-1], np.ones(population.rows)])
    return Window(
        row=row,
        drawn=drawn,
        labelled=labelled,
        eta=eta,
        actual_usd=float(paid.sum()),
        all_top_usd=float(costs[row, -1].sum()),
        mirror_usd=float(
            (costs[row[drawn.at]] * drawn.obtained).sum() + (costs[row[drawn.at], -1] * drawn.again).sum()
        ),
        strata=_strata(stage, verdict, row, paid, sampled, inclusion, labelled[counted], eta[counted]),
        uniform=_strata(stage, verdict, row, paid, by_chance, whole_share, chance_labelled, chance_eta),
        naive=None
        if stage.knows_truth
        else _strata(stage, believed, row, paid, sampled, inclusion, labelled[counted], eta[counted]),
    )


def _labels(stage: Stage, tier: Ints, of_samples: Ints, rng: np.random.Generator) -> tuple[Bools, Floats]:
    if stage.labels is None:
        return np.ones(of_samples.size, dtype=np.bool_), np.ones(of_samples.size)
    tiers = len(stage.tiers)
    requests, samples = np.bincount(tier, minlength=tiers), np.bincount(of_samples, minlength=tiers)
    return draw_labels(of_samples, allocate(stage.labels, requests, samples), rng)


def _strata(
    stage: Stage,
    verdict: Floats,
    row: Ints,
    paid_usd: Floats,
    at: Ints,
    inclusion: Floats,
    labelled: Bools,
    eta: Floats,
) -> Strata:
    population, rows = stage.population, row[at]
    tier = stage.serving.tier[rows]
    p = verdict[rows, tier]
    decided = ~np.isnan(p)
    samples = Samples(
        inclusion=inclusion,
        decided=decided,
        probability=np.where(decided, p, 0.0),
        abstained=~decided,
        labelled=labelled,
        label=population.successes[rows, tier],
        label_inclusion=eta,
        priced=tier < population.top,
        reference_cost_usd=population.costs_usd[rows, -1],
        served_cost_usd=paid_usd[at],
    )
    keys = stage.keys()
    names = stage.strata()
    matrix = sums_by_group(samples, keys[rows], groups=len(names), costs_usd=paid_usd, cost_group=keys[row])
    return {key: Sums.from_vector(sums) for key, sums in zip(names, matrix, strict=True) if sums[0] > 0 or sums.any()}
