"""What may be done with the thresholds after a window, and was it right?

The evidence is what production would have: pairs of answers from the up arm and, for requests that the top tier served, from the
down arm, each with its probability. Whoever is sampled in neither way adds nothing but its place in the traffic. `certify` of
`shadow.statistics` does the rest; the truth of the proposed policy is then looked up in the whole file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shadow.replay.draw import pair_inclusion, row_inclusion
from shadow.replay.population import Bools, Floats, Ints, Population
from shadow.replay.stage import Stage
from shadow.replay.window import Window
from shadow.statistics.certificate import MIN_LABELS, Certificate, certify
from shadow.statistics.paired_evidence import PairedEvidence
from shadow.statistics.routes import Requests, routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """served: (R,), where the proposed policy sends each row of the population; None for `keep`."""

    certificate: Certificate
    served: Ints | None


def tune(stage: Stage, window: Window, rng: np.random.Generator, *, epsilon: float, delta: float) -> Tuned:
    """The cheapest policy that the window's evidence supports. Cost: that of the path over the sampled requests."""
    drawn = window.drawn
    kept = np.flatnonzero(drawn.upwards | (drawn.served == stage.population.top))
    row = window.row[drawn.at[kept]]
    half = rng.random(kept.size) < 0.5
    evidence = _evidence(stage, window, kept, half)
    requests = requests_of(stage.population, row)
    costs = _expected_costs(stage.population.costs_usd[row], _had(window, kept))
    found = certify(requests, evidence, costs, in_first_half=half, epsilon=epsilon, delta=delta)
    if found.thresholds is None:
        return Tuned(certificate=found, served=None)
    return Tuned(certificate=found, served=routes(requests_of(stage.population), found.thresholds))


def requests_of(population: Population, rows: Ints | None = None) -> Requests:
    """Rows of the population as the gate sees them; all of them by default."""
    at = np.arange(population.rows) if rows is None else rows
    return Requests(scores=population.scores[at, :-1], kind=population.kind[at], kinds=len(population.kinds))


def _had(window: Window, kept: Ints) -> Bools:
    """Which answers are there, served or mirrored, (m, T)."""
    had = window.drawn.obtained[kept].copy()
    had[np.arange(kept.size), window.drawn.served[kept]] = True
    return had


def _evidence(stage: Stage, window: Window, kept: Ints, in_first_half: Bools) -> PairedEvidence:
    population = stage.population
    served, row = window.drawn.served[kept], window.row[window.drawn.at[kept]]
    had = _had(window, kept)
    pairs = had[:, :-1] & had[:, -1:]
    of_pairs = pair_inclusion(stage.rates, stage.tiers)
    right = population.successes[row]
    loss = right[:, -1:] - right[:, :-1]
    of_rows = row_inclusion(stage.rates, stage.tiers)[served]
    if stage.knows_truth:
        return PairedEvidence.of_truth(loss, pairs, np.column_stack([of_pairs[served], of_rows]))
    labelled = pairs & window.labelled[kept][:, None]
    if labelled[~in_first_half].any(axis=1).sum() >= MIN_LABELS:
        # Reviewers see what counts for accuracy: a pair of the down arm can have no label, so it is as good as never drawn.
        of_pairs = of_pairs.copy()
        of_pairs[-1] = 0.0
        pairs = pairs & (served[:, None] < population.top)
    p = stage.verdict[row, :-1]
    judged = pairs & ~np.isnan(p)
    return PairedEvidence(
        inclusion=np.column_stack([of_pairs[served], of_rows]),
        drawn=pairs,
        judged=judged,
        # Nothing but the reference itself says how good the reference is: to a judge it is right.
        judged_loss=np.where(judged, 1.0 - p, 0.0),
        labelled=labelled,
        label_loss=loss,
        label_inclusion=np.broadcast_to(window.eta[kept][:, None], loss.shape),
    )


def _expected_costs(costs_usd: Floats, had: Bools) -> Floats:
    """What each answer cost where it was asked for, else the mean of those of its tier, (m, T)."""
    number = had.sum(axis=0)
    mean = np.divide((costs_usd * had).sum(axis=0), number, out=np.zeros(number.size), where=number > 0)
    mean[number == 0] = mean.max(initial=0.0)  # nothing is known of this tier: no reason to go there
    return np.where(had, costs_usd, mean)
